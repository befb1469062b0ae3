"""Triggers: conditions that lift an account to a tier while they hold, whatever its score.

Conditions are those of tracks, alerts and indicators (streams/conditions.py): on measures, dimensions and the profile. They hold from the
instant at which all are fulfilled to the instant at which one no longer is, exactly; there the lift ends (cause WINDOW), or later if the
trigger `lasts` (streams/lasting.py). Source: facts 002-30.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field, field_serializer

from streams.conditions import Conditions, LimitsSpec, When, when_problems, when_said
from streams.dossier import Dossier
from streams.kinds import Names, Problem, Row, Spec, unknown
from streams.parts import Parts
from streams.profile_fields import content_of
from streams.units import PositiveDurationMs
from streams.words import Said, Words, both, length


class TriggerSpec(Spec):
    """All conditions together lift to a tier."""

    when: When
    lift_to: str = Field(description="the tier that the account has at least while this holds")
    lasts: PositiveDurationMs | None = Field(
        default=None, description="how long it holds at least from when the conditions came true (default: while they are true)"
    )

    @field_serializer("when")
    def _decides_as_before(self, when: When) -> dict[str, Any]:
        """Limits as they were said when there were no others: a policy that says nothing new keeps its digest."""
        return {name: _limits(bound) if isinstance(bound, LimitsSpec) else bound for name, bound in when.items()}

    def said(self, words: Words) -> list[Said]:
        """Whom it lifts, and for how long."""
        conditions = both([self._condition(name, words) for name in self.when])
        lasting = f", for {length(self.lasts)} at least" if self.lasts is not None else ""
        return [Said("lifts", f"at least {self.lift_to}, whatever the score, while {conditions}{lasting}")]

    def _condition(self, name: str, words: Words) -> str:
        bound = self.when[name]
        if isinstance(bound, LimitsSpec) and bound.above is None and bound.below is None and content_of(name) is None:
            return words.condition(name, bound.at_least, bound.at_most)
        return when_said({name: bound}, words)

    def problems(self, names: Names, tiers: frozenset[str]) -> Iterator[Problem]:
        """References: what the conditions ask, and the tier."""
        yield from when_problems(self.when, names)
        if self.lift_to not in tiers:
            yield "lift_to", unknown("tier", self.lift_to, tiers)


def _limits(bound: LimitsSpec) -> dict[str, float | None]:
    said = {"at_least": bound.at_least, "at_most": bound.at_most}
    return said | {name: limit for name in ("above", "below") if (limit := getattr(bound, name)) is not None}


class Trigger:
    """The compiled trigger. `tier` is the number of the tier it lifts to; its columns keep what it must know of the profile."""

    def __init__(self, spec: TriggerSpec, tier: int, place: str, parts: Parts) -> None:
        self.tier = tier
        self._conditions = Conditions(spec.when, place, parts)
        self.columns = self._conditions.columns
        self.text, self.from_profile = self._conditions.text, self._conditions.from_profile

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Take over what the profile says."""
        self._conditions.recall(row, dossier)

    def holds(self, row: Row, at_ms: int) -> bool:
        """Whether every condition is fulfilled at the instant."""
        return self._conditions.holds(row, at_ms)

    def may_hold(self, row: Row, from_ms: int, to_ms: int) -> tuple[bool, bool]:
        """(surely holds, possibly holds) throughout [from_ms, to_ms]."""
        return self._conditions.may_hold(row, from_ms, to_ms)


def lift(triggers: list[Trigger], row: Row, at_ms: int) -> int:
    """The highest tier that a trigger lifts to now, 0 if none holds."""
    return max((trigger.tier for trigger in triggers if trigger.holds(row, at_ms)), default=0)


def lift_span(triggers: list[Trigger], row: Row, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Bounds of `lift` over a time in which nothing is folded."""
    low = high = 0
    for trigger in triggers:
        surely, possibly = trigger.may_hold(row, from_ms, to_ms)
        low = max(low, trigger.tier) if surely else low
        high = max(high, trigger.tier) if possibly else high
    return low, high


def trigger_text(triggers: list[Trigger], row: Row, tier: int, at_ms: int) -> str:
    """What the trigger says that lifts to `tier` now."""
    return next(trigger.text for trigger in triggers if trigger.tier == tier and trigger.holds(row, at_ms))
