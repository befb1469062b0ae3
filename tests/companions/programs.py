"""Programs of packages: run to their end, or kept running beside a test and ended by their process id."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.embedded import processes
from tests import debian
from tests.asking import answer_of
from tests.waiting import eventually

_READY_S = 60.0
_END_S = 10.0


class Program(NamedTuple):
    """Something that can be started: its file, and the variables under which it finds its libraries."""

    path: Path
    environment: dict[str, str]
    started_in: Path | None = None

    @classmethod
    def of(cls, folder: Path, name: str) -> "Program":
        """A program by its name, of a package that lies in this folder."""
        found = [path for place in ("usr/bin", "usr/sbin", "bin", "sbin") if (path := folder / place / name).exists()]
        assert found, f"{folder} has no program {name}"
        return cls(found[0], debian.environment(folder))

    def run(self, *arguments: str | Path, stdin: str = "", timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """To its end, whatever that is."""
        return subprocess.run([self.path, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, timeout=timeout_s)

    def says(self, *arguments: str | Path, stdin: str = "", timeout_s: float = 60) -> str:
        """What it prints, where it must end well."""
        ran = self.run(*arguments, stdin=stdin, timeout_s=timeout_s)
        assert ran.returncode == 0, (
            f"{self.path.name} {' '.join(map(str, arguments))} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        )
        return ran.stdout


class Server(NamedTuple):
    """A program that listens on loopback."""

    port: int
    pid: int
    log: Path

    @property
    def url(self) -> str:
        """Where it answers HTTP, if it does."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; (0, why) when nobody answers."""
        return answer_of(self.url + path)


@contextmanager
def serving(
    program: Program, arguments: Sequence[str | Path], port: int, log: Path, is_ready: Callable[[Server], object]
) -> Iterator[Server]:
    """The program running while the caller is inside, from the moment that it is ready."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [program.path, *arguments],
            env=program.environment,
            cwd=program.started_in,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    server = Server(port, process.pid, log)

    def _ready() -> object:
        assert process.poll() is None, f"{program.path.name} ended with {process.returncode}: {log.read_text()[-2000:]}"
        return is_ready(server)

    try:
        eventually(_ready, _READY_S, f"{program.path.name} being ready, see {log}")
        yield server
    finally:
        processes.end(process.pid, _END_S)
        process.wait()


def relocated(program: Program, share: str) -> Program:
    """A copy of a program that wants its files under `/usr/share/...` and has no option for it: it takes them from where it is started.

    The place stands in the program as text; another of the same length is put there.
    """
    wanted, folder = f"/usr/share/{share}".encode(), program.path.parents[1] / "share" / share
    copy = program.path.with_name(f"{program.path.name}-relocated")
    if folder == Path("/usr/share") / share:
        return program
    if not copy.exists():
        partial = copy.with_suffix(f".{os.getpid()}")
        partial.write_bytes(program.path.read_bytes().replace(wanted, b"/proc/self/cwd".ljust(len(wanted), b"/")))
        partial.chmod(0o755)
        partial.replace(copy)
    return program._replace(path=copy, started_in=folder)


def in_ci() -> bool:
    """Whether nothing may be skipped."""
    return bool(os.environ.get("CI"))
