"""`health`: how well an account is, and what wakes it up when it falls: a mean of dimensions, from 0 to 100 in whole points.

Health falls when it is `drop` points below the best of the last `within`, or in a lower band than that. The fall starts the wake-up
sequence of the account's tier, once; it is over when health is back above the line that it fell below, and only then may it fall
anew, from there. The best of a time is that of every instant in it, whoever looked: what health was worth is kept with each change of a
whole point, by a record or by time. Source: facts 002-34, question Q13.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import Field, field_validator

from streams.clocks.common import Breach, TieredSpec, Warnings, consequences_said
from streams.clocks.watch import Watch
from streams.columns import Column
from streams.dossier import Worth
from streams.kinds import Names, Opener, Problem, Row, unknown
from streams.parts import Parts
from streams.steps import steps
from streams.units import MICRO, PositiveDurationMs, duration_ms, duration_text, micro
from streams.words import Said, Words, length, spaced

_UNKNOWN = -1


class HealthSpec(TieredSpec):
    """What health is made of, and what its fall asks for."""

    of: dict[str, float] = Field(min_length=1, description="dimension -> weight; the weights sum to 1")
    drop: float = Field(default=15, gt=0, le=100, description="so many points below the best of the time is a fall")
    within: PositiveDurationMs = Field(default=duration_ms("30d"), description="the time")
    bands: list[float] = Field(default=[], max_length=16, description="where bands begin, rising; a fall into a lower one is a fall too")
    then: Warnings = Field(description="the wake-up sequence: { action: name }, or tier -> action; a tier without one is not watched")

    @field_validator("of")
    @classmethod
    def _weights(cls, weights: dict[str, float]) -> dict[str, float]:
        if any(weight <= 0 for weight in weights.values()) or abs(sum(weights.values()) - 1) > 1e-9:
            raise ValueError(f"weights must be above 0 and sum to 1, got {sum(weights.values()):g}")
        return weights

    @field_validator("bands")
    @classmethod
    def _rise(cls, bands: list[float]) -> list[float]:
        if any(after <= before for before, after in pairwise(bands)):
            raise ValueError("bands must rise")
        return bands

    def tiered(self) -> Iterator[tuple[str, Any]]:
        """The sequences."""
        yield "then", self.then

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the scheme and its tiers, the dimensions."""
        yield from super().problems(names)
        for name in self.of:
            if name not in names.dimensions:
                yield f"of.{name}", unknown("dimension", name, names.dimensions)

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What it is, and what follows."""
        made_of = ", ".join(f"{weight:.0%} {spaced(name)}" for name, weight in self.of.items())
        falls = f"{consequences_said(self.then, self.then)}, when health falls {self.drop:g} points or more within {length(self.within)}"
        return [Said("is", f"health is {made_of}"), Said("follows", f"{falls}{', or into a lower band' if self.bands else ''}")]

    def watch(self, scheme: str, tiers: tuple[str, ...], parts: Parts) -> "Health":
        """The watch that works on rows."""
        return Health(self, scheme, tiers, parts)


class Health(Watch):
    """The compiled health."""

    def __init__(self, spec: HealthSpec, scheme: str, tiers: tuple[str, ...], parts: Parts) -> None:
        super().__init__("health", "health", spec, scheme, tiers, spec.then, ["health", spec.model_dump(mode="json")])
        self._of = [(parts.dimensions[name], weight) for name, weight in spec.of.items()]
        self._drop, self._within_ms, self._bands = spec.drop, spec.within, spec.bands
        self._points, self._best = "health.points", "health.best"
        self.columns += [Column(part, "<i4", self._meaning, start=_UNKNOWN) for part in (self._points, self._best)]

    def points(self, row: Row, at_ms: int) -> int:
        """Whole points at an instant."""
        return _whole(sum(weight * dimension.at(row, at_ms) for dimension, weight in self._of))

    def _may_turn(self, row: Row, from_ms: int, to_ms: int) -> bool:
        """Whether it may be worth other whole points."""
        spans = [(dimension.span(row, from_ms, to_ms), weight) for dimension, weight in self._of]
        least, most = _whole(sum(weight * span.low for span, weight in spans)), _whole(sum(weight * span.high for span, weight in spans))
        return not least == most == int(row[self._points])

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When one of its dimensions may change."""
        return steps([dimension for dimension, _ in self._of], row, from_ms)

    def _observed(self, row: Row, dossier: Opener, at_ms: int) -> list[Breach]:
        """It is worth other points than before: it fell, it recovered, or neither."""
        points, before = self.points(row, at_ms), int(row[self._points])
        if points == before:
            return []
        row[self._points] = points
        if row[self._on]:
            if not self._fell(int(row[self._best]), points):
                self._end(row)
            return []
        kept = dossier()
        kept.health = _past(kept.health, Worth(at_ms, before), at_ms - self._within_ms) if before != _UNKNOWN else []
        best = max([points, *(worth.points for worth in kept.health)])
        if not self._fell(best, points):
            return []
        row[self._best], kept.health = best, []
        return self._begin(row, at_ms)

    def _fell(self, best: int, points: int) -> bool:
        return best - points >= self._drop or bisect_right(self._bands, points) < bisect_right(self._bands, best)

    def said(self, row: Row) -> str:
        """From where to where."""
        best, points = int(row[self._best]), int(row[self._points])
        return f"health fell from {best} to {points} points within {duration_text(self._within_ms)}; its recovery ends it"

    def shown(self, row: Row) -> dict[str, Any] | None:
        """As people look at it; None before there is any."""
        if int(row[self._points]) == _UNKNOWN:
            return None
        on = bool(row[self._on])
        return {
            "points": int(row[self._points]),
            "fallen_from": int(row[self._best]) if on else None,
            "since_at": int(row[self._since_ms]) if on else None,
        }


def _whole(points: float) -> int:
    return micro(points) // MICRO


def _past(past: list[Worth], last: Worth, from_ms: int) -> list[Worth]:
    """What health was worth since `from_ms`: what a later one was not below is the best of no time."""
    return [*(worth for worth in past if worth.points > last.points and worth.until_ms > from_ms), last]
