"""How far an engine had come when: from the changes that could be read downstream to events a second.

The rule, the same for every engine: of each change the oracle knows the record that brings it, so the engine has folded that record's
partition up to there; the sum over partitions is its progress, known at the instant at which a read_committed consumer had the change.
The span begins when every partition is past the warm-up, and ends with the last change, or when the engine's time is up. A commit makes
many changes readable at once: what comes within `SETTLED_S` of the beginning was done before it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from benchmarks.peers.oracle import Change, Expected

SETTLED_S = 0.1
_LEAST_SHARE = 0.25


class Span(NamedTuple):
    """What was measured of a run."""

    begins_at_s: float
    ends_at_s: float
    events: int

    @property
    def events_per_s(self) -> float:
        """The rate."""
        return self.events / (self.ends_at_s - self.begins_at_s)


class Progress:
    """Fed with changes in the order of their arrival."""

    def __init__(self, wanted: Expected) -> None:
        self._wanted = wanted
        self._left = len(wanted.due)
        self._at_s: list[float] = []
        self._events: list[int] = []
        self.read_to = dict.fromkeys(range(len(wanted.ends)), 0)
        self.warm_at_s: float | None = None

    @property
    def complete(self) -> bool:
        """Whether every change that must come has come."""
        return self._left <= 0

    @property
    def events(self) -> int:
        """Records folded for sure, warm-up included."""
        return self._events[-1] if self._events else 0

    @property
    def latest_at_s(self) -> float:
        """When the last change came."""
        return self._at_s[-1] if self._at_s else 0.0

    def add(self, arrived: Iterable[tuple[float, Change]]) -> None:
        """Changes that have become readable, with the instant of each."""
        for at_s, change in arrived:
            due = self._wanted.due.get(change.key)
            if due is None:
                continue  # time alone: says nothing of the input
            self._left -= 1
            self.read_to[due.partition] = max(self.read_to[due.partition], due.offset)
            self._at_s.append(at_s)
            self._events.append(sum(self.read_to.values()))
            if self.warm_at_s is None and self._is_warm():
                self.warm_at_s = at_s

    def _is_warm(self) -> bool:
        parts = enumerate(zip(self._wanted.warm_to, self._wanted.ends, strict=True))
        return all(self.read_to[number] >= warm_to for number, (warm_to, end) in parts if end > warm_to)

    def span(self, ends_at_s: float) -> Span:
        """From the end of the warm-up to `ends_at_s`. Raises RuntimeError where too little is left to measure."""
        if self.warm_at_s is None:
            raise RuntimeError(f"the engine must get past its warm-up, it folded {self.events} records")
        events = self._by(ends_at_s) - self._by(self.warm_at_s + SETTLED_S)
        if events < _LEAST_SHARE * self.events:
            raise RuntimeError(f"at least a quarter of a run must be measured, got {events} of {self.events} records: give it more")
        return Span(self.warm_at_s, ends_at_s, events)

    def _by(self, at_s: float) -> int:
        place = bisect_right(self._at_s, at_s)
        return self._events[place - 1] if place else 0
