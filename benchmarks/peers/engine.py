"""What an engine is to the comparison. Each gets the same work and one core, and is asked for nothing but its changes.

prepare     once: whatever must be downloaded, installed or compiled
running     a context: the process is started, and gone at the end
output      the topic (physical name) its changes come out of
changes     the changes in one payload of it
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from agents.embedded.guarding import Guard
from agents.settings import Settings
from benchmarks.figures import Tell
from benchmarks.peers.oracle import Change
from benchmarks.processes import WORKER_CORE
from benchmarks.stand import Stand

HOME = Path(__file__).parents[2] / ".tierstream" / "peers"
PROGRAMS = Path(__file__).with_name("programs")
SCHEMA = Path(__file__).parents[2] / "schemas" / "avro" / "interaction.v1.avsc"
_STOP_S = 20.0


class _Published(msgspec.Struct):
    account: str
    sequence: int
    from_tier: str
    to_tier: str
    score_micro: int


_published = msgspec.json.Decoder(_Published)


class Work(NamedTuple):
    """One run: `name` is its application id, `directory` its own."""

    settings: Settings
    name: str
    directory: Path

    @property
    def input(self) -> str:
        """The topic to read (physical name)."""
        return self.settings.topic_name("interactions")

    def told(self, **more: Any) -> str:
        """All of it as JSON, for a program that knows nothing of us."""
        place = {"bootstrap": self.settings.bootstrap_servers, "input": self.input, "output": f"{self.name}-changes"}
        rest = {"application": self.name, "directory": str(self.directory), "schema": str(SCHEMA), "partitions": self.settings.partitions}
        return msgspec.json.encode(place | rest | more).decode()


class Process(Protocol):
    """A started engine: its process, its exit code once it has ended, and what it said last."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def last_words(self) -> str: ...


class Engine(Protocol):
    """One engine in one configuration. `durable`: what it promises about state and output, for the page."""

    name: str
    title: str
    durable: str

    def prepare(self, tell: Tell) -> None: ...

    def running(self, stand: Stand, work: Work) -> Any: ...

    def output(self, work: Work) -> str: ...

    def changes(self, payload: bytes, work: Work) -> list[Change]: ...


class Peer:
    """An engine that is a command; its changes are JSON in a topic of the run's own."""

    def __init__(
        self, name: str, title: str, durable: str, prepare: Callable[[Tell], None], command: Callable[[Work], Sequence[str]]
    ) -> None:
        self.name, self.title, self.durable, self._prepare, self._command = name, title, durable, prepare, command

    def prepare(self, tell: Tell) -> None:
        """Install what the command needs."""
        self._prepare(tell)

    @contextmanager
    def running(self, stand: Stand, work: Work) -> Iterator[Process]:
        """The command on the measured core."""
        _ = stand
        process = Command(list(self._command(work)), work.directory)
        try:
            yield process
        finally:
            process.stop()

    def output(self, work: Work) -> str:
        """A topic for each run."""
        return f"{work.name}-changes"

    def changes(self, payload: bytes, work: Work) -> list[Change]:
        """One to a payload."""
        _ = work
        return [Change(*msgspec.structs.astuple(_published.decode(payload)))]


class Command:
    """A process on the measured core, there from its first instruction on. It writes to `log` in its directory."""

    def __init__(self, command: Sequence[str], directory: Path) -> None:
        self._log = directory / "log"
        pinned = ["taskset", "-c", str(WORKER_CORE), *command] if (os.cpu_count() or 1) > WORKER_CORE else command
        with self._log.open("ab") as file:
            self._process = subprocess.Popen(pinned, cwd=directory, stdout=file, stderr=subprocess.STDOUT)
        self._guard = Guard(self.pid, command[-1], self._log)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The end of its log."""
        return " / ".join(self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-6:])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not go."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guard.release()
