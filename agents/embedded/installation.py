"""What every broker of this machine shares: the jars, the features of a fresh directory, the archive that makes starts quick.

Kept in `$XDG_CACHE_HOME/tierstream` (`~/.cache/tierstream`), one directory for each Kafka, Java and lock file. It counts as complete
when `installed.json` is there, written last, and every file it lists has its size; then nothing is resolved or checked further.
Several processes may come at once: one installs, the others wait for it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from agents.embedded import jars, java, processes
from agents.embedded.configuration import FEATURES, SINGLE_CLUSTER, Node, data_directory, format_directory, write_properties
from agents.embedded.ports import free_ports
from agents.embedded.progress import Progress
from schemas.errors import SettingsError

KAFKA_MAIN = "kafka.Kafka"
_FORMAT_MAIN = "kafka.tools.StorageTool"
_START_S, _ARCHIVE_S = 60.0, 60.0


class Installation(msgspec.Struct, frozen=True):
    """The parts of a broker that do not depend on where it runs. `archive` may be missing: then starts are slower."""

    jars: list[Path]
    features: Path
    archive: Path


class _Manifest(msgspec.Struct, frozen=True):
    jars: list[tuple[str, int]]


def installed(progress: Progress) -> Installation:
    """The installation, made first if needed (about 20 s, of which 8 s download 45 MB). Raises SettingsError."""
    home = _home()
    home.mkdir(parents=True, exist_ok=True)
    ready = _complete(home)
    if ready is not None:
        return ready
    with _alone(home):
        return _complete(home) or _install(home, progress)


def _home() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    java.java()
    lock = hashlib.sha256(msgspec.json.encode(jars.locked())).hexdigest()[:12]
    return cache / "tierstream" / f"kafka-{jars.KAFKA_VERSION}-java-{java.java_version()}-{lock}"


def _complete(home: Path) -> Installation | None:
    try:
        manifest = msgspec.json.decode((home / "installed.json").read_bytes(), type=_Manifest)
        paths = [(home / name, size) for name, size in manifest.jars]
        whole = all(path.stat().st_size == size for path, size in paths)
    except (OSError, msgspec.DecodeError):
        return None
    return _at(home, [path for path, _ in paths]) if whole and (home / FEATURES).exists() else None


def _at(home: Path, paths: list[Path]) -> Installation:
    return Installation(jars=paths, features=home / FEATURES, archive=home / "kafka.aot")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(home: Path, progress: Progress) -> Installation:
    paths = jars.fetch(home / "jars", progress)
    made = _at(home, paths)
    progress("preparing quick starts (once)")
    with TemporaryDirectory(prefix="tierstream-broker-") as scratch:
        _take_features(Path(scratch), made)
        _train(Path(scratch), made)
    manifest = _Manifest(jars=[(str(path.relative_to(home)), path.stat().st_size) for path in paths])
    partial = home / "installed.json.partial"
    partial.write_bytes(msgspec.json.encode(manifest))
    partial.replace(home / "installed.json")
    return made


def _take_features(scratch: Path, made: Installation) -> None:
    """Let Kafka's own tool format a directory and keep the features it decided on."""
    directory = scratch / "formatted"
    node = _node()
    properties = write_properties(directory, node, [node], {})
    arguments = java.command(made.jars, _FORMAT_MAIN, "format", "-t", SINGLE_CLUSTER, "-c", str(properties))
    formatted = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if formatted.returncode != 0:
        raise SettingsError(f"embedded Kafka could not format a directory: {(formatted.stderr or formatted.stdout).strip()[-400:]}")
    shutil.copyfile(data_directory(directory) / FEATURES, made.features)


def _train(scratch: Path, made: Installation) -> None:
    """Start a broker once, let it answer, and keep the classes it loaded. Without an archive starts are slower, not wrong."""
    directory = scratch / "trained"
    node = _node()
    properties = write_properties(directory, node, [node], {})
    format_directory(directory, node.node_id, SINGLE_CLUSTER, made.features)
    partial = made.archive.with_suffix(".partial")
    arguments = java.command(made.jars, KAFKA_MAIN, str(properties), flags=java.make_archive(partial))
    process = processes.launch(arguments, directory / "log")
    try:
        processes.until(lambda: processes.listens(node.port) or process.poll() is not None, _START_S)
        processes.answers(node.bootstrap)
    finally:
        processes.end(process.pid, _ARCHIVE_S)
    if partial.exists():
        partial.replace(made.archive)


def _node() -> Node:
    port, controller_port = free_ports(2)
    return Node(node_id=1, port=port, controller_port=controller_port)
