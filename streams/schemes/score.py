"""`score`: a ladder of tiers over the weighted score, with hysteresis.

A tier is entered at `enter_at` (inclusive) and left below `leave_below` (exclusive; `enter_at` if not given): [enter_at, next).
Source: facts 002-08, question Q3.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from streams.kinds import Names, Problem
from streams.parts import Parts
from streams.schemes.ladder import Ladder, Rung
from streams.schemes.spec import LadderSpec, TierSpec
from streams.units import micro
from streams.words import Said, Words, length


class ScoredTier(TierSpec):
    """A tier over the score."""

    enter_at: float | None = Field(default=None, ge=0, le=100, description="score from which the tier is reached; the lowest tier has none")
    leave_below: float | None = Field(default=None, ge=0, le=100, description="score below which it is lost (default: enter_at)")


class ScoreSpec(LadderSpec):
    """A ladder over the weighted score."""

    kind: Literal["score"]
    tiers: list[ScoredTier] = Field(min_length=2, max_length=64, description="lowest first")

    @model_validator(mode="after")
    def _is_a_ladder(self) -> "ScoreSpec":
        if problems := [text for text in (self._lowest_problem(), *self._order_problems()) if text]:
            raise ValueError("; ".join(problems))
        return self

    def _lowest_problem(self) -> str | None:
        lowest = self.tiers[0]
        if lowest.enter_at is not None or lowest.leave_below is not None:
            return f"the lowest tier {lowest.name} is where every account starts: it has no enter_at and no leave_below"
        return None

    def _order_problems(self) -> Iterator[str]:
        below = ScoredTier(name="-", enter_at=0.0, leave_below=0.0)
        for tier in self.tiers[1:]:
            if tier.enter_at is None:
                yield f"tier {tier.name} must have enter_at"
                continue
            if tier.enter_at <= (below.enter_at or 0.0):
                yield f"enter_at must rise from tier to tier, got {tier.enter_at:g} for {tier.name}"
            leave, leave_before = _leave(tier), _leave(below)
            if leave > tier.enter_at:
                yield f"leave_below must not be above enter_at, got {leave:g} above {tier.enter_at:g} for {tier.name}"
            if leave <= leave_before and below.name != "-":
                yield f"leave_below must rise from tier to tier, got {leave:g} for {tier.name}"
            below = tier

    def way_up(self, words: Words) -> list[Said]:  # noqa: ARG002
        """Where each tier begins."""
        rungs = [f"{tier.enter_at:g} points or more make {tier.name}" for tier in reversed(self.tiers[1:])]
        return [Said("lifts", f"{', '.join(rungs)}; an account starts at {self.tiers[0].name}")]

    def way_down(self, words: Words) -> list[Said]:  # noqa: ARG002
        """Where each tier is lost."""
        said = []
        for tier in reversed(self.tiers[1:]):
            stay = f", after {length(tier.minimum_stay)} in it at the earliest" if tier.minimum_stay else ""
            said.append(Said("lowers", f"{tier.name} is lost below {_leave(tier):g} points{stay}"))
        return said

    def problems(self, names: Names) -> Iterator[Problem]:
        """Besides what every ladder may have: there must be a score."""
        if not names.scored:
            yield "kind", "is score, but the policy has none: `score` says which dimensions it is the weighted sum of"
        yield from super().problems(names)

    def ladder(self) -> Ladder:
        """The ladder in micro-points."""
        return Ladder(self, [Rung(micro(tier.enter_at or 0.0), micro(_leave(tier))) for tier in self.tiers[1:]])

    def rating(self, name: str, parts: Parts) -> None:
        """It goes by the policy's score."""


def _leave(tier: ScoredTier) -> float:
    return tier.leave_below if tier.leave_below is not None else (tier.enter_at or 0.0)
