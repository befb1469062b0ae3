"""When an account bought, by local month: what tells a seasonal buyer from one who has left.

The row keeps the first and the last purchase and, for each month of the calendar, the years in which something was bought in it (a bit
each). All of it is the same in whatever order the records come. A month is a season of the account if it bought in it in each of the
last years, and if it buys in few months only: who buys all the year round has no season. Source: facts 004-04 (frequent, seasonal,
one-time; seasonality must not look like churn).
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from schemas.records import Event
from streams.calendars import day_number, day_of, day_start_ms
from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Opener, Plain, Row, Span
from streams.measures.matching import Matches

FIRST_YEAR, LAST_YEAR = 1990, 2052
"""The years that bits stand for; what was bought before or after counts for no season."""

_NEVER = -1


class Month(NamedTuple):
    """A month of the calendar; `month` is 1 to 12."""

    year: int
    month: int

    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)


class Habit(NamedTuple):
    """What makes a month a season: bought in it in each of so many years, and in at most so many months altogether in these years."""

    years: int
    months: int


class Purchases(Plain):
    """The compiled measure: the ms since the last purchase are its number; the rest is asked by the lifecycle."""

    jumps = False

    def __init__(self, name: str, topic: str, matches: Matches, local_day: Callable[[int], int], habit: Habit | None, meaning: str) -> None:
        self.name, self.topic, self._matches, self._local_day, self._habit = name, topic, matches, local_day, habit
        self._first, self._last, self._season, self._number, self._years = (
            f"{name}.{part}" for part in ("first_ms", "last_ms", "season_ms", "times", "years")
        )
        self.columns = [
            Column(self._first, "<i8", meaning, start=_NEVER),
            Column(self._last, "<i8", meaning, start=_NEVER),
            Column(self._season, "<i8", meaning),
            Column(self._number, "<u4", meaning),
            Column(self._years, "<u8", meaning, (12,)),
        ]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002
        """Take a purchase in; False if it is none."""
        if not self._matches(record):
            return False
        at_ms, first_ms = record.occurred_at, int(row[self._first])
        row[self._first] = at_ms if first_ms == _NEVER else min(first_ms, at_ms)
        row[self._last] = max(int(row[self._last]), at_ms)
        row[self._number] = min(int(row[self._number]) + 1, 2**32 - 1)
        year, month = self.month_of(at_ms)
        if FIRST_YEAR <= year <= LAST_YEAR:
            row[self._years][month - 1] |= 1 << (year - FIRST_YEAR)
        row[self._season] = 0 if self._habit is None else self._season_ends_ms(row, self._habit)
        return True

    def month_of(self, at_ms: int) -> Month:
        """The local month of an instant."""
        day = day_of(self._local_day(at_ms))
        return Month(day.year, day.month)

    def begins_ms(self, month: Month) -> int:
        """The first instant of a local month."""
        return day_start_ms(day_number(date(month.year, month.month, 1)), self._local_day)

    def first_ms(self, row: Row) -> int | None:
        """When it bought first, None if it never did."""
        return None if int(row[self._first]) == _NEVER else int(row[self._first])

    def last_ms(self, row: Row) -> int:
        """When it bought last."""
        return int(row[self._last])

    def times(self, row: Row) -> int:
        """How many purchases there were."""
        return int(row[self._number])

    def season_ends_ms(self, row: Row) -> int:
        """When the next season after the last purchase is over; 0 if the account has no season."""
        return int(row[self._season])

    def _season_ends_ms(self, row: Row, habit: Habit) -> int:
        last = self.month_of(self.last_ms(row))
        years = [int(bits) for bits in row[self._years].tolist()]
        lately = sum(
            1 << (year - FIRST_YEAR) for year in range(last.year - habit.years + 1, last.year + 1) if FIRST_YEAR <= year <= LAST_YEAR
        )
        if sum(bool(bits & lately) for bits in years) > habit.months:
            return 0
        month = last
        for _ in range(12):
            month = month.next()
            latest = last.year if month.month <= last.month else last.year - 1  # the last time that this month came before the purchase
            if all(_bought(years[month.month - 1], latest - ago) for ago in range(habit.years)):
                return self.begins_ms(month.next())
        return 0

    def at(self, row: Row, at_ms: int) -> float:
        """The ms since the last purchase; 0 before the first."""
        return float(at_ms - self.last_ms(row)) if self.first_ms(row) is not None else 0.0

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """It grows."""
        return Span(self.at(row, from_ms), self.at(row, to_ms))

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line, once something was bought."""
        if self.first_ms(row) is None:
            return []
        return [Line("purchases", self.at(row, at_ms), self.times(row), self.last_ms(row))]


def _bought(bits: int, year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR and bool(bits >> (year - FIRST_YEAR) & 1)
