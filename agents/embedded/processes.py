"""Starting and ending a broker's process, and asking whether it is there. Everything goes by process id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_POLL_S = 0.02


def launch(arguments: Sequence[str], log: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start in a session of its own (Ctrl-C reaches the caller alone, who stops workers first), output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(arguments, stdin=stdin, stdout=output, stderr=output, start_new_session=True)


def until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for `condition`; whether it came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.2)
        return client.connect_ex(("127.0.0.1", port)) == 0


def answers(bootstrap: str, timeout_s: float = 5.0) -> bool:
    """Whether a real client gets metadata that names at least one broker: open ports alone do not make a broker."""
    from confluent_kafka import KafkaException  # here: a guard needs no client, and waits with 10 MB instead of 40
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 1000})

    def _has_brokers() -> bool:
        try:
            return bool(client.list_topics(timeout=1.0).brokers)
        except KafkaException:
            return False

    return until(_has_brokers, timeout_s)


def is_running(pid: int) -> bool:
    """Whether process `pid` is there; a child of ours that has ended is reaped on the way.

    A child counts as running until it can be reaped: its first thread may be a zombie while others are still ending.
    """
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] != pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Ended, and its parent has not looked yet; in a container without an init nobody ever will. Asked where there is /proc."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def end(pid: int, timeout_s: float) -> bool:
    """SIGTERM, wait, then SIGKILL; returns when the process is gone, and whether it went by itself."""
    _signal(pid, signal.SIGTERM)
    if until(lambda: not is_running(pid), timeout_s):
        return True
    kill(pid)
    return False


def kill(pid: int) -> None:
    """SIGKILL; returns when the process is gone."""
    _signal(pid, signal.SIGKILL)
    if not until(lambda: not is_running(pid), 10.0):
        raise TimeoutError(f"process {pid} is still there 10 s after SIGKILL")


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def runs_with(pid: int, argument: str) -> bool:
    """Whether process `pid` was started with `argument`: numbers of ended processes are given out again."""
    if not is_running(pid):
        return False
    listing = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return argument.encode() in listing.read_bytes().split(b"\0")
        except OSError:
            return False
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command=", "-ww"], capture_output=True, text=True, check=False)
    return argument in shown.stdout
