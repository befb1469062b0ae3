"""How a window is kept: in the row, if its entries fit; else all in the dossier and the next eight steps in the row.

A window changes in steps: it is constant until the next entry leaves. So a row that knows the next steps answers exactly until
the last one it knows; there it is renewed from the dossier, and bounds hold beyond. Entries whose time has passed are dropped
when the next record is folded; a record that is late takes its place by its own time.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from typing import NamedTuple

from schemas.records import Event
from streams.columns import Column
from streams.dossier import Dossier, Entry
from streams.kinds import Line, Opener, Plain, Row, Span
from streams.units import DAY_MS, UNBOUNDED
from streams.windows import NOW, Frame, joined_by_day

FEWEST_IN_ROW, MOST_IN_ROW = 8, 48
"""Entries, or steps, that a row holds: all that a window can have if those are few enough, else a handful."""

ENTRIES, STEPS, FIRST_STEPS = 0, 1, 2
"""What the row holds: all entries; all steps that are left; the first steps (the last one known is where it must be renewed)."""


class Counted(NamedTuple):
    """What records count for. `per_unit`: the number is kept in so small parts; `ones`: it is a number of records or days."""

    label: str
    entry: Callable[[Event], Entry | None]
    check: Callable[[Event], None]
    per_unit: int
    ones: bool = False
    by_day: bool = False


class Rolling(Plain):
    """The compiled measure."""

    jumps = True

    def __init__(
        self, name: str, topic: str, counted: Counted, frame: Frame, exact: int, local_day: Callable[[int], int], meaning: str
    ) -> None:
        self.name, self.topic = name, topic
        self._counted, self._frame, self._local_day = counted, frame, local_day
        self._exact = 0 if counted.by_day else exact
        self._in_row = places(self._exact, frame.kept_ms)
        self._falling = counted.ones and frame.looks == NOW
        self._key = f"{name} {meaning}"
        self._at, self._number, self._times, self._low, self._high, self._fill, self._holds = (
            f"measures.{name}.{part}" for part in ("at_ms", "number", "times", "low", "high", "fill", "holds")
        )
        self.columns = self._columns(meaning)

    def _columns(self, meaning: str) -> list[Column]:
        """A count of what only falls with time needs neither times beside its number nor bounds."""
        number = "<u4" if self._falling else "<f8"
        columns = [Column(self._at, "<i8", meaning, (self._in_row,)), Column(self._number, number, meaning, (self._in_row,))]
        if not self._falling:
            columns += [Column(self._times, "<u4", meaning, (self._in_row,))]
            columns += [Column(self._low, "<f8", meaning), Column(self._high, "<f8", meaning)]
        return [*columns, Column(self._fill, "<u1", meaning), Column(self._holds, "<u1", meaning)]

    def check(self, record: Event) -> None:
        """Raises RecordRejected for money whose rate nobody knows."""
        self._counted.check(record)

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002  (equal entries need no tie-break)
        """Take the record in at its own time; False if it does not count."""
        entry = self._counted.entry(record)
        if entry is None:
            return False
        now_ms = int(row["account.clock_ms"])
        if now_ms < entry.at_ms + self._frame.kept_ms:
            entries = self._frame.living(self._entries(row, dossier), now_ms)
            insort(entries, entry)
            if self._exact < len(entries):
                entries = joined_by_day(entries, self._exact, self._frame.total.joined, self._local_day)
            self._keep(row, dossier, entries, now_ms)
        return True

    def _entries(self, row: Row, dossier: Opener) -> list[Entry]:
        return self._entries_in(row) if row[self._holds] == ENTRIES else dossier().windows[self._key]

    def _entries_in(self, row: Row) -> list[Entry]:
        fill = int(row[self._fill])
        numbers = row[self._number][:fill].tolist()
        times = numbers if self._falling else row[self._times][:fill].tolist()
        return list(map(Entry, row[self._at][:fill].tolist(), map(float, numbers), times))

    def _keep(self, row: Row, dossier: Opener, entries: list[Entry], now_ms: int) -> None:
        if len(entries) <= self._in_row:
            if row[self._holds] != ENTRIES:
                del dossier().windows[self._key]
            row[self._holds] = ENTRIES
            self._write(row, entries)
        else:
            dossier().windows[self._key] = entries
            self._write_steps(row, entries, now_ms)

    def _write(self, row: Row, entries: list[Entry]) -> None:
        fill = row[self._fill] = len(entries)
        empty = [0] * (self._in_row - fill)
        row[self._at] = [*(entry.at_ms for entry in entries), *empty]
        row[self._number] = [*(entry.amount for entry in entries), *empty]
        if not self._falling:
            row[self._times] = [*(entry.times for entry in entries), *empty]

    def _write_steps(self, row: Row, entries: list[Entry], now_ms: int) -> None:
        """The window now and after each of its next changes."""
        instants = [now_ms, *self._frame.changes(entries, now_ms)]
        steps = [Entry(at_ms, self._frame.at(entries, at_ms), self._times_in(entries, at_ms)) for at_ms in instants[: self._in_row]]
        row[self._holds] = STEPS if len(instants) <= self._in_row else FIRST_STEPS
        self._write(row, steps)
        if not self._falling:
            row[self._low], row[self._high] = self._frame.bounds(entries, steps[-1].at_ms)

    def _times_in(self, entries: list[Entry], at_ms: int) -> int:
        return sum(entry.times for entry in self._frame.counting(entries, at_ms))

    def fresh_until(self, row: Row) -> int:
        """The last step known, if there are more."""
        return int(row[self._at][self._in_row - 1]) if row[self._holds] == FIRST_STEPS else UNBOUNDED

    def covers(self, row: Row, at_ms: int) -> bool:
        """Whether the row knows the window at the instant: steps that were looked up for a later one do not."""
        return at_ms < self.fresh_until(row) and (row[self._holds] == ENTRIES or at_ms >= int(row[self._at][0]))

    def renew(self, row: Row, dossier: Dossier, at_ms: int) -> None:
        """The next steps, from the dossier's entries."""
        if not self.covers(row, at_ms):
            self._write_steps(row, dossier.windows[self._key], at_ms - 1)  # from just before: what changed there can be told

    def at(self, row: Row, at_ms: int) -> float:
        """What the window is worth."""
        return self._standing(row, at_ms).amount / self._counted.per_unit

    def _standing(self, row: Row, at_ms: int) -> Entry:
        """The window at an instant: its worth, and the records in it."""
        entries = self._entries_in(row)
        if row[self._holds] == ENTRIES:
            return Entry(at_ms, self._frame.at(entries, at_ms), self._times_in(entries, at_ms))
        return _step_at(entries, at_ms)

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """Exact as far as the row knows the steps; beyond, the bounds of whatever can be left."""
        known_ms = self.fresh_until(row)
        if from_ms >= known_ms:
            return self._beyond(row)
        low, high = self._known_span(row, from_ms, to_ms)
        low, high = low / self._counted.per_unit, high / self._counted.per_unit
        if to_ms < known_ms:
            return Span(low, high)
        beyond = self._beyond(row)
        return Span(min(low, beyond.low), max(high, beyond.high))

    def steps(self, row: Row, from_ms: int, levels: Sequence[float]) -> list[int]:  # noqa: ARG002  (every change is a step)
        """When entries leave, or the steps that the row knows."""
        entries = self._entries_in(row)
        if row[self._holds] == ENTRIES:
            return self._frame.changes(entries, from_ms)
        return [step.at_ms for step in entries if step.at_ms > from_ms]

    def _known_span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        if self._falling and row[self._holds] == ENTRIES:  # counts are what the search for deadlines asks most
            window_ms, fill = self._frame.window_ms, int(row[self._fill])
            left = [
                (at_ms + window_ms, number)
                for at_ms, number in zip(row[self._at].tolist()[:fill], row[self._number].tolist(), strict=False)
            ]
            return Span(_after(left, to_ms), _after(left, from_ms))
        entries = self._entries_in(row)
        if row[self._holds] != ENTRIES:
            worth = [_step_at(entries, from_ms).amount, *(step.amount for step in entries if from_ms < step.at_ms <= to_ms)]
        else:
            instants = [at_ms for at_ms in self._frame.changes(entries, from_ms) if at_ms <= to_ms]
            worth = [self._frame.at(entries, at_ms) for at_ms in (from_ms, *instants)]
        return Span(min(worth), max(worth))

    def _beyond(self, row: Row) -> Span:
        if self._falling:
            return Span(0.0, float(row[self._number][self._in_row - 1]))
        return Span(float(row[self._low]) / self._counted.per_unit, float(row[self._high]) / self._counted.per_unit)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """One line, while anything is in the window."""
        standing = self._standing(row, at_ms)
        if not (standing.times or standing.amount):
            return []
        entries = self._entries(row, lambda: dossier)
        last_ms = max((entry.at_ms for entry in self._frame.living(entries, at_ms) if entry.times), default=None)
        return [Line(self._counted.label, standing.amount / self._counted.per_unit, standing.times, last_ms)]


def places(exact: int, kept_ms: int) -> int:
    """How many entries a row has room for: the exact ones and one for each local day that a window of this length touches."""
    most = exact + -(-kept_ms // DAY_MS) + 2
    return most if most <= MOST_IN_ROW else FEWEST_IN_ROW


def _step_at(steps: list[Entry], at_ms: int) -> Entry:
    """The last step that has begun; the first one if none has."""
    return next((step for step in reversed(steps) if step.at_ms <= at_ms), steps[0])


def _after(left: list[tuple[int, float]], at_ms: int) -> float:
    """What is left at an instant of amounts that end."""
    return float(sum(amount for end_ms, amount in left if end_ms > at_ms))
