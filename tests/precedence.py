"""A machine to oneself, as far as it goes: what a figure measures goes before whatever else happens to run here.

Nothing measured or judged is changed by it. On Linux and as root, processes and their sessions get a better place in the scheduler's
queue; anywhere else nothing happens, and a machine that is busy with other work shows in the figure.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FIRST, USUAL = -15, 0


@contextmanager
def precedence(*pids: int | None) -> Iterator[None]:
    """For these processes, their threads, and what they start meanwhile."""
    named = [pid for pid in pids if pid is not None]
    try:
        _place(named, FIRST)
        yield
    finally:
        _place(named, USUAL)


def _place(pids: list[int], nice: int) -> None:
    for pid in pids:
        with suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))  # the session's place among sessions
        with suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), nice)
