"""`of: opportunities`: an opportunity has been in one stage for longer than its account's tier allows.

Each open opportunity of the process is watched by itself: the limit has to be passed (7 days are silent, 7 days and a millisecond are
not), and its warning comes once. Another stage, another process, WON or LOST resolves it, and the stay is measured anew. Where limits
differ by tier, a tier that is not watched is quiet, and an account that comes into a watched one with a stay that is too long already
is warned of then. The row keeps the oldest stay that is not warned of; everything else is in the dossier.
Source: facts 002-11, question Q7.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from schemas.records import Event, StageChange
from streams.calendars import Calendar
from streams.clocks.common import (
    NOT_WARNED,
    Breach,
    Ended,
    Limits,
    Ran,
    TieredSpec,
    Warnings,
    business_day_problems,
    consequences_said,
    limits_said,
    same_tier,
)
from streams.clocks.warning import WarningClock
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Names, Opener, Problem, Row
from streams.stays import Overdue, Stay, take_stage
from streams.units import DAY_MS, UNBOUNDED
from streams.words import Said, Words, either

ProcessName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class DwellSpec(TieredSpec):
    """How long may an opportunity stay in one stage, and what is asked for then."""

    of: Literal["opportunities"]
    process: ProcessName | list[ProcessName] | None = Field(default=None, description="only opportunities of this process, or of these")
    after: Limits = Field(description="the limit, which has to be passed, or tier -> limit; a tier without one is not watched")
    business_days: bool = Field(default=False, description="whether the limits are business days of the policy's calendar")
    then: Warnings = Field(description="{ action: name }, or tier -> action")

    def tiered(self) -> Iterator[tuple[str, Any]]:
        """Limit and action."""
        yield from (("after", self.after), ("then", self.then))

    def problems(self, names: Names) -> Iterator[Problem]:
        """References, and whole business days."""
        yield from super().problems(names)
        yield from business_day_problems(self.business_days, self.after)

    def processes(self) -> list[str]:
        """The processes that are watched; none: all."""
        return [self.process] if isinstance(self.process, str) else list(self.process or [])

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What it waits for, how long, and what follows."""
        of = f" of {either(self.processes())}" if self.processes() else ""
        limit, then = limits_said(self.after, self.business_days), consequences_said(self.then, self.after)
        return [Said("follows", f"an opportunity{of} in one stage for more than {limit}: {then}")]

    def compile(self, name: str, scheme: str, tiers: tuple[str, ...], calendar: Calendar) -> "DwellClock":
        """The clock that works on rows."""
        return DwellClock(name, self, scheme, tiers, calendar)


