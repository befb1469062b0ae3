"""`rfm`: recency, frequency and monetary worth, each a measure of the policy's choice in steps, weighted.

What the three mean is the policy's: days since the last order, orders, revenue; or days since the last use, days of use, revenue
per month; or project amounts. Steps are written out, or follow from breakpoints that give equal points to each class.
Source: facts 002-21, 002-31.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, model_validator

from streams.columns import Column
from streams.dimensions.bands import Banded, BandsPart, BandStep
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec, unknown
from streams.units import Quantity
from streams.words import Said, Words


class RfmPart(Spec):
    """One of the three: a measure, its weight, and steps or breakpoints."""

    measure: str
    weight: float = Field(gt=0, le=1, description="share of the dimension; the three sum to 1")
    steps: list[BandStep] | None = Field(
        default=None, min_length=1, max_length=64, description="lowest first; the last one is for the rest"
    )
    breakpoints: list[Quantity] | None = Field(
        default=None, min_length=1, max_length=63, description="where one class ends and the next begins"
    )
    best: Literal["high", "low"] = Field(default="high", description="with breakpoints: which end is worth 100; the other is worth 0")

    @model_validator(mode="after")
    def _one_way(self) -> "RfmPart":
        if (self.steps is None) == (self.breakpoints is None):
            raise ValueError("must have either steps (below -> points) or breakpoints (classes of equal points)")
        self.bands()
        return self

    def bands(self) -> BandsPart:
        """The part in steps. Raises ValueError if they do not rise."""
        if self.breakpoints is None:
            return BandsPart(measure=self.measure, steps=self.steps or [])
        classes = len(self.breakpoints)
        points = [100 * rank / classes for rank in range(classes + 1)]
        ends = [*self.breakpoints, None]
        ranked = points if self.best == "high" else points[::-1]
        return BandsPart(measure=self.measure, steps=[BandStep(below=end, points=worth) for end, worth in zip(ends, ranked, strict=True)])


class RfmParts(Spec):
    """The three."""

    recency: RfmPart
    frequency: RfmPart
    monetary: RfmPart

    @model_validator(mode="after")
    def _weights(self) -> "RfmParts":
        total = self.recency.weight + self.frequency.weight + self.monetary.weight
        if abs(total - 1) > 1e-9:
            raise ValueError(f"weights must sum to 1, got {total:g}")
        return self

    def named(self) -> dict[str, RfmPart]:
        """The three by name."""
        return {"recency": self.recency, "frequency": self.frequency, "monetary": self.monetary}


class RfmSpec(Spec):
    """Recency, frequency, monetary."""

    rfm: RfmParts

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measures."""
        for part, spec in self.rfm.named().items():
            if spec.measure not in names.measures:
                yield f"rfm.{part}.measure", unknown("measure", spec.measure, names.measures)

    def said(self, words: Words) -> list[Said]:
        """What each of the three means here."""
        return [
            Said("is", f"{part} {spec.weight:.0%}: {words.measure(spec.measure)}: {spec.bands().steps_said(words)}")
            for part, spec in self.rfm.named().items()
        ]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Rfm":
        """The dimension that works on rows."""
        return Rfm(name, {part: (spec.weight, Banded(spec.bands(), measures[spec.measure])) for part, spec in self.rfm.named().items()})


class Rfm:
    """The compiled dimension."""

    topics: tuple[str, ...] = ()
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, name: str, parts: Mapping[str, tuple[float, Banded]]) -> None:
        self.name, self._parts = name, parts
        self.columns: list[Column] = []

    def at(self, row: Row, at_ms: int) -> float:
        """0 to 100."""
        return min(sum(weight * banded.at(row, at_ms) for weight, banded in self._parts.values()), 100.0)

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The bounds of the three, weighted."""
        spans = [(weight, banded.span(row, from_ms, to_ms)) for weight, banded in self._parts.values()]
        low, high = sum(weight * span.low for weight, span in spans), sum(weight * span.high for weight, span in spans)
        return Span(min(low, 100.0), min(high, 100.0))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When one of the three comes into another class."""
        found: list[int] = []
        for _, banded in self._parts.values():
            own = banded.steps(row, from_ms)
            if own is None:
                return None
            found += own
        return found

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Nothing here comes from the dossier."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """One line for each of the three."""
        found = [(part, weight, banded.line(row, dossier, at_ms)) for part, (weight, banded) in self._parts.items()]
        return [line._replace(label=f"{part}: {line.label}", points=weight * line.points) for part, weight, line in found]
