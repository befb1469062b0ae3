"""`percentile`: where a measure stands among all accounts, against breakpoints that are policy data, never the live population.

A breakpoint says which percentage of the accounts was at or below a number on the day of calibration (`tierstream policy calibrate`).
Between two of them the percentage is interpolated; below the first and above the last it is theirs. So an account's worth does not
move because others do, and a replay needs nothing but the policy.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec, one_line, unknown
from streams.units import Quantity
from streams.words import Said, Words


class Breakpoint(Spec):
    """So many percent of the accounts were at or below this number."""

    at: Quantity = Field(description="the number of the measure")
    percent: float = Field(ge=0, le=100, description="how many percent of the accounts were at or below it")


class PercentilePart(Spec):
    """A measure and its breakpoints."""

    measure: str
    breakpoints: list[Breakpoint] = Field(min_length=2, max_length=101, description="rising, as `tierstream policy calibrate` prints them")
    best: Literal["high", "low"] = Field(default="high", description="which end of the measure is worth 100")

    @model_validator(mode="after")
    def _rises(self) -> "PercentilePart":
        for below, above in pairwise(self.breakpoints):
            if not (below.at < above.at and below.percent < above.percent):
                raise ValueError(
                    f"breakpoints must rise in `at` and in `percent`, got {above.at:g} at {above.percent:g} % after {below.at:g}"
                )
        return self


class PercentileSpec(Spec):
    """Where a measure stands among all accounts."""

    percentile: PercentilePart

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measure."""
        if self.percentile.measure not in names.measures:
            yield "percentile.measure", unknown("measure", self.percentile.measure, names.measures)

    def said(self, words: Words) -> list[Said]:
        """The measure and what it is held against."""
        part = self.percentile
        points = [f"{words.number(part.measure, each.at)} is {each.percent:g} %" for each in part.breakpoints]
        turned = "; the less the better" if part.best == "low" else ""
        return [Said("is", f"{words.called(part.measure)} among all accounts, as calibrated: {', '.join(points)}{turned}")]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Percentile":
        """The dimension that works on rows."""
        return Percentile(name, self.percentile, measures[self.percentile.measure])


class Percentile:
    """The compiled dimension."""

    topics: tuple[str, ...] = ()
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, name: str, part: PercentilePart, measure: Measure) -> None:
        self.name, self._measure, self._label = name, measure, part.measure
        self._ats = [each.at for each in part.breakpoints]
        self._percents = [each.percent if part.best == "high" else 100.0 - each.percent for each in part.breakpoints]
        self.columns: list[Column] = []

    def at(self, row: Row, at_ms: int) -> float:
        """0 to 100."""
        return self._ranked(self._measure.at(row, at_ms))

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The ranks of the measure's bounds: between them it only rises, or only falls."""
        low, high = (self._ranked(bound) for bound in self._measure.span(row, from_ms, to_ms))
        return Span(min(low, high), max(low, high))

    def _ranked(self, measured: float) -> float:
        above = bisect_right(self._ats, measured)
        if above == 0 or above == len(self._ats):
            return self._percents[0 if above == 0 else -1]
        begin, end = self._ats[above - 1], self._ats[above]
        low, high = self._percents[above - 1], self._percents[above]
        return low + (high - low) * ((measured - begin) / (end - begin))

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Nothing here comes from the dossier."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """One line, with what is behind the number."""
        return [one_line(self._label, self.at(row, at_ms), self._measure.lines(row, dossier, at_ms))]
