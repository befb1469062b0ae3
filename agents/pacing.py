"""How many records one cycle may fold: all that are there, as long as they fold in about half a second.

A lane that folds for long neither commits, nor pauses, nor stops meanwhile. What a record costs shows in a cycle that took a while,
or in one that was as large as it might be; a small quick one says nothing, so trickling input does not make the next burst slow.
"""

CYCLE_S = 0.5
FIRST_RECORDS = 1_000
_TELLING_S = 0.025
_GROWTH = 4


class Pace:
    """What a lane can afford, going by its last cycles. At most `most` records, and what takes about `cycle_s`."""

    def __init__(self, most: int, cycle_s: float = CYCLE_S) -> None:
        self._most, self._cycle_s = most, cycle_s
        self.records = min(most, FIRST_RECORDS)

    def spent(self, records: int, fold_s: float) -> None:
        """A cycle folded so many records, and nothing else, in this time."""
        if fold_s >= _TELLING_S or records >= self.records:
            affordable = int(records * self._cycle_s / max(fold_s, 1e-6))
            self.records = max(1, min(affordable, _GROWTH * self.records, self._most))
