"""Ends a process when the one that started it is gone, however that went: SIGKILL leaves nobody a chance to clean up after himself.

A guard is a process of its own that waits for the end of a pipe whose other side only the starter holds, so the system itself closes it,
on Linux and macOS alike. (Linux' PR_SET_PDEATHSIG needs code between fork and exec, which is not safe beside threads, and fires when
the starting thread ends, not the process.) What it ends it knows by process id and command line: ids are given out again.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from agents.embedded import processes

GRACE_S = 20.0
_STAND_DOWN = b"."


class Guard:
    """Guards process `pid`, whose command line has `argument`, until released or until this process is gone."""

    def __init__(self, pid: int, argument: str, log: Path) -> None:
        # A bare descriptor: it must stay open when nobody holds this object any more.
        waits_on, self._held = os.pipe()
        try:
            self._process = processes.launch([sys.executable, "-m", __name__, str(pid), argument], log, stdin=waits_on)
        finally:
            os.close(waits_on)

    def release(self) -> None:
        """Stand down: the process has ended, or may outlive us. Once."""
        with suppress(BrokenPipeError):
            os.write(self._held, _STAND_DOWN)
        os.close(self._held)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)


def guard(pid: int, argument: str) -> None:
    """What the guard does: wait, and unless told to stand down, end the process."""
    if not sys.stdin.buffer.read(1) and processes.runs_with(pid, argument):
        processes.end(pid, GRACE_S)


if __name__ == "__main__":
    guard(int(sys.argv[1]), sys.argv[2])
