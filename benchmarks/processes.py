"""What a process uses, read from outside it: processor time and memory, from /proc; and which cores it may use."""

import os
import threading
import time
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_EVERY_S = 0.05

BROKER_CORE, WORKER_CORE = 0, 1


def pin(pid: int, *cores: int) -> None:
    """Let a process, and what it starts from now on, use these cores only, as far as the machine has them."""
    if there := set(cores) & set(range(os.cpu_count() or 1)):
        os.sched_setaffinity(pid, there)


def cpu_s(pid: int) -> float:
    """Processor time used so far, in user and system mode, over all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Memory that is resident now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


class CpuLog:
    """Notes the processor time of a process again and again, so that it can be asked for any span afterwards."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._at_s: list[float] = []
        self._used_s: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cpu-log", daemon=True)

    def __enter__(self) -> "CpuLog":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(FileNotFoundError):  # the process is gone
            while not self._end.wait(_EVERY_S):
                self._used_s.append(cpu_s(self._pid))
                self._at_s.append(time.time())

    def between(self, from_s: float, to_s: float) -> float:
        """Processor seconds used between two instants of `time.time()`."""
        return self._used_by(to_s) - self._used_by(from_s)

    def _used_by(self, at_s: float) -> float:
        place = bisect_left(self._at_s, at_s)
        if place in (0, len(self._at_s)):
            return self._used_s[min(place, len(self._at_s) - 1)]
        early, late = self._at_s[place - 1], self._at_s[place]
        share = (at_s - early) / (late - early)
        return self._used_s[place - 1] + share * (self._used_s[place] - self._used_s[place - 1])
