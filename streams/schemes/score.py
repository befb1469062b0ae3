"""`score`: a ladder of tiers over the weighted score, with hysteresis.

A tier is entered at `enter_at` (inclusive) and left below `leave_below` (exclusive; `enter_at` if not given): [enter_at, next).
Thresholds and scores are compared as integer micro-points. Source: facts 002-08, question Q3.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from streams.kinds import Names, Problem, Spec, unknown
from streams.triggers import TriggerSpec
from streams.units import UNBOUNDED, DurationMs, micro
from streams.words import Said, Words, both, length, spaced


class TierSpec(Spec):
    """One rung of the ladder."""

    name: str = Field(min_length=1, max_length=64)
    enter_at: float | None = Field(default=None, ge=0, le=100, description="score from which the tier is reached; the lowest tier has none")
    leave_below: float | None = Field(default=None, ge=0, le=100, description="score below which it is lost (default: enter_at)")
    minimum_stay: DurationMs = Field(default=0, description="how long the tier is kept at least before it may be lost")
    treatment: str | None = Field(default=None, description="what the tier means for the people who work with it")


class CeilingSpec(Spec):
    """What an open risk does."""

    ceiling: str = Field(description="the highest tier while such a risk is open")


class StepsSpec(Spec):
    """How fast an account may move along the ladder."""

    at_most: int = Field(ge=1, description="tiers per step")
    every: DurationMs | None = Field(
        default=None, description="time between two steps (default: the minimum stay; 0s: one after the other at once)"
    )


class ScoreSpec(Spec):
    """A ladder over the weighted score."""

    kind: Literal["score"]
    announce_entry: bool = Field(default=False, description="publish the silent entry at the lowest tier, from_tier null")
    tiers: list[TierSpec] = Field(min_length=2, max_length=64, description="lowest first")
    hot: list[str] = Field(default=[], description="tiers into which an upgrade makes a hot lead")
    steps: StepsSpec | None = None
    triggers: list[TriggerSpec] = Field(default=[], max_length=16, description="conditions that lift to a tier while they hold")
    risk: dict[str, CeilingSpec] = Field(default={}, description="risk kind -> ceiling while a risk of this kind is open")

    @model_validator(mode="after")
    def _is_a_ladder(self) -> "ScoreSpec":
        problems = [text for text in (self._names_problem(), self._lowest_problem(), *self._order_problems()) if text]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _names_problem(self) -> str | None:
        names = [tier.name for tier in self.tiers]
        return f"tier names must differ, got {', '.join(names)}" if len(set(names)) < len(names) else None

    def _lowest_problem(self) -> str | None:
        lowest = self.tiers[0]
        if lowest.enter_at is not None or lowest.leave_below is not None:
            return f"the lowest tier {lowest.name} is where every account starts: it has no enter_at and no leave_below"
        return None

    def _order_problems(self) -> Iterator[str]:
        below = TierSpec(name="-", enter_at=0.0, leave_below=0.0)
        for tier in self.tiers[1:]:
            if tier.enter_at is None:
                yield f"tier {tier.name} must have enter_at"
                continue
            if tier.enter_at <= (below.enter_at or 0.0):
                yield f"enter_at must rise from tier to tier, got {tier.enter_at:g} for {tier.name}"
            leave, leave_before = self._leave(tier), self._leave(below)
            if leave > tier.enter_at:
                yield f"leave_below must not be above enter_at, got {leave:g} above {tier.enter_at:g} for {tier.name}"
            if leave <= leave_before and below.name != "-":
                yield f"leave_below must rise from tier to tier, got {leave:g} for {tier.name}"
            below = tier

    @staticmethod
    def _leave(tier: TierSpec) -> float:
        return tier.leave_below if tier.leave_below is not None else (tier.enter_at or 0.0)

    def said(self, words: Words) -> list[Said]:
        """The way up, the way down, and what holds an account down."""
        rungs = [f"{tier.enter_at:g} points or more make {tier.name}" for tier in reversed(self.tiers[1:])]
        said = [Said("lifts", f"{', '.join(rungs)}; an account starts at {self.tiers[0].name}")]
        said += [each for trigger in self.triggers for each in trigger.said(words)]
        for tier in reversed(self.tiers[1:]):
            stay = f", after {length(tier.minimum_stay)} in it at the earliest" if tier.minimum_stay else ""
            said.append(Said("lowers", f"{tier.name} is lost below {self._leave(tier):g} points{stay}"))
        if self.steps is not None:
            pause = "the minimum stay" if self.steps.every is None else length(self.steps.every)
            said.append(
                Said("lowers", f"at most {self.steps.at_most} of {len(self.tiers)} tiers at a time, up or down, then a pause of {pause}")
            )
        said += [Said("lowers", f"at most {risk.ceiling} while a risk is open: {spaced(kind).lower()}") for kind, risk in self.risk.items()]
        return [*said, Said("follows", f"coming into {both(self.hot)} makes a hot lead")] if self.hot else said

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: ceilings and lifts are tiers of this ladder, conditions are measures of the policy."""
        tiers = frozenset(tier.name for tier in self.tiers)
        for kind, risk in self.risk.items():
            if risk.ceiling not in tiers:
                yield f"risk.{kind}.ceiling", unknown("tier", risk.ceiling, tiers)
        for place, name in enumerate(self.hot):
            if name not in tiers:
                yield f"hot.{place}", unknown("tier", name, tiers)
        for place, trigger in enumerate(self.triggers):
            for path, what in trigger.problems(names, tiers):
                yield f"triggers.{place}.{path}", what

    def compile(self) -> "ScoreLadder":
        """The ladder in micro-points."""
        return ScoreLadder(self)


class ScoreLadder:
    """The compiled ladder. Tiers are numbers from 0, the lowest; times are in ms."""

    def __init__(self, spec: ScoreSpec) -> None:
        self.tiers = tuple(tier.name for tier in spec.tiers)
        self.stay_ms = [tier.minimum_stay for tier in spec.tiers]
        self.step = spec.steps.at_most if spec.steps else len(self.tiers)
        self._every_ms = spec.steps.every if spec.steps else 0
        self._enter = [-UNBOUNDED] + [micro(tier.enter_at or 0.0) for tier in spec.tiers[1:]] + [UNBOUNDED]
        self._leave = [-UNBOUNDED] + [micro(ScoreSpec._leave(tier)) for tier in spec.tiers[1:]]
        self._thresholds = [sorted({*self._enter[1:-1], *self._leave[1 : tier + 1]}) for tier in range(len(self.tiers))]

    def reached(self, score_micro: int) -> int:
        """The highest tier that the score reaches from below."""
        tier = 0
        while score_micro >= self._enter[tier + 1]:
            tier += 1
        return tier

    def kept(self, score_micro: int, tier: int) -> int:
        """What is left of `tier` under the score, by hysteresis."""
        while score_micro < self._leave[tier]:
            tier -= 1
        return tier

    def thresholds(self, tier: int) -> list[int]:
        """The scores, rising, at which something can change for an account in `tier`: where tiers are entered, and where it is lost."""
        return self._thresholds[tier]

    def pause_ms(self, tier: int) -> int:
        """The time between a step into `tier` and the next step."""
        return self.stay_ms[tier] if self._every_ms is None else self._every_ms

    def leave_below_micro(self, tier: int) -> int:
        """The score below which `tier` is lost."""
        return self._leave[tier]

    def enter_at_micro(self, tier: int) -> int:
        """The score from which `tier` is reached; UNBOUNDED above the highest."""
        return self._enter[tier]
