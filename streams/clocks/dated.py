"""`before`: a date comes nearer, and somebody is to be warned ahead of it: a contract that ends, an anniversary of the cooperation.

How far ahead differs by tier, and is more while a risk is open (`early`). It warns once for each date; if the date is learned of, the
account comes into the tier, or the risk is raised, when it should have warned already, it warns then. Another date, or that the day
has come, resolves the warning; so does the end of the risk for which it came early. A custom field holds a day (`2026-12-31`: its
first instant in the policy's time zone) or an instant in epoch milliseconds; anything else is no date. Of a day that is past nobody
is warned.
Source: facts 001-13, 001-16.
"""

from calendar import isleap
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from itertools import count
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from schemas.limits import YEAR_2200_MS
from schemas.records import AccountProfile, Event, RiskSignal
from streams.calendars import Calendar, day_number, day_of
from streams.clocks.common import Breach, Ended, Limits, Ran, TieredSpec, Warnings, consequences_said, limits_said
from streams.clocks.warning import WarningClock
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Opener, Row, Spec
from streams.units import UNBOUNDED, PositiveDurationMs, duration_text
from streams.words import Said, Words, either, length, spaced

ANNIVERSARY = "cooperation_since"
_NEVER, _NO_DATE = -1, -UNBOUNDED
_CHANGED, _CAME, _WITHDRAWN = 1, 2, 3
_OVER = {_CHANGED: "there is another date, or none", _CAME: "the day has come", _WITHDRAWN: "no risk is open, it is not time yet"}

DateField = Annotated[str, StringConstraints(pattern=r"^(cooperation_since|custom\..+)$", max_length=128)]


class EarlySpec(Spec):
    """How much earlier who is at risk is warned of."""

    by: PositiveDurationMs
    risks: list[str] = Field(default=[], description="while a risk of these kinds is open (default: any)")

    def applies(self, dossier: Dossier) -> bool:
        """Whether such a risk is open."""
        return any(not self.risks or risk.kind in self.risks for _, risk in dossier.open_risks())


class DatedSpec(TieredSpec):
    """How far ahead of which date, and what is asked for then."""

    before: DateField = Field(description="custom.<field> with a date, or cooperation_since: each of its anniversaries")
    ahead: Limits = Field(description="how far ahead, or tier -> how far; a tier without one is not watched")
    early: EarlySpec | None = None
    then: Warnings = Field(description="{ action: name }, or tier -> action")

    def tiered(self) -> Iterator[tuple[str, Any]]:
        """Limit and action."""
        yield from (("ahead", self.ahead), ("then", self.then))

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """Which date, how far ahead, and what follows."""
        day = "each anniversary of the cooperation" if self.before == ANNIVERSARY else spaced(self.before.removeprefix("custom."))
        risks = f"a risk ({either([spaced(kind).lower() for kind in self.early.risks])})" if self.early and self.early.risks else "a risk"
        early = f", {length(self.early.by)} more while {risks} is open" if self.early else ""
        return [Said("follows", f"{limits_said(self.ahead, False)} ahead of {day}{early}: {consequences_said(self.then, self.ahead)}")]

    def compile(self, name: str, scheme: str, tiers: tuple[str, ...], calendar: Calendar) -> "DatedClock":
        """The clock that works on rows."""
        return DatedClock(name, self, scheme, tiers, calendar)


