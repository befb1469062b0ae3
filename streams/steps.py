"""What changes in steps only, and when: a search for the next change need look at these instants alone.

A windowed measure stands still until an entry leaves; the time since something grows, but a dimension in bands sees it move only where
a band ends. What fades or grows through all numbers has no steps, and the search goes by bounds instead (`streams/deadlines.py`).
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from streams.kinds import Row


@runtime_checkable
class SteppingMeasure(Protocol):
    """A measure that stands still between steps, as seen by who only asks on which side of some levels it is."""

    def steps(self, row: Row, from_ms: int, levels: Sequence[float]) -> list[int]:
        """Every instant after `from_ms`, as far as the row knows, at which it may come to another side of a level."""


@runtime_checkable
class SteppingDimension(Protocol):
    """A dimension that may change in steps only."""

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """Every instant after `from_ms`, as far as the row knows, at which it may change; None if it may change between."""


def steps_of(source: object, row: Row, from_ms: int, levels: Sequence[float]) -> list[int] | None:
    """When a measure or a dimension may come to another side of a level; None if that may be at any time between."""
    if hasattr(source, "topic"):  # a measure; a dimension has topics
        return source.steps(row, from_ms, levels) if isinstance(source, SteppingMeasure) else None
    return source.steps(row, from_ms) if isinstance(source, SteppingDimension) else None


def steps(movers: Sequence[object], row: Row, from_ms: int) -> list[int] | None:
    """The instants after `from_ms` at which any of the movers (dimensions, ratings, conditions) may turn, in order; None: also between."""
    found: set[int] = set()
    for mover in movers:
        own = mover.steps(row, from_ms) if isinstance(mover, SteppingDimension) else None
        if own is None:
            return None
        found.update(own)
    return sorted(at_ms for at_ms in found if at_ms > from_ms)
