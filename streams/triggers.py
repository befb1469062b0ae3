"""Triggers: conditions on measures that lift an account to a tier while they hold, whatever its score.

A condition holds from the instant at which its measure fulfils it to the instant at which it no longer does, exactly; there the
lift ends (cause WINDOW), or later if the trigger `lasts` (streams/lasting.py). Source: facts 002-30.
"""

from collections.abc import Iterator, Mapping
from math import inf

from pydantic import Field, model_validator

from streams.kinds import Measure, Names, Problem, Row, Spec, unknown
from streams.units import PositiveDurationMs
from streams.words import Said, Words, both, length


class ConditionSpec(Spec):
    """Bounds on a measure; both may be given."""

    at_least: float | None = Field(default=None, description="holds from this number on")
    at_most: float | None = Field(default=None, description="holds up to this number")

    @model_validator(mode="after")
    def _says_something(self) -> "ConditionSpec":
        if self.at_least is None and self.at_most is None:
            raise ValueError("must have at_least or at_most")
        return self


class TriggerSpec(Spec):
    """All conditions together lift to a tier."""

    when: dict[str, ConditionSpec] = Field(min_length=1, description="measure -> condition")
    lift_to: str = Field(description="the tier that the account has at least while this holds")
    lasts: PositiveDurationMs | None = Field(
        default=None, description="how long it holds at least from when the conditions came true (default: while they are true)"
    )

    def said(self, words: Words) -> list[Said]:
        """Whom it lifts, and for how long."""
        conditions = both([words.condition(name, bounds.at_least, bounds.at_most) for name, bounds in self.when.items()])
        lasting = f", for {length(self.lasts)} at least" if self.lasts is not None else ""
        return [Said("lifts", f"at least {self.lift_to}, whatever the score, while {conditions}{lasting}")]

    def problems(self, names: Names, tiers: frozenset[str]) -> Iterator[Problem]:
        """References: measures and the tier."""
        for measure in self.when:
            if measure not in names.measures:
                yield f"when.{measure}", unknown("measure", measure, names.measures)
        if self.lift_to not in tiers:
            yield "lift_to", unknown("tier", self.lift_to, tiers)


class Trigger:
    """The compiled trigger. `tier` is the number of the tier it lifts to."""

    def __init__(self, spec: TriggerSpec, tier: int, measures: Mapping[str, Measure]) -> None:
        self.tier = tier
        self._bounds = [
            (measures[name], -inf if bound.at_least is None else bound.at_least, inf if bound.at_most is None else bound.at_most)
            for name, bound in spec.when.items()
        ]
        self.text = " and ".join(_text(name, bound) for name, bound in spec.when.items())

    def holds(self, row: Row, at_ms: int) -> bool:
        """Whether every condition is fulfilled at the instant."""
        return all(low <= measure.at(row, at_ms) <= high for measure, low, high in self._bounds)

    def may_hold(self, row: Row, from_ms: int, to_ms: int) -> tuple[bool, bool]:
        """(surely holds, possibly holds) throughout [from_ms, to_ms]."""
        surely, possibly = True, True
        for measure, low, high in self._bounds:
            span = measure.span(row, from_ms, to_ms)
            surely = surely and low <= span.low and span.high <= high
            possibly = possibly and span.high >= low and span.low <= high
        return surely, possibly


def _text(name: str, bound: ConditionSpec) -> str:
    parts = [f"at least {bound.at_least:g}"] if bound.at_least is not None else []
    parts += [f"at most {bound.at_most:g}"] if bound.at_most is not None else []
    return f"{name} {' and '.join(parts)}"


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
