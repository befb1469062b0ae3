"""A real schema registry that speaks Confluent's API: Apicurio on the Java of the wheel, fetched once as Kafka's jars are, in memory.

158 MB, and 5 s to start on a free machine: for tests/companions. Rules as for the embedded broker: loopback alone, ports that are free,
ended by its process id, and with the process that started it.
"""

import hashlib
import os
import signal
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from agents.embedded import java, processes
from agents.embedded.guarding import Guard
from agents.embedded.ports import free_ports
from tests.debian import CACHE

VERSION = "3.3.3"
SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
_HOME = CACHE / f"apicurio-{VERSION}"
_COORDINATES = ("io.apicurio", "apicurio-registry-app")
_START_S, _END_S, _ATTEMPTS = 180.0, 10.0, 3


def installed() -> Path:
    """The folder of the registry, fetched and unpacked the first time."""
    if not (_HOME / "complete").is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        archive = _fetched(CACHE / "maven")
        with tarfile.open(archive) as packed:
            packed.extractall(_HOME, filter="data")
        archive.unlink()
        (_HOME / "complete").touch()
    return _HOME


def _fetched(repository: Path) -> Path:
    from jgo.maven import MavenContext, PythonResolver

    for attempt in range(_ATTEMPTS):
        context = MavenContext(resolver=PythonResolver(), repo_cache=repository)
        artifact = context.project(*_COORDINATES).at_version(VERSION).artifact(classifier="all", packaging="tar.gz")
        archive = Path(artifact.resolve())
        if hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256:
            return archive
        archive.unlink()
        time.sleep(attempt)
    raise AssertionError(f"what arrived of Apicurio {VERSION} is not what was expected")


class Apicurio:
    """One registry, empty at each start. Stopped and started again it is where it was."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._port, self._management = free_ports(2)
        self._guard: Guard | None = None
        self._pid: int | None = None

    @property
    def url(self) -> str:
        """Where Confluent's API begins."""
        return f"http://127.0.0.1:{self._port}/apis/ccompat/v7"

    def start(self) -> None:
        """Returns when it answers."""
        home = installed()
        options = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self._port,
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": self._management,
            "quarkus.log.level": "WARN",
        }
        jar = str(home / "quarkus-run.jar")
        flags = ["-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-Xmx512m"]
        command = [str(java.java()), *flags, *(f"-D{name}={chosen}" for name, chosen in options.items()), "-jar", jar]
        self._pid = processes.launch(command, self.log).pid
        self._guard = Guard(self._pid, jar, self.log)
        assert processes.until(self._answers, _START_S), self.log.read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        """Returns when it is gone; what it knew is gone too."""
        if self._pid is not None:
            processes.end(self._pid, _END_S)
            self._pid = None
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It accepts connections and answers nobody, as a machine does that is out of memory; afterwards it goes on."""
        assert self._pid is not None, "it runs"
        os.kill(self._pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/subjects", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
