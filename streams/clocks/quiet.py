"""`quiet`: a clock that runs while nothing resets it: silence of the customer, no update or visit by the owner.

It starts with the account's first record and again with every record that resets it. When it has run for as long as the account's
tier allows, its consequence follows, and it starts its next period from there. `demote`: a ceiling one tier below the earned one,
lifted by the next reset. `recycle`: the account goes to the pool, once until the next reset, or until somebody takes it out of the pool:
whoever does has a whole period from there; the tier stays. An action is announced,
once until the next reset, which resolves it. Where the limit differs by tier, time in the tier counts: an account that has just
become A has A's full time. What resets it may need substance: an update that only resets a clock does not.
Source: facts 002-13, 002-18, 002-25, 000-17, questions Q5, Q6.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import Field

from schemas.records import Event
from streams.calendars import Calendar
from streams.clocks.common import (
    NOT_WARNED,
    Breach,
    Consequence,
    Consequences,
    Ended,
    Limits,
    Ran,
    TieredSpec,
    WarningSpec,
    business_day_problems,
    consequences_said,
    limits_said,
    same_tier,
)
from streams.clocks.substance import NOBODY, ResetSpec, contact_of
from streams.clocks.tiered import TieredClock
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Names, Opener, Problem, Row
from streams.units import DAY_MS, UNBOUNDED
from streams.words import Effect, Said, Words

_NO_TIER = 255


class QuietSpec(TieredSpec):
    """How long may nothing happen, and what follows."""

    resets_on: ResetSpec
    after: Limits = Field(description="the limit, or tier -> limit; a tier without one is not watched")
    business_days: bool = Field(default=False, description="whether the limits are business days of the policy's calendar")
    then: Consequences = Field(description="demote, recycle or { action: name }, or tier -> one of them")

    def tiered(self) -> Iterator[tuple[str, Any]]:
        """Limit and consequence."""
        yield from (("after", self.after), ("then", self.then))

    def problems(self, names: Names) -> Iterator[Problem]:
        """References, whole business days, and whose tier a demotion lowers."""
        yield from super().problems(names)
        yield from business_day_problems(self.business_days, self.after)
        if self.reads == "published" and not self.warns_only():
            yield "reads", "must be earned for a clock that demotes or recycles: those go by the tier that was earned"

    def is_plain(self) -> bool:
        """Whether it is a clock of actor, kind, demotion and recycling alone, in hours that all count: compiled code knows no other."""
        return not (any(isinstance(each, WarningSpec) for each in self._consequences()) or self.business_days or self.resets_on.substance)

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What it waits for, how long, and what follows."""
        effect: Effect = "follows" if self.warns_only() else "lowers"
        limit, then = limits_said(self.after, self.business_days), consequences_said(self.then, self.after)
        return [Said(effect, f"without {self.resets_on.phrase()} for {limit}: {then}")]

    def warns_only(self) -> bool:
        """Whether it never moves a tier or an owner."""
        return all(isinstance(each, WarningSpec) for each in self._consequences())

    def _consequences(self) -> list[Consequence]:
        return list(self.then.values()) if isinstance(self.then, dict) else [self.then]

    def compile(self, name: str, scheme: str, tiers: tuple[str, ...], calendar: Calendar) -> "QuietClock":
        """The clock that works on rows."""
        return QuietClock(name, self, scheme, tiers, calendar)


