"""`weighted`: a weighted sum of dimensions of its own, with its own thresholds; what `score` is to the policy, for one track.

Source: facts 000-05 (other weights in another track), 003-03 (a model for each kind of customer).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Dimension, Line, Measure, Names, Problem, Row, Span, unknown
from streams.parts import Parts
from streams.schemes.ladder import Rung
from streams.schemes.model import Model, PointedSpec, Rungs, tier_problems
from streams.steps import steps
from streams.units import micro, points_text
from streams.words import Said, Words, both, spaced


class WeightedModel(Model):
    """Dimensions, weighted, and where tiers begin."""

    weights: dict[str, float] = Field(min_length=1, description="dimension -> weight; the weights sum to 1")
    enter_at: dict[str, float] = Field(min_length=1, description="tier -> sum from which it is had (inclusive), rising; not for the lowest")

    @field_validator("weights")
    @classmethod
    def _sum_to_one(cls, weights: dict[str, float]) -> dict[str, float]:
        if any(weight <= 0 for weight in weights.values()) or abs(sum(weights.values()) - 1) > 1e-9:
            raise ValueError(f"weights must be above 0 and sum to 1, got {', '.join(f'{weight:g}' for weight in weights.values())}")
        return weights

    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References: dimensions, and every tier but the lowest."""
        for name in self.weights:
            if name not in names.dimensions:
                yield f"weights.{name}", unknown("dimension", name, names.dimensions)
        yield from tier_problems("enter_at", list(self.enter_at), tiers[1:])
        yield from (("enter_at", f"tier {tier} is missing") for tier in tiers[1:] if tier not in self.enter_at)
        ordered = [self.enter_at[tier] for tier in tiers[1:] if tier in self.enter_at]
        if any(two <= one for one, two in pairwise(ordered)) or any(not 0 < points <= 100 for points in ordered):
            yield "enter_at", "must be above 0, at most 100, and rise from tier to tier"

    def model_said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What is weighted, and where tiers begin."""
        weights = both([f"{spaced(name)} {weight:.0%}" for name, weight in self.weights.items()])
        return [Said("lifts", f"{weights}: {both([f'{tier} from {points:g} on' for tier, points in self.enter_at.items()])}")]

    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Tiers by the sum."""
        return Rungs([Rung(micro(self.enter_at[tier]), micro(self.enter_at[tier])) for tier in tiers[1:]], in_points=True)

    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> "Weighted":  # noqa: ARG002
        """The rating that works on rows."""
        return Weighted([(weight, parts.dimensions[name]) for name, weight in self.weights.items()])


class WeightedSpec(PointedSpec, WeightedModel):
    """A ladder over a weighted sum of its own."""

    kind: Literal["weighted"]


class Weighted:
    """The compiled rating."""

    topics: tuple[str, ...] = ()
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, parts: list[tuple[float, Dimension]]) -> None:
        self._parts = parts
        self.columns: list[Column] = []

    def recall(self, row: Row, dossier: Dossier) -> None:
        """The dimensions recall for themselves."""

    def at(self, row: Row, at_ms: int) -> float:
        """The sum, 0 to 100."""
        return sum(weight * dimension.at(row, at_ms) for weight, dimension in self._parts)

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The bounds of the dimensions, weighted."""
        spans = [(weight, dimension.span(row, from_ms, to_ms)) for weight, dimension in self._parts]
        return Span(sum(weight * span.low for weight, span in spans), sum(weight * span.high for weight, span in spans))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When a dimension may change."""
        return steps([dimension for _, dimension in self._parts], row, from_ms)

    def points(self, row: Row, at_ms: int) -> float:
        """The sum."""
        return self.at(row, at_ms)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """The lines of the dimensions, weighted."""
        return [
            line._replace(label=f"{dimension.name}: {line.label}", points=weight * line.points)
            for weight, dimension in self._parts
            for line in dimension.lines(row, dossier, at_ms)
        ]

    def says(self, row: Row, at_ms: int) -> str:
        """The sum in words."""
        return f"score {points_text(micro(self.at(row, at_ms)))}"