class DwellClock(WarningClock):
    """The compiled clock."""

    topics: tuple[str, ...] = ("opportunities",)

    def __init__(self, name: str, spec: DwellSpec, scheme: str, tiers: tuple[str, ...], calendar: Calendar) -> None:
        super().__init__(name, spec, scheme, tiers, spec.after, spec.then)
        self._processes, self._business_days, self._calendar = frozenset(spec.processes()), spec.business_days, calendar
        self._oldest, self._ended = f"clocks.{name}.oldest_ms", f"clocks.{name}.ended"
        meaning = identity(["dwelling", spec.model_dump(mode="json"), scheme, tiers])
        self.columns = [Column(self._oldest, "<i8", meaning, start=UNBOUNDED), Column(self._ended, "<u1", meaning)]

    def fold(self, row: Row, record: Event, event: int, dossier: Opener, *, first: bool) -> bool:  # noqa: ARG002
        """Follow the opportunity; False if it is of no process that is watched."""
        if not isinstance(record, StageChange):
            return False
        kept = dossier()
        take_stage(kept.stays, record, event)
        self.recall(row, kept)
        return self._of_process(record.process)

    def recall(self, row: Row, dossier: Dossier) -> None:
        """The row as the dossier has it; what nobody was told of is forgotten when it is over."""
        late = dossier.overdue.get(self.name, {})
        over = [name for name, each in late.items() if not self._lasts(dossier.stays.get(name), each)]
        for name in over:
            if not late[name].announced:
                del late[name]
        row[self._ended] = any(name in late for name in over)
        waiting = (stay.since_ms for name, stay in dossier.stays.items() if self._is_watched(stay) and name not in late)
        row[self._oldest] = min(waiting, default=UNBOUNDED)

    def resume(self, row: Row, dossier: Dossier, tiers: tuple[str, ...]) -> list[Ended]:  # noqa: ARG002 - `recall` follows
        """The policy says something else of the clock; `tiers`: the ladder's before. A stay is overdue only where its tier is still warned.

        Gives the announced ones that are not, by the tiers before.
        """
        late, ended = dossier.overdue.get(self.name, {}), list[Ended]()
        for name, each in sorted(late.items()):
            tier = same_tier(self.tiers, tiers, each.tier)
            if tier is not None and self.watches(tier):
                each.tier = tier
                continue
            del late[name]
            if each.announced and each.tier < len(tiers):
                ended.append(Ended(each.due_ms, each.tier, name, f"opportunity {name}: {NOT_WARNED}"))
        return ended

    def _of_process(self, process: str) -> bool:
        return not self._processes or process in self._processes

    def _is_watched(self, stay: Stay) -> bool:
        return stay.is_open() and self._of_process(stay.process)

    def _lasts(self, stay: Stay | None, late: Overdue) -> bool:
        return stay is not None and self._is_watched(stay) and stay.stage == late.stage and stay.since_ms <= late.due_ms

    # -- time ----------------------------------------------------------------------------------------------------------

    def due_ms(self, row: Row) -> int:
        """When the oldest stay is too long."""
        oldest_ms = int(row[self._oldest])
        return UNBOUNDED if oldest_ms >= UNBOUNDED else self._due_ms(row, oldest_ms)

    def _due_ms(self, row: Row, since_ms: int) -> int:
        tier = self.tier(row)
        if not self.watches(tier):
            return UNBOUNDED
        limit_ms = self._limits[tier]
        end_ms = self._calendar.after(since_ms, limit_ms // DAY_MS) if self._business_days else since_ms + limit_ms
        return max(end_ms + 1, self.in_tier_ms(row))

    def since_ms(self, row: Row) -> int:
        """Since when the oldest stay lasts that is not warned of."""
        return int(row[self._oldest])

    def fire(self, row: Row, dossier: Opener, at_ms: int) -> Ran:
        """Every stay that is too long now is overdue."""
        kept, tier, breaches = dossier(), self.tier(row), list[Breach]()
        late = kept.overdue.setdefault(self.name, {})
        for name, stay in sorted(kept.stays.items(), key=lambda each: (each[1].since_ms, each[0])):
            if name not in late and self._is_watched(stay) and (due_ms := self._due_ms(row, stay.since_ms)) <= at_ms:
                late[name] = Overdue(stay.stage, due_ms, tier)
                breaches.append(self._breach(name, late[name]))
        self.recall(row, kept)
        return Ran(None, breaches)

    # -- warnings ------------------------------------------------------------------------------------------------------

    def _breach(self, name: str, late: Overdue) -> Breach:
        limit = self.limit_text(late.tier)
        said = f"opportunity {name} is in stage {late.stage} for more than {limit}; another stage, WON or LOST resolves it"
        return Breach(late.due_ms, late.tier, name, said)

    def remember(self, row: Row, dossier: Opener, breach: Breach) -> None:  # noqa: ARG002
        """The breach was announced."""
        dossier().overdue[self.name][breach.subject].announced = True

    def take_ended(self, row: Row, dossier: Opener) -> list[Ended]:
        """The announced stays that are over."""
        if not row[self._ended]:
            return []
        row[self._ended], kept, ended = 0, dossier(), list[Ended]()
        late = kept.overdue[self.name]
        for name in sorted(late):
            if not self._lasts(stay := kept.stays.get(name), each := late[name]):
                ended.append(Ended(each.due_ms, each.tier, name, self._over_text(name, stay)))
                del late[name]
        self.recall(row, kept)
        return ended

    def _over_text(self, name: str, stay: Stay | None) -> str:
        if stay is None:
            return f"opportunity {name} is not followed any more"
        if not stay.is_open():
            return f"opportunity {name} is {stay.status}"
        return f"opportunity {name} is in stage {stay.stage}" if self._is_watched(stay) else f"opportunity {name} is in another process"

    def hush(self, row: Row) -> None:
        """Warn no more."""
        row[self._oldest] = UNBOUNDED

    def breached(self, row: Row, dossier: Callable[[], Dossier]) -> list[Breach]:  # noqa: ARG002
        """The stays that are too long."""
        late = dossier().overdue.get(self.name, {})
        return [self._breach(name, each) for name, each in sorted(late.items(), key=lambda entry: (entry[1].due_ms, entry[0]))]
