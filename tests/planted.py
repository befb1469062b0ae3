"""A worker with a bug planted in it: `python -m tests.planted FAULT worker ...` is `tierstream worker ...` until the fault strikes.

The faults are what no input can cause: threads that end, calls that never come back. `faults` names them.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from agents.cli import main
from agents.lane_agent import LaneAgent
from agents.lanes import Lanes, LaneThread
from agents.ticking import Ticking


def _for_ever(*_: Any, **__: Any) -> None:
    threading.Event().wait()


def _lane_ends() -> None:
    """A lane's thread returns without a word."""
    LaneThread._run = lambda self: self.ready.set()  # type: ignore[method-assign]


def _ticking_ends() -> None:
    """The thread that lets time pass returns without a word."""
    Ticking._run = lambda self: None  # type: ignore[method-assign]  # noqa: ARG005


def _ticking_dies() -> None:
    """The thread that lets time pass dies of an error nobody expected."""

    def run(_: Ticking) -> None:
        raise KeyError("planted")

    Ticking._run = run  # type: ignore[method-assign]


def _rebalance_hangs() -> None:
    """Taking partitions never comes back, so the rebalance never ends."""
    Lanes.start = _for_ever  # type: ignore[method-assign]


def _loop_stands() -> None:
    """A call in the event loop never comes back, right after the rebalance."""
    ends = LaneAgent._rebalance_ends

    async def end_and_stand(self: LaneAgent, *arguments: Any, **options: Any) -> None:
        await ends(self, *arguments, **options)
        time.sleep(600)  # the fault itself

    LaneAgent._rebalance_ends = end_and_stand  # type: ignore[method-assign]


faults: dict[str, Callable[[], None]] = {
    "lane-ends": _lane_ends,
    "ticking-ends": _ticking_ends,
    "ticking-dies": _ticking_dies,
    "rebalance-hangs": _rebalance_hangs,
    "loop-stands": _loop_stands,
}

if __name__ == "__main__":
    faults[sys.argv.pop(1)]()
    main()
