"""One embedded broker: start, stop, kill, start again; and finding one that another process started.

`broker.json` in its directory says who and where it is (ports stay the same from start to start), `log` has what Kafka warns about,
`data` what it stores. A broker ends with the process that started it, even if that was killed, unless it is told to stay. Cluster of
several: one `Broker` for each node, all given the same `nodes`, started together (`wait=False`).
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agents.embedded import java, processes
from agents.embedded.configuration import PROPERTIES, SINGLE_CLUSTER, Node, format_directory, write_properties
from agents.embedded.guarding import Guard
from agents.embedded.installation import KAFKA_MAIN, installed
from agents.embedded.ports import free_ports, is_free
from agents.embedded.progress import Progress, silent
from schemas.errors import SettingsError

STATE = "broker.json"
_START_S, _STOP_S = 60.0, 20.0


class State(msgspec.Struct, frozen=True):
    """What `broker.json` holds. `pid` is of the last start; whether that process still lives is asked, not stored."""

    node: Node
    pid: int
    started_at_ms: int


def read_state(directory: Path) -> State | None:
    """The state kept in `directory`, None where no broker was ever started. Raises SettingsError where it is unreadable."""
    try:
        return msgspec.json.decode((directory / STATE).read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as problem:
        raise SettingsError(
            f"broker state must be JSON as tierstream wrote it, got {problem} ({directory / STATE}): remove the directory"
        ) from problem


class Broker:
    """The broker of `directory`, running or not.

    `port`: for clients; None takes the port of the last start, or a free one. `heap`: Java's limit, as `512m` or `1g`.
    `properties` go into server.properties and win over the defaults. `nodes`: all members of a cluster, this one among them.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        heap: str = "1g",
        properties: Mapping[str, str] | None = None,
        node_id: int = 1,
        nodes: Sequence[Node] = (),
    ) -> None:
        self.directory = directory.resolve()
        self.log = self.directory / "log"
        self.heap = heap
        self.properties = dict(properties or {})
        self.node = next((node for node in nodes if node.node_id == node_id), None) or self._place(node_id, port)
        self.nodes = tuple(nodes) or (self.node,)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def bootstrap(self) -> str:
        """What clients put into `bootstrap.servers`."""
        return self.node.bootstrap

    @property
    def pid(self) -> int | None:
        """The process, None when it is not running (whoever started it)."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        state = read_state(self.directory)
        return state.pid if state and processes.runs_with(state.pid, str(self.directory / PROPERTIES)) else None

    def start(self, progress: Progress = silent, *, wait: bool = True, stays: bool = False) -> None:
        """Start and wait for the first answered metadata call. `stays`: it outlives this process.

        Raises SettingsError saying why it cannot be.
        """
        self._refuse_running()
        installation = installed(progress)
        self._refuse_taken_ports()
        progress(f"starting Kafka at {self.bootstrap}")
        properties = write_properties(self.directory, self.node, self.nodes, self.properties)
        format_directory(self.directory, self.node.node_id, SINGLE_CLUSTER, installation.features)
        flags = [f"-Xmx{self.heap}", *java.use_archive(installation.archive)]
        self._process = processes.launch(java.command(installation.jars, KAFKA_MAIN, str(properties), flags=flags), self.log)
        self._keep_state(self._process.pid)
        self._unguarded()
        if not stays:
            self._guard = Guard(self._process.pid, str(properties), self.log)
        if wait:
            self.await_answer()

    def await_answer(self, timeout_s: float = _START_S) -> None:
        """Wait until clients are answered. A broker that does not get there is stopped, and the log's last line told."""
        processes.until(lambda: processes.listens(self.node.port) or self.pid is None, timeout_s)
        if self.pid is not None and self.answers(timeout_s):
            return
        self.stop(timeout_s=1.0)
        raise SettingsError(f"embedded Kafka did not start at {self.bootstrap}: {self._last_line()} (all of it in {self.log})")

    def answers(self, timeout_s: float = 5.0) -> bool:
        """Whether a client's metadata call is answered within `timeout_s`."""
        return processes.answers(self.bootstrap, timeout_s)

    def stop(self, timeout_s: float = _STOP_S) -> bool:
        """SIGTERM, then SIGKILL after `timeout_s`; returns when it is gone, and whether it went by itself. Stopped already: fine."""
        pid = self.pid
        went = True if pid is None else processes.end(pid, timeout_s)
        self._unguarded()
        return went

    def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is gone."""
        pid = self.pid
        if pid is not None:
            processes.kill(pid)
        self._unguarded()

    def _unguarded(self) -> None:
        """There is nothing to guard any more."""
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.release()

    def _place(self, node_id: int, port: int | None) -> Node:
        state = read_state(self.directory)
        if state is not None and port in (None, state.node.port):
            return state.node
        chosen = free_ports(2)
        return Node(node_id=node_id, port=port or chosen[0], controller_port=chosen[1])

    def _refuse_running(self) -> None:
        state = read_state(self.directory)
        if state is not None and self.pid is not None:
            raise SettingsError(
                f"broker directory must belong to one broker, but one runs at {state.node.bootstrap} ({self.directory}): "
                "use that one, or stop it with `tierstream broker down`"
            )

    def _refuse_taken_ports(self) -> None:
        taken = [port for port in (self.node.port, self.node.controller_port) if not is_free(port)]
        if taken:
            raise SettingsError(
                f"port {taken[0]} of 127.0.0.1 is taken by another program: stop it, or start the broker with another --port"
            )

    def _keep_state(self, pid: int) -> None:
        state = State(node=self.node, pid=pid, started_at_ms=time.time_ns() // 1_000_000)
        partial = self.directory / f"{STATE}.partial"
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        partial.replace(self.directory / STATE)

    def _last_line(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return "it wrote nothing"
        return next((line.strip() for line in reversed(lines) if line.strip() and not line.startswith("\tat ")), "it wrote nothing")
