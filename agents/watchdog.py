"""Ends a worker that only looks alive: it has work and gets none done. Whoever supervises it starts a fresh one, which restores.

A lane gets something done when it commits, restores a batch, or has nothing waiting. Besides what a lane has read, input also waits
when the broker's ends are past what the lane has read and its position does not move. A broker that does not answer proves nothing
against the lane's reading. What else must be alive is in `vital_signs.py`.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from agents.dying import ExitCode, leave
from agents.lanes import Lanes, LaneThread
from agents.partition_log import LogError
from agents.vital_signs import Sign

_LOOK_EVERY_S = 1.0
Leave = Callable[[int, str], object]


class Watchdog:
    """A thread of its own, so that nothing it watches can stop it. `signs` are looked at besides the lanes; `end` ends the process."""

    def __init__(self, lanes: Lanes, watchdog_s: float, end: Leave = leave, signs: Sequence[Sign] = ()) -> None:
        self._lanes, self._watchdog_s, self._end, self._signs = lanes, watchdog_s, end, signs
        self._stopped = threading.Event()
        self._moves: dict[int, tuple[LaneThread | None, dict[str, int], float]] = {}  # by lane: positions, and since when they stand
        self.thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self.thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(min(_LOOK_EVERY_S, self._watchdog_s / 4)):
            for lane in list(self._lanes.by_number.values()):
                if fault := self.fault(lane, time.monotonic()):
                    self._end(ExitCode.ENDED_ITSELF, f"watchdog: lane {lane.number} {fault}")
            for sign in self._signs:
                if fault := sign(time.monotonic()):
                    self._end(ExitCode.ENDED_ITSELF, f"watchdog: {fault}")

    def fault(self, lane: LaneThread, now_s: float) -> str | None:
        """What is wrong with a lane of this process, None if nothing is."""
        if not lane.thread.is_alive() and lane.thread.ident is not None and self._lanes.by_number.get(lane.number) is lane:
            return "is dead: its thread ended without being told to"
        idle_s = now_s - lane.progressed_at_s
        match lane.state:
            case "restoring" if idle_s > self._watchdog_s:
                return f"has restored nothing for {idle_s:.0f} s, after {lane.counters.restored} records: is a foreign transaction open?"
            case "running" if idle_s > self._watchdog_s:
                return f"has input waiting and has committed nothing for {idle_s:.0f} s"
            case "running":
                return self._reading_fault(lane, now_s)
        return None

    def _reading_fault(self, lane: LaneThread, now_s: float) -> str | None:
        """The lane has folded all it has read; but does it read? The broker is asked only when it stands still for long."""
        at = lane.positions()
        known, moved_to, moved_at_s = self._moves.get(lane.number, (None, {}, now_s))
        if known is not lane or at != moved_to:
            self._moves[lane.number] = (lane, at, now_s)
            return None
        if now_s - moved_at_s <= self._watchdog_s:
            return None
        self._moves[lane.number] = (lane, at, now_s)
        behind = _behind(lane, at)
        return f"reads nothing of {', '.join(behind)} for {now_s - moved_at_s:.0f} s though there is more" if behind else None


def _behind(lane: LaneThread, at: Mapping[str, int]) -> list[str]:
    """Inputs whose end is past a position that has not moved meanwhile."""
    try:
        ends = lane.ends()
    except LogError:
        return []
    return sorted(topic for topic, end in ends.items() if end > at.get(topic, end) and lane.positions().get(topic) == at.get(topic))
