"""Between which scores can an account be, whatever it does? So that a tier which nobody can reach, or nobody can leave, is found.

Bounds are safe: a kind of dimension that is not known here may be anything from 0 to 100.
"""

from collections.abc import Callable, Mapping
from typing import Any

from streams.dimensions.bands import BandsPart, BandsSpec
from streams.dimensions.rfm import RfmSpec
from streams.dimensions.table import FieldSpec, TableSpec
from streams.kinds import Span
from streams.policy.model import PolicyDocument
from streams.schemes.bands import BandsModel
from streams.schemes.weighted import WeightedModel
from streams.units import micro

ANYTHING = Span(0.0, 100.0)


def attainable_micro(document: PolicyDocument) -> tuple[int, int]:
    """The lowest and the highest score, in micro-points."""
    spans = [(weight, span_of(document.dimensions[name])) for name, weight in document.score.items()]
    return micro(sum(weight * span.low for weight, span in spans)), micro(sum(weight * span.high for weight, span in spans))


def rating_of(document: PolicyDocument, spec: Any) -> tuple[dict[str, float], float] | None:
    """Of a scheme with a rating of its own in points: where each tier but the lowest begins, and the most that an account can have."""
    tiers = [tier.name for tier in getattr(spec, "tiers", [])]
    if isinstance(spec, BandsModel):
        most = sum(each.weight / 100 * _most_points(spec, each.conditions(), tiers) for each in spec.indicators.values())
        return dict(zip(tiers[1:], spec.begins(tiers), strict=True)), most
    if isinstance(spec, WeightedModel):
        most = sum(weight * span_of(document.dimensions[name]).high for name, weight in spec.weights.items())
        return dict(spec.enter_at), most
    return None


def _most_points(spec: BandsModel, conditions: Mapping[str, Any], tiers: list[str]) -> float:
    """What an indicator gives at best: the points of the highest tier that it can make an account look like."""
    return max((spec.points[tier] for tier in conditions), default=spec.points[tiers[0]])


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
