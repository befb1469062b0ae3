"""Keeps one worker running: starts it again when it ends, and takes it along when it goes itself.

    0   the worker was told to stop: so does the supervisor
    2   at the first start: the operator must mend something, and starting again would not help
    any other code or signal: again, after a pause that doubles up to a cap and is forgotten after a healthy while

A worker that has run before is also started again after a 2: most likely its broker is away, and an outage must not need a person.

SIGTERM and SIGINT are passed on. The child gets SIGTERM when its supervisor dies, where the system can do that (Linux).
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from agents.dying import ExitCode

_log = logging.getLogger("tierstream.supervisor")
_PR_SET_PDEATHSIG = 1


class Supervisor:
    """Runs `command` again and again. All times in seconds."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        first_pause_s: float = 0.5,
        longest_pause_s: float = 30.0,
        healthy_s: float = 60.0,
        grace_s: float = 15.0,
    ) -> None:
        self.command = list(command)
        self.restarts = 0
        self._first_pause_s, self._longest_pause_s, self._healthy_s, self._grace_s = first_pause_s, longest_pause_s, healthy_s, grace_s
        self._stopping = threading.Event()
        self._kill_at_s = 0.0
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Supervise until a final exit code or a signal; returns the exit code. Call it in the main thread, which receives signals."""
        before = [(number, signal.signal(number, self._pass_on)) for number in (signal.SIGTERM, signal.SIGINT)]
        try:
            return self._supervise()
        finally:
            self._end_child()
            for number, handler in before:
                signal.signal(number, handler)

    def _supervise(self) -> int:
        pause_s = self._first_pause_s
        while True:
            began = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set() or code == ExitCode.FINE or (code == ExitCode.WRONG_USE and not self.restarts):
                return ExitCode.FINE if code == -signal.SIGTERM and self._stopping.is_set() else _as_exit_code(code)
            if time.monotonic() - began >= self._healthy_s:
                pause_s = self._first_pause_s
            _log.warning("worker ended code=%d, starts again in %.1f s", code, pause_s)
            if self._stopping.wait(pause_s):
                return ExitCode.FINE
            pause_s = min(2 * pause_s, self._longest_pause_s)
            self.restarts += 1

    def _run_once(self) -> int:
        # preexec_fn is unsafe next to threads that hold locks; ours calls the kernel and takes none
        self._child = child = subprocess.Popen(self.command, preexec_fn=_dies_with_parent())  # noqa: PLW1509
        if self._stopping.is_set():  # the signal came while there was no child to pass it on to
            child.terminate()
        while True:
            try:
                return child.wait(self._patience_s())
            except subprocess.TimeoutExpired:
                if self._stopping.is_set() and time.monotonic() >= self._kill_at_s:
                    _log.error("worker did not stop within %.0f s: killed", self._grace_s)
                    child.kill()

    def _patience_s(self) -> float:
        """How long to wait before looking again: to the end of the grace once the signal has come, counted from the signal."""
        return max(0.05, self._kill_at_s - time.monotonic()) if self._stopping.is_set() else self._grace_s

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping.is_set():
            self._kill_at_s = time.monotonic() + self._grace_s
        self._stopping.set()
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def _end_child(self) -> None:
        """Whatever ended the supervision, nothing is left running."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def _as_exit_code(code: int) -> int:
    """A process that a signal ended, as shells write it."""
    return code if code >= 0 else 128 - code


def _dies_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes the command; None where the system has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(ExitCode.ENDED_ITSELF)

    return ask
