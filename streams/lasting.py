"""Triggers that last: they hold while their condition is true, and in any case for a time of their own from when they fired.

A trigger fires at the instant at which its condition comes true, by a record or by time. If the condition ends sooner, the lift goes
on until its time is over; if it is still true then, until it ends. Coming true again, it fires again: its time starts anew. Both the
end and every coming and going of the condition are instants that the search for the next change knows (`streams/deadlines.py`), so
that nothing depends on who looks when.
"""

from streams.columns import Column
from streams.kinds import Row
from streams.parts import Parts
from streams.triggers import Trigger, TriggerSpec
from streams.units import UNBOUNDED


class LastingTrigger(Trigger):
    """The compiled trigger with `lasts`. Its columns: when it fired (-1: its time is over), and whether its condition was true last."""

    def __init__(self, spec: TriggerSpec, tier: int, place: str, parts: Parts, meaning: str) -> None:
        assert spec.lasts is not None, "a trigger without `lasts` keeps no time"
        super().__init__(spec, tier, place, parts)
        self._lasts_ms = spec.lasts
        self._fired, self._true = f"{place}.fired_ms", f"{place}.true"
        self.columns = [Column(self._fired, "<i8", meaning, start=-1), Column(self._true, "<u1", meaning), *self.columns]

    def observe(self, row: Row, at_ms: int) -> None:
        """Write down what the instant brings: the condition came true, it ended, the time is over."""
        true = super().holds(row, at_ms)
        if true and not row[self._true]:
            row[self._fired] = at_ms
        row[self._true] = true
        if at_ms >= self.ends_ms(row):
            row[self._fired] = -1

    def ends_ms(self, row: Row) -> int:
        """When its own time is over, UNBOUNDED if it does not run."""
        fired_ms = int(row[self._fired])
        return fired_ms + self._lasts_ms if fired_ms >= 0 else UNBOUNDED

    def holds(self, row: Row, at_ms: int) -> bool:
        """Whether its condition is true or its time runs."""
        return super().holds(row, at_ms) or self._runs(row, at_ms)

    def may_hold(self, row: Row, from_ms: int, to_ms: int) -> tuple[bool, bool]:
        """(surely holds, possibly holds) throughout [from_ms, to_ms]."""
        surely, possibly = super().may_hold(row, from_ms, to_ms)
        return surely or self._runs(row, to_ms), possibly or self._runs(row, from_ms)

    def may_turn(self, row: Row, from_ms: int, to_ms: int) -> bool:
        """Whether its condition may come true or end within [from_ms, to_ms]; exact for one instant."""
        surely, possibly = super().may_hold(row, from_ms, to_ms)
        return not surely if row[self._true] else possibly

    def _runs(self, row: Row, at_ms: int) -> bool:
        return int(row[self._fired]) >= 0 and at_ms < self.ends_ms(row)
