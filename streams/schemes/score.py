"""`score`: a ladder of tiers over the weighted score, with hysteresis.

A tier is entered at `enter_at` (inclusive) and left below `leave_below` (exclusive; `enter_at` if not given): [enter_at, next).
Thresholds and scores are compared as integer micro-points. Source: facts 002-08, question Q3.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from streams.kinds import Names, Problem, Spec, unknown
from streams.units import micro

UNBOUNDED = 1 << 62
"""Beyond every score, in micro-points."""


class TierSpec(Spec):
    """One rung of the ladder."""

    name: str = Field(min_length=1, max_length=64)
    enter_at: float | None = Field(default=None, ge=0, le=100, description="score from which the tier is reached; the lowest tier has none")
    leave_below: float | None = Field(default=None, ge=0, le=100, description="score below which it is lost (default: enter_at)")
    treatment: str | None = Field(default=None, description="what the tier means for the people who work with it")


class CeilingSpec(Spec):
    """What an open risk does."""

    ceiling: str = Field(description="the highest tier while such a risk is open")


class ScoreSpec(Spec):
    """A ladder over the weighted score."""

    kind: Literal["score"]
    announce_entry: bool = Field(default=False, description="publish the silent entry at the lowest tier, from_tier null")
    tiers: list[TierSpec] = Field(min_length=2, max_length=64, description="lowest first")
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

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the ceilings are tiers of this ladder."""
        tiers = frozenset(tier.name for tier in self.tiers)
        for kind, risk in self.risk.items():
            if risk.ceiling not in tiers:
                yield f"risk.{kind}.ceiling", unknown("tier", risk.ceiling, tiers)

    def compile(self) -> "ScoreLadder":
        """The ladder in micro-points."""
        return ScoreLadder(self)


class ScoreLadder:
    """The compiled ladder. Tiers are numbers from 0, the lowest."""

    def __init__(self, spec: ScoreSpec) -> None:
        self.tiers = tuple(tier.name for tier in spec.tiers)
        self._enter = [-UNBOUNDED] + [micro(tier.enter_at or 0.0) for tier in spec.tiers[1:]] + [UNBOUNDED]
        self._leave = [-UNBOUNDED] + [micro(ScoreSpec._leave(tier)) for tier in spec.tiers[1:]]

    def earned(self, score_micro: int, tier: int) -> int:
        """The tier that a score earns an account that has earned `tier` so far."""
        while score_micro >= self._enter[tier + 1]:
            tier += 1
        while score_micro < self._leave[tier]:
            tier -= 1
        return tier

    def band(self, tier: int) -> tuple[int, int]:
        """The guard band of a tier: inside [low, high) the score earns the same tier."""
        return self._leave[tier], self._enter[tier + 1]

    def because(self, score_micro: int, before: int, after: int) -> str:
        """Why the score earns `after` to an account that had earned `before`."""
        points = f"score {score_micro / 1e6:.6g}"
        if after > before:
            return f"{points} reaches {self.tiers[after]} (from {self._enter[after] / 1e6:g})"
        if after < before:
            return f"{points} is below {self._leave[before] / 1e6:g}, where {self.tiers[before]} ends"
        return f"{points} keeps {self.tiers[after]}"
