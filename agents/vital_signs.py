"""What besides its lanes must be alive in a worker, for the watchdog to look at: the group, the event loop, the other threads.

Each sign answers what is wrong at an instant (monotonic seconds), None if nothing is.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from agents.dying import ExitCode, leave

Sign = Callable[[float], str | None]
_log = logging.getLogger("tierstream.worker")


class Settles:
    """The group says which partitions are ours. A rebalance takes a while; one that never ends pauses every lane for ever."""

    def __init__(self, settled: Callable[[], bool], within_s: float) -> None:
        self._settled, self._within_s = settled, within_s
        self._since_s: float | None = None

    def __call__(self, now_s: float) -> str | None:
        """The fault of a rebalance that has not ended in time."""
        if self._settled():
            self._since_s = None
            return None
        if self._since_s is None:
            self._since_s = now_s
        waited_s = now_s - self._since_s
        if waited_s <= self._within_s:
            return None
        return f"the group has not settled for {waited_s:.0f} s, lanes are paused: does the group's coordinator answer?"


class Turns:
    """The event loop turns, in which the member, its heartbeats and the web views live: what is asked of it is done in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, within_s: float) -> None:
        self._loop, self._within_s = loop, within_s
        self._asked_s: float | None = None

    def __call__(self, now_s: float) -> str | None:
        """The fault of a loop that stands still. A closed one has ended with its worker."""
        asked_s = self._asked_s  # read once: the loop's thread takes it away
        if asked_s is None:
            self._asked_s = asked_s = now_s
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._answered)
        if self._loop.is_closed():
            return None
        waited_s = now_s - asked_s
        return f"the event loop has not turned for {waited_s:.0f} s: a call in it does not come back" if waited_s > self._within_s else None

    def _answered(self) -> None:
        self._asked_s = None


class Run:
    """Threads that end only with the process."""

    def __init__(self, threads: Sequence[threading.Thread]) -> None:
        self._threads = threads

    def __call__(self, _now_s: float) -> str | None:
        """The fault of a thread that is gone."""
        gone = [thread.name for thread in self._threads if thread.ident is not None and not thread.is_alive()]
        return f"the thread {gone[0]} ended without being told to" if gone else None


def no_thread_dies_alone(arguments: threading.ExceptHookArgs) -> None:
    """`threading.excepthook` of a worker: an error that ends a thread ends the process, since nobody does that thread's work any more."""
    name = arguments.thread.name if arguments.thread is not None else "?"
    if arguments.exc_value is not None:
        _log.error("thread %s: a bug", name, exc_info=arguments.exc_value)
    said = " ".join(f"{arguments.exc_type.__name__}: {arguments.exc_value}".split())
    leave(ExitCode.ENDED_ITSELF, f"worker: the thread {name} died of an unexpected {said}")
