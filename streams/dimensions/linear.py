"""`linear`: a measure stretched over 0 to 100: `from` is worth 0, `to` is worth 100, beyond it is cut off."""

from collections.abc import Iterator, Mapping

from pydantic import Field, model_validator

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec, clamped, unknown
from streams.units import Quantity
from streams.words import Said, Words


class Stretch(Spec):
    """Which measure, and its range."""

    measure: str
    from_: Quantity = Field(alias="from", description="worth 0 points")
    to: Quantity = Field(description="worth 100 points")

    @model_validator(mode="after")
    def _is_a_range(self) -> "Stretch":
        if not self.from_ < self.to:
            raise ValueError(f"from must be below to, got {self.from_:g} and {self.to:g}")
        return self


class LinearSpec(Spec):
    """A measure stretched over 0 to 100."""

    linear: Stretch

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measure."""
        if self.linear.measure not in names.measures:
            yield "linear.measure", unknown("measure", self.linear.measure, names.measures)

    def said(self, words: Words) -> list[Said]:
        """The range."""
        low, high = (words.number(self.linear.measure, end) for end in (self.linear.from_, self.linear.to))
        return [Said("is", f"{words.called(self.linear.measure)}, from {low} (worth 0) to {high} (worth 100)")]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Linear":
        """The dimension that works on rows."""
        return Linear(name, self.linear, measures[self.linear.measure])


class Linear:
    """The compiled dimension."""

    topics: tuple[str, ...] = ()
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, name: str, stretch: Stretch, measure: Measure) -> None:
        self.name, self._measure = name, measure
        self._from, self._factor = stretch.from_, 100.0 / (stretch.to - stretch.from_)
        self.columns: list[Column] = []

    def at(self, row: Row, at_ms: int) -> float:
        """0 to 100."""
        return self._stretched(self._measure.at(row, at_ms))

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The measure's bounds, stretched."""
        low, high = self._measure.span(row, from_ms, to_ms)
        return Span(self._stretched(low), self._stretched(high))

    def _stretched(self, measured: float) -> float:
        return min(max((measured - self._from) * self._factor, 0.0), 100.0)

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Nothing here comes from the dossier."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """The measure's lines in points of this dimension."""
        factor, found = self._factor, self._measure.lines(row, dossier, at_ms)
        lines = [Line(label, points * factor, times, last_ms) for label, points, times, last_ms in found]
        if self._from:
            lines.append(Line("from", -self._from * self._factor))
        return clamped(lines, self.at(row, at_ms))
