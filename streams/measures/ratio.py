"""`ratio`: one measure divided by another, such as repurchases by orders; a number of the policy's while the second is 0."""

from collections.abc import Iterator, Mapping
from math import inf

from pydantic import Field

from schemas.records import Event
from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Opener, Plain, Problem, Row, Span, Spec, latest, unknown
from streams.words import Said, Words

DIVISIBLE = frozenset({"points", "latest", "count", "sum", "distinct_days", "maximum", "mean", "change", "yearly_weighted", "profile"})
"""The kinds of measure that can be divided."""


class RatioSpec(Spec):
    """One measure divided by another."""

    ratio: str = Field(description="the measure that is divided")
    to: str = Field(description="the measure that it is divided by")
    while_zero: float = Field(default=0.0, description="what the ratio is while that one is 0")

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: the measures, and their kinds."""
        for place, measure in (("ratio", self.ratio), ("to", self.to)):
            if measure not in names.measures:
                yield place, unknown("measure", measure, names.measures)
            elif names.measure_kinds.get(measure) not in DIVISIBLE:
                yield place, f"measure {measure!r} must be a number, got kind {names.measure_kinds.get(measure)}"

    def said(self, words: Words) -> list[Said]:
        """One by the other."""
        return [Said("is", f"{words.measure(self.ratio)}, divided by {words.measure(self.to)}")]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Ratio":
        """The measure that works on rows."""
        return Ratio(name, self, measures[self.ratio], measures[self.to])


class Ratio(Plain):
    """The compiled measure: it keeps nothing and folds nothing, it reads the two."""

    topic = ""

    def __init__(self, name: str, spec: RatioSpec, upper: Measure, lower: Measure) -> None:
        self.jumps = upper.jumps or lower.jumps
        self.name, self._upper, self._lower, self._while_zero = name, upper, lower, spec.while_zero
        self._label = f"{spec.ratio} / {spec.to}"
        self.columns: list[Column] = []

    def fold(self, row: Row, record: Event, event: int, dossier: Opener) -> bool:  # noqa: ARG002
        """Nothing: the two measures fold for themselves."""
        return False

    def at(self, row: Row, at_ms: int) -> float:
        """The ratio."""
        lower = self._lower.at(row, at_ms)
        return self._upper.at(row, at_ms) / lower if lower else self._while_zero

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """Every quotient of the two spans; without bounds where the second comes near 0."""
        upper, lower = self._upper.span(row, from_ms, to_ms), self._lower.span(row, from_ms, to_ms)
        if lower.low == lower.high == 0:
            return Span(self._while_zero, self._while_zero)
        if lower.low > 0 or lower.high < 0:
            quotients = [above / below for above in upper for below in lower]
            return Span(min(quotients), max(quotients))
        if lower.low == 0 and upper.low >= 0:
            return Span(min(upper.low / lower.high, self._while_zero), inf)
        return Span(-inf, inf)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """One line."""
        behind = [*self._upper.lines(row, dossier, at_ms), *self._lower.lines(row, dossier, at_ms)]
        return [Line(self._label, self.at(row, at_ms), last_ms=latest(behind))]
