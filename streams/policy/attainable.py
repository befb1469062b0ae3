"""Between which scores can an account be, whatever it does? So that a tier which nobody can reach, or nobody can leave, is found.

Bounds are safe: a kind of dimension that is not known here may be anything from 0 to 100.
"""

from collections.abc import Callable
from typing import Any

from streams.dimensions.bands import BandsPart, BandsSpec
from streams.dimensions.rfm import RfmSpec
from streams.dimensions.table import FieldSpec, TableSpec
from streams.kinds import Span
from streams.policy.model import PolicyDocument
from streams.units import micro

ANYTHING = Span(0.0, 100.0)


def attainable_micro(document: PolicyDocument) -> tuple[int, int]:
    """The lowest and the highest score, in micro-points."""
    spans = [(weight, span_of(document.dimensions[name])) for name, weight in document.score.items()]
    return micro(sum(weight * span.low for weight, span in spans)), micro(sum(weight * span.high for weight, span in spans))


def span_of(dimension: Any) -> Span:
    """The least and the most that a dimension can be worth."""
    known = _SPANS.get(type(dimension))
    return ANYTHING if known is None else known(dimension)


def _of_table(spec: TableSpec) -> Span:
    return Span(0.0, sum(field.weight / 100 * _most(field) for field in spec.table.values()))


def _most(field: FieldSpec) -> float:
    return field.at_most if field.values is None else min(max(field.values.values(), default=0.0), field.at_most)


def _of_steps(part: BandsPart) -> Span:
    points = [step.points for step in part.steps]
    return Span(min(points), max(points))


def _of_rfm(spec: RfmSpec) -> Span:
    spans = [(part.weight, _of_steps(part.bands())) for part in spec.rfm.named().values()]
    return Span(sum(weight * span.low for weight, span in spans), min(sum(weight * span.high for weight, span in spans), 100.0))


_SPANS: dict[type, Callable[[Any], Span]] = {TableSpec: _of_table, BandsSpec: lambda spec: _of_steps(spec.bands), RfmSpec: _of_rfm}
