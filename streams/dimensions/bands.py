"""`bands`: a measure looked up in steps: below this so many points, below that so many, the rest so many. [step, next step).

The bands are half-open: a number that is equal to `below` belongs to the next step. Where the measure is a time, steps are
durations; where it is money, they are whole units of the policy's currency.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import inf

from pydantic import Field, model_validator

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec, one_line, unknown
from streams.steps import SteppingMeasure
from streams.units import Quantity
from streams.words import Said, Words


class BandStep(Spec):
    """Points for what is below a number; the last step is for the rest."""

    below: Quantity | None = Field(default=None, description="the end of the step, not part of it; the last step has none")
    points: float = Field(ge=0, le=100)


class BandsPart(Spec):
    """A measure and its steps."""

    measure: str
    steps: list[BandStep] = Field(min_length=1, max_length=64, description="lowest first; the last one is for the rest")

    @model_validator(mode="after")
    def _rises(self) -> "BandsPart":
        ends = [step.below for step in self.steps]
        if ends[-1] is not None or None in ends[:-1]:
            raise ValueError("every step but the last must have `below`; the last one is for the rest")
        if any(one >= two for one, two in pairwise(end for end in ends if end is not None)):
            raise ValueError("`below` must rise from step to step")
        return self

    def steps_said(self, words: Words) -> str:
        """The steps on a line: `below 30 days worth 100, below 90 days worth 60, beyond worth 0`."""
        ends = ["beyond" if step.below is None else f"below {words.number(self.measure, step.below)}" for step in self.steps]
        return ", ".join(f"{end} worth {step.points:g}" for end, step in zip(ends, self.steps, strict=True))

    def measure_problems(self, place: str, names: Names) -> Iterator[Problem]:
        """References: the measure."""
        if self.measure not in names.measures:
            yield f"{place}.measure", unknown("measure", self.measure, names.measures)


class BandsSpec(Spec):
    """A measure looked up in steps."""

    bands: BandsPart

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measure."""
        yield from self.bands.measure_problems("bands", names)

    def said(self, words: Words) -> list[Said]:
        """The measure and its steps."""
        return [Said("is", f"{words.measure(self.bands.measure)}: {self.bands.steps_said(words)}")]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Bands":
        """The dimension that works on rows."""
        return Bands(name, Banded(self.bands, measures[self.bands.measure]))


class Banded:
    """A measure's number in points."""

    def __init__(self, part: BandsPart, measure: Measure) -> None:
        self._measure, self._name = measure, part.measure
        self._ends = [inf if step.below is None else step.below for step in part.steps[:-1]]
        self._points = [step.points for step in part.steps]
        self._stepping = measure if isinstance(measure, SteppingMeasure) else None

    def at(self, row: Row, at_ms: int) -> float:
        """Points, 0 to 100."""
        return self._points[bisect_right(self._ends, self._measure.at(row, at_ms))]

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The least and the most points of the steps that the measure's bounds reach."""
        low, high = self._measure.span(row, from_ms, to_ms)
        reached = self._points[bisect_right(self._ends, low) : bisect_right(self._ends, high) + 1]
        return Span(min(reached), max(reached))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When it may change; None if the measure does not move in steps."""
        return None if self._stepping is None else self._stepping.steps(row, from_ms, self._ends)

    def line(self, row: Row, dossier: Dossier, at_ms: int) -> Line:
        """The points, and how many records are behind the number and when the last of them happened, where that is known."""
        return one_line(self._name, self.at(row, at_ms), self._measure.lines(row, dossier, at_ms))


class Bands:
    """The compiled dimension."""

    topics: tuple[str, ...] = ()
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, name: str, banded: Banded) -> None:
        self.name, self._banded = name, banded
        self.columns: list[Column] = []

    def at(self, row: Row, at_ms: int) -> float:
        """0 to 100."""
        return self._banded.at(row, at_ms)

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """What the steps give for the measure's bounds."""
        return self._banded.span(row, from_ms, to_ms)

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When the measure comes into another band."""
        return self._banded.steps(row, from_ms)

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Nothing here comes from the dossier."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """One line."""
        return [self._banded.line(row, dossier, at_ms)]
