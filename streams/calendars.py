"""Business days: which local days people work, and when so many of them have passed since an instant.

A period that begins on a business day ends at the same time after midnight so many business days later; one that begins on a day off
begins with the next business day. Where clocks are put forward, a period ends before its last day does. Holidays are taken out of
the week, days worked in their stead (as China does) are put in.
"""

from bisect import bisect_left
from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from streams.kinds import Spec
from streams.units import DAY_MS, local_day_in
from streams.words import Said, Words, as_written

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_DAY = date(1970, 1, 1).toordinal()
_FIRST_WEEKDAY = date(1970, 1, 1).weekday()


class CalendarSpec(Spec):
    """The days on which nobody works."""

    weekend: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default=["sat", "sun"], max_length=6, description="days of the week that are off"
    )
    holidays: list[date] = Field(default=[], description="days off beside the weekend")
    working: list[date] = Field(default=[], description="days of a weekend on which people work, in a holiday's stead")

    @model_validator(mode="after")
    def _agrees(self) -> "CalendarSpec":
        if both := sorted(set(self.holidays) & set(self.working)):
            raise ValueError(f"a day is off or worked, got both for {', '.join(map(str, both))}")
        return self

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """Which days are off, if the policy says so."""
        return [] if self == CalendarSpec() else [Said("is", f"days off and days worked: {as_written(self)}")]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _FIRST_DAY


def day_of(number: int) -> date:
    """The inverse of `day_number`."""
    return date.fromordinal(number + _FIRST_DAY)


def day_start_ms(day: int, local_day: Callable[[int], int]) -> int:
    """The first instant of a local day."""
    around = range((day - 1) * DAY_MS, (day + 1) * DAY_MS)
    return around[bisect_left(around, day, key=local_day)]


class Calendar:
    """Local days of one time zone, by their numbers since 1970-01-01."""

    def __init__(self, spec: CalendarSpec, timezone: str) -> None:
        self._off = frozenset((WEEKDAYS.index(day) - _FIRST_WEEKDAY) % 7 for day in spec.weekend)
        self._holidays, self._working = frozenset(map(day_number, spec.holidays)), frozenset(map(day_number, spec.working))
        self.local_day = local_day_in(ZoneInfo(timezone))
        self.start_ms = lru_cache(4096)(partial(day_start_ms, local_day=self.local_day))
        self.after = lru_cache(4096)(self._after)

    def is_working(self, day: int) -> bool:
        """Whether it is a business day."""
        return day in self._working or (day not in self._holidays and day % 7 not in self._off)

    def _next_working(self, day: int) -> int:
        """The first business day after a day."""
        return next(day + ahead for ahead in range(1, 4000) if self.is_working(day + ahead))

    def _after(self, begins_ms: int, days: int) -> int:
        """When so many business days (at least one) have passed since an instant."""
        day = self.local_day(begins_ms)
        since_midnight_ms = begins_ms - self.start_ms(day)
        if not self.is_working(day):
            day, since_midnight_ms = self._next_working(day), 0
        for _ in range(days):
            day = self._next_working(day)
        return self.start_ms(day) + min(since_midnight_ms, self.start_ms(day + 1) - self.start_ms(day) - 1)
