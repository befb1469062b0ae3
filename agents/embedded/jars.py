"""Where Kafka's jars come from: the lock file next to this module names each with its size and digest.

Resolving Kafka's dependencies reads about 150 project files one after another (15 s); the lock file makes it one parallel download
(8 s) that is the same for everybody. The only file that imports jgo; its resolver is pure Python and needs neither Java nor Maven.
(`jgo.build` is not used: it would fetch a second Java only to sort the jars.)

To move to another Kafka, change `COORDINATES` and run `python -m agents.embedded.jars`, which writes the lock file anew.
The benchmarks fetch what they need beside Kafka in the same way, from a lock file of their own.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from agents.embedded.progress import Progress
from schemas.errors import SettingsError

KAFKA_VERSION = "4.2.1"
COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")

KAFKA_LOCK = Path(__file__).with_name("kafka.lock.json")
_AT_ONCE = 4
_ATTEMPTS = 3


class Jar(msgspec.Struct, frozen=True):
    """One line of the lock file."""

    artifact: str
    size: int
    sha256: str

    def is_at(self, path: Path) -> bool:
        return path.exists() and path.stat().st_size == self.size and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


def locked(lock: Path = KAFKA_LOCK) -> list[Jar]:
    """The jars of the lock file, in classpath order."""
    return msgspec.json.decode(lock.read_bytes(), type=list[Jar])


def fetch(repository: Path, progress: Progress, lock: Path = KAFKA_LOCK, what: str = f"Kafka {KAFKA_VERSION}") -> list[Path]:
    """Every jar that `lock` names, below `repository`; what is there and whole is not fetched again. Raises SettingsError."""
    jars, total = locked(lock), total_bytes(lock)
    counter = _Counter()
    message = f"fetching {what} ({total / 1e6:.0f} MB, once)"
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="jars") as pool:
        futures = [pool.submit(_fetched, jar, repository, counter) for jar in jars]
        try:
            paths = _results(futures, lambda: progress(message, min(counter.bytes, total)))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    progress(message, total)
    return paths


def total_bytes(lock: Path = KAFKA_LOCK) -> int:
    """What a first start downloads, for a progress bar."""
    return sum(jar.size for jar in locked(lock))


def _results(futures: list[Future[Path]], tell: Callable[[], None]) -> list[Path]:
    """What the downloads came to; the first failure ends it, for the others would fail alike."""
    pending: set[Future[Path]] = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        tell()
    return [future.result() for future in futures]


class _Counter:
    """Bytes so far, over all downloads. A count that is off by a racing addition only makes a progress bar less smooth."""

    def __init__(self) -> None:
        self.bytes = 0

    @contextmanager
    def of_download(self, _name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield self.add

    def add(self, count: int) -> None:
        self.bytes += count


def _fetched(jar: Jar, repository: Path, counter: _Counter) -> Path:
    problem = "what arrived is not what the lock file names"
    for attempt in range(_ATTEMPTS):
        try:
            path = _resolved(jar.artifact, repository, counter.of_download)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo raises RuntimeError
            problem = str(error) or type(error).__name__
            time.sleep(0.5 * attempt)
            continue
        if jar.is_at(path):
            return path
        path.unlink()  # cut off by an earlier interruption
    raise SettingsError(
        f"embedded Kafka needs {jar.artifact}, which could not be fetched ({problem}): check the network and HTTPS_PROXY and start "
        "again (what has arrived is kept), or use a Kafka of your own: TIERSTREAM_BOOTSTRAP_SERVERS=host:port"
    )


def _resolved(artifact: str, repository: Path, of_download: Callable[[str, int], AbstractContextManager[Callable[[int], None]]]) -> Path:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    group, name, version = artifact.split(":")
    # Mirrors that the operator named in jgo's own configuration file come before the public repository.
    mirrors = dict(GlobalSettings.load().repositories)
    context = MavenContext(resolver=PythonResolver(progress_callback=of_download), repo_cache=repository)
    context.remote_repos = {**mirrors, **context.remote_repos}
    return Path(context.project(group, name).at_version(version).artifact().resolve())


def lock_anew(coordinates: Sequence[str]) -> str:
    """The lock file's text for what `coordinates` need today."""
    from jgo.maven import MavenContext

    with TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository))
        inputs, needed = context.resolver.resolve([context.create_dependency(coordinate) for coordinate in coordinates])
        artifacts = [each.artifact for each in (*inputs, *needed) if each.scope in (None, "compile", "runtime")]
        lines = [_line(f"{each.groupId}:{each.artifactId}:{each.version}", Path(each.resolve())) for each in artifacts]
    return "[\n" + ",\n".join(sorted(lines)) + "\n]\n"


def _line(artifact: str, path: Path) -> str:
    return json.dumps({"artifact": artifact, "size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


if __name__ == "__main__":
    KAFKA_LOCK.write_text(lock_anew(COORDINATES))