class QuietClock(TieredClock):
    """The compiled clock."""

    topics: tuple[str, ...] = ("interactions",)

    def __init__(self, name: str, spec: QuietSpec, scheme: str, tiers: tuple[str, ...], calendar: Calendar) -> None:
        super().__init__(name, spec, scheme, tiers, spec.after, spec.then, warns_only=spec.warns_only())
        self._resets, self._business_days, self._calendar = spec.resets_on, spec.business_days, calendar
        if spec.resets_on.actor == "CUSTOMER":
            self.cause = "SILENCE"
        self._reset, self._fired, self._ceiling, self._resting, self._told, self._breach_tier, self._contact = (
            f"clocks.{name}.{part}" for part in ("reset_ms", "fired_ms", "ceiling", "resting", "told_ms", "breach_tier", "contact")
        )
        self._remembers_contact = any(way.contact == "another" for way in spec.resets_on.substance)
        said = spec.model_dump(mode="json")
        self.columns = self._columns(identity(["quiet", said, scheme, tiers]), identity(["quiet reset", said["resets_on"]]))

    def _columns(self, meaning: str, reset: str) -> list[Column]:
        """The last reset means the same under other limits and consequences: who changes those does not start every clock anew."""
        columns = [
            Column(self._reset, "<i8", reset, start=-1),
            Column(self._fired, "<i8", meaning, start=-1),
            Column(self._ceiling, "<u1", meaning, start=len(self.tiers) - 1),
            Column(self._resting, "<u1", meaning),
        ]
        if self._remembers_contact:
            columns.append(Column(self._contact, "<u8", reset))
        self._warns = any(isinstance(each, WarningSpec) for each in self._then)
        if self._warns:
            columns += [Column(self._told, "<i8", meaning, start=-1), Column(self._breach_tier, "<u1", meaning, start=_NO_TIER)]
        return columns

    # -- records -------------------------------------------------------------------------------------------------------

    def fold(self, row: Row, record: Event, event: int, dossier: Opener, *, first: bool) -> bool:  # noqa: ARG002
        """Start with the first record, start again with one that resets; False if the record does not concern the clock.

        An older reset than the last one changes nothing.
        """
        resets = self._is_reset(record) and self._has_substance(row, record)
        if not (first or resets) or record.occurred_at <= int(row[self._reset]):
            return resets
        row[self._reset] = record.occurred_at
        if resets and self._remembers_contact:
            row[self._contact] = contact_of(record)
        if int(row[self._fired]) >= 0:
            row[self._fired], row[self._ceiling], row[self._resting] = -1, len(self.tiers) - 1, 0
        return resets

    def _is_reset(self, record: Event) -> bool:
        wanted = self._resets
        return (
            hasattr(record, "actor")
            and wanted.actor in (None, record.actor)
            and (wanted.kind is None or wanted.kind == getattr(record, "kind", None))
        )

    def _has_substance(self, row: Row, record: Event) -> bool:
        ways = self._resets.substance
        if not ways:
            return True
        last = int(row[self._contact]) if self._remembers_contact else NOBODY
        return any(way.fits(record, contact_of(record), last) for way in ways)

    def recall(self, row: Row, dossier: Dossier) -> None:  # noqa: ARG002
        """A clock that is new to an account starts at the account's clock."""
        if int(row[self._reset]) < 0:
            row[self._reset] = row["account.clock_ms"]

    # -- time ----------------------------------------------------------------------------------------------------------

    def due_ms(self, row: Row) -> int:
        """When the consequence follows for an account in its tier; UNBOUNDED: never as things are.

        While a demotion waits (minimum stay, steps), running out again would change nothing: those periods are passed over.
        """
        tier = self.tier(row)
        after_ms, fired_ms, in_tier_ms = self._limits[tier], int(row[self._fired]), int(row[self._since])
        waits = int(row[self._ceiling]) < tier
        if row[self._resting] or waits or after_ms >= UNBOUNDED or self._then[tier] is None:
            return UNBOUNDED
        begins = max(int(row[self._reset]), fired_ms, in_tier_ms if self._by_tier else -1)
        if self._business_days:
            return self._due_in_business_days(begins, after_ms // DAY_MS, in_tier_ms if fired_ms >= 0 else -1)
        passed_over = max(in_tier_ms - begins, 0) // after_ms if fired_ms >= 0 else 0
        return begins + (passed_over + 1) * after_ms

    def _due_in_business_days(self, begins: int, days: int, not_before_ms: int) -> int:
        due_ms = self._calendar.after(begins, days)
        while due_ms <= not_before_ms:
            due_ms = self._calendar.after(due_ms, days)
        return due_ms

    def since_ms(self, row: Row) -> int:
        """Since when the present period runs."""
        return max(int(row[self._reset]), int(row[self._fired]))

    def ceiling(self, row: Row) -> int:
        """The highest tier that this clock leaves."""
        return int(row[self._ceiling])

    def fire(self, row: Row, dossier: Opener, at_ms: int) -> Ran:  # noqa: ARG002
        """The consequence of having run out at `at_ms`; the next period begins."""
        tier = self.tier(row)
        consequence = self._then[tier]
        assert consequence is not None, "a clock without a consequence is never due"
        row[self._fired] = at_ms
        if consequence == "demote":
            row[self._ceiling] = min(max(tier - 1, 0), int(row[self._ceiling]))
            row[self._resting] = tier == 0
        else:
            row[self._resting] = 1
        if self._warns:
            row[self._breach_tier] = tier if isinstance(consequence, WarningSpec) else _NO_TIER
        return Ran(None, [self._breach(at_ms, tier)]) if isinstance(consequence, WarningSpec) else Ran(consequence, [])

    def owned_again(self, row: Row) -> None:
        """Who takes the account out of the pool has a whole period; one who does nothing with it loses it again."""
        warned = self._warns and int(row[self._breach_tier]) != _NO_TIER
        if row[self._resting] and "recycle" in self._then and not warned:
            row[self._resting], row[self._fired] = 0, row["account.clock_ms"]

    # -- warnings ------------------------------------------------------------------------------------------------------

    def _breach(self, at_ms: int, tier: int) -> Breach:
        return Breach(
            at_ms, tier, "", f"{self.name} ran out after {self.limit_text(tier)} in {self.tiers[tier]}; {self._resets.phrase()} resolves it"
        )

    def contacts(self, tier: int) -> bool:
        """Whether its warning asks to contact the customer: unless the policy says otherwise, it does, as what resets it is contact."""
        warning = self._then[tier]
        return not isinstance(warning, WarningSpec) or warning.contact is not False

    def remember(self, row: Row, dossier: Opener, breach: Breach) -> None:  # noqa: ARG002
        """The breach was announced."""
        row[self._told] = breach.due_ms

    def take_ended(self, row: Row, dossier: Opener) -> list[Ended]:  # noqa: ARG002
        """The announced breach, if the clock was reset."""
        if not self._warns or int(row[self._told]) < 0 or int(row[self._fired]) >= 0:
            return []
        ended = Ended(int(row[self._told]), int(row[self._breach_tier]), "", f"{self.name} was reset")
        row[self._told] = -1
        return [ended]

    def hush(self, row: Row) -> None:
        """Warn no more."""
        row[self._resting] = 1

    def breached(self, row: Row, dossier: Callable[[], Dossier]) -> list[Breach]:  # noqa: ARG002
        """The breach that lasts."""
        if not self._warns or int(row[self._fired]) < 0 or int(row[self._breach_tier]) == _NO_TIER:
            return []
        return [self._breach(int(row[self._fired]), int(row[self._breach_tier]))]

    # -- a change of policy --------------------------------------------------------------------------------------------

    def resume(self, row: Row, dossier: Dossier, tiers: tuple[str, ...]) -> list[Ended]:  # noqa: ARG002
        """The policy has changed what the clock allows, not what resets it; `tiers`: the ladder's before.

        What would not have run out has not. A breach that was announced stays one only where its tier is still warned; where it is not,
        it is given, by the tiers before.
        """
        ended, top = self._not_warned(row, tiers) if self._warns else [], len(self.tiers) - 1
        ceiling = same_tier(self.tiers, tiers, int(row[self._ceiling]))
        row[self._ceiling] = ceiling = top if ceiling is None else ceiling
        if int(row[self._fired]) < 0 or self._ends_ms(int(row[self._reset]), min(ceiling + 1, top)) > int(row["account.clock_ms"]):
            row[self._fired], row[self._ceiling], row[self._resting] = -1, top, 0
        return ended

    def _not_warned(self, row: Row, tiers: tuple[str, ...]) -> list[Ended]:
        """Keep the breach by the name of its tier, if that is still warned; else the one that is over, if it was announced."""
        before, told_ms = int(row[self._breach_tier]), int(row[self._told])
        breached = same_tier(self.tiers, tiers, before)
        if breached is not None and isinstance(self._then[breached], WarningSpec):
            row[self._breach_tier] = breached
            return []
        row[self._breach_tier], row[self._told] = _NO_TIER, -1
        return [Ended(told_ms, before, "", f"{self.name}: {NOT_WARNED}")] if told_ms >= 0 and before < len(tiers) else []

    def _ends_ms(self, begins: int, tier: int) -> int:
        """When a period ends that begins then, for an account in this tier."""
        after_ms = self._limits[tier]
        return self._calendar.after(begins, after_ms // DAY_MS) if self._business_days and after_ms < UNBOUNDED else begins + after_ms