class DatedClock(WarningClock):
    """The compiled clock."""

    def __init__(self, name: str, spec: DatedSpec, scheme: str, tiers: tuple[str, ...], calendar: Calendar) -> None:
        super().__init__(name, spec, scheme, tiers, spec.ahead, spec.then)
        self._field, self._spec_early, self._calendar = spec.before, spec.early, calendar
        self.topics: tuple[str, ...] = ("profiles", "risks") if spec.early else ("profiles",)
        self._yearly = lru_cache(4096)(self._anniversary) if spec.before == ANNIVERSARY else None
        parts = ("date_ms", "known_ms", "warned_ms", "breach_ms", "told_ms", "early_ms", "breach_tier", "ended")
        self._date, self._known, self._warned, self._breach_at, self._told, self._early, self._breach_tier, self._ended = (
            f"clocks.{name}.{part}" for part in parts
        )
        meaning = identity(["dated", spec.model_dump(mode="json"), scheme, tiers])
        instants = (self._known, self._warned, self._breach_at, self._told, self._early)
        wide = [Column(part, "<i8", meaning, start=_NEVER) for part in instants]
        narrow = [Column(part, "<u1", meaning) for part in (self._breach_tier, self._ended)]
        self.columns = [Column(self._date, "<i8", meaning, start=_NO_DATE), *wide, *narrow]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener, *, first: bool) -> bool:  # noqa: ARG002
        """The profile may say another date, a risk may be open or withdrawn."""
        if isinstance(record, AccountProfile) or (self._spec_early is not None and isinstance(record, RiskSignal)):
            self.recall(row, dossier())
            return True
        return False

    def recall(self, row: Row, dossier: Dossier) -> None:
        """The row as the dossier has it; what is new is known from now on."""
        date_ms, clock_ms = self._instant(dossier.known(self._field)), int(row["account.clock_ms"])
        if date_ms != int(row[self._date]):
            self._close(row, _CHANGED)
            row[self._date], row[self._known], row[self._warned] = date_ms, clock_ms, _NEVER
        early = self._spec_early is not None and self._spec_early.applies(dossier)
        if early != (int(row[self._early]) >= 0):
            row[self._early] = clock_ms if early else _NEVER
            if not early:
                self._put_off(row, clock_ms)

    def _put_off(self, row: Row, clock_ms: int) -> None:
        """What was warned of early only, for a risk that is withdrawn, is warned of in its time."""
        warned_ms = int(row[self._warned])
        if int(row[self._breach_at]) >= 0 and warned_ms - self._limits[int(row[self._breach_tier])] > clock_ms:
            self._close(row, _WITHDRAWN)
            row[self._warned] = clock_ms if self._yearly else _NEVER

    def _instant(self, content: Any) -> int:
        """The date in a profile field, _NO_DATE if there is none."""
        if isinstance(content, str):
            try:
                return self._calendar.start_ms(day_number(date.fromisoformat(content)))
            except ValueError:
                return _NO_DATE
        if isinstance(content, bool) or not isinstance(content, int | float):
            return _NO_DATE
        return int(content) if self._yearly or 0 <= content < YEAR_2200_MS else _NO_DATE

    # -- time ----------------------------------------------------------------------------------------------------------

    def _target(self, row: Row) -> int:
        """The date to be warned of next; UNBOUNDED: none."""
        date_ms, known_ms, warned_ms = int(row[self._date]), int(row[self._known]), int(row[self._warned])
        if date_ms == _NO_DATE:
            return UNBOUNDED
        if self._yearly is not None:
            return self._yearly(date_ms, max(known_ms, warned_ms, self.in_tier_ms(row)))
        return date_ms if date_ms != warned_ms else UNBOUNDED

    def _anniversary(self, since_ms: int, after_ms: int) -> int:
        """The first anniversary after an instant; the 29th of February is the 28th in most years."""
        since, now = day_of(self._calendar.local_day(since_ms)), day_of(self._calendar.local_day(after_ms))
        years = count(max(now.year, since.year + 1))
        return next(at_ms for at_ms in (self._calendar.start_ms(_in_year(since, year)) for year in years) if at_ms > after_ms)

    def due_ms(self, row: Row) -> int:
        """When to warn of the next date; while a warning lasts, the day itself, which ends it."""
        if int(row[self._breach_at]) >= 0:
            return int(row[self._warned])
        tier, target_ms = self.tier(row), self._target(row)
        if not self.watches(tier) or target_ms >= UNBOUNDED:
            return UNBOUNDED
        known_ms, ahead_ms = max(int(row[self._known]), self.in_tier_ms(row), int(row[self._warned])), self._limits[tier]
        due_ms = max(target_ms - ahead_ms, known_ms)
        if self._spec_early is not None and (early_ms := int(row[self._early])) >= 0:
            due_ms = min(due_ms, max(target_ms - ahead_ms - self._spec_early.by, known_ms, early_ms))
        return due_ms if due_ms < target_ms else UNBOUNDED

    def since_ms(self, row: Row) -> int:
        """Since when the date is known."""
        return int(row[self._known])

    def fire(self, row: Row, dossier: Opener, at_ms: int) -> Ran:  # noqa: ARG002
        """It is time to warn, or the day has come."""
        if int(row[self._breach_at]) >= 0:
            self._close(row, _CAME)
            return Ran(None, [])
        tier = self.tier(row)
        row[self._warned], row[self._breach_at], row[self._breach_tier] = self._target(row), at_ms, tier
        return Ran(None, [self._breach(row)])

    # -- warnings ------------------------------------------------------------------------------------------------------

    def _breach(self, row: Row) -> Breach:
        tier, day = int(row[self._breach_tier]), day_of(self._calendar.local_day(int(row[self._warned])))
        early = f", {duration_text(self._spec_early.by)} more while a risk is open" if self._spec_early is not None else ""
        ahead = f"{self.limit_text(tier)} ahead in {self.tiers[tier]}{early}"
        said = f"{self.name}: {day} comes, to be seen to {ahead}; another date, or the day itself, resolves it"
        return Breach(int(row[self._breach_at]), tier, "", said)

    def _close(self, row: Row, why: int) -> None:
        """The warning is over."""
        if int(row[self._breach_at]) >= 0:
            row[self._breach_at], row[self._ended] = _NEVER, why

    def remember(self, row: Row, dossier: Opener, breach: Breach) -> None:  # noqa: ARG002
        """The warning was announced."""
        row[self._told] = breach.due_ms

    def take_ended(self, row: Row, dossier: Opener) -> list[Ended]:  # noqa: ARG002
        """The announced warning, if it is over."""
        why, told_ms = int(row[self._ended]), int(row[self._told])
        if not why:
            return []
        row[self._ended], row[self._told] = 0, _NEVER
        return [Ended(told_ms, int(row[self._breach_tier]), "", f"{self.name}: {_OVER[why]}")] if told_ms >= 0 else []

    def hush(self, row: Row) -> None:
        """Warn no more."""
        row[self._date], row[self._breach_at] = _NO_DATE, _NEVER

    def breached(self, row: Row, dossier: Callable[[], Dossier]) -> list[Breach]:  # noqa: ARG002
        """The warning that lasts."""
        return [self._breach(row)] if int(row[self._breach_at]) >= 0 else []


def _in_year(day: date, year: int) -> int:
    """The number of the same day in another year."""
    leaps = (day.month, day.day) == (2, 29) and not isleap(year)
    return day_number(day.replace(year=year, day=28 if leaps else day.day))
