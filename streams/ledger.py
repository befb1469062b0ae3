"""The ledger: integer lines that sum exactly to the score.

Rounding runs top-down: the score is rounded to micro-points first; its parts by dimension, then each part's lines, are
apportioned by largest remainder (streams/rounding.py), so that nothing is lost or made by rounding. Source: law "Ledger".
"""

from typing import NamedTuple

from schemas.records import Contribution
from streams.dossier import Dossier
from streams.kinds import Line, Row
from streams.policy.compiled import CompiledPolicy, Scheme
from streams.rounding import apportioned
from streams.units import MICRO


class Ledger(NamedTuple):
    """Each dimension's part of the score, in policy order, and the lines; both in micro-points, both sum to the score.

    A scheme with a rating of its own has no dimensions: its lines are the rating's, under the scheme's name.
    """

    weighted_micro: list[int]
    contributions: list[Contribution]


def ledger(policy: CompiledPolicy, scheme: Scheme, row: Row, dossier: Dossier, at_ms: int, score_micro: int) -> Ledger:
    """What the scheme's score is made of at `at_ms`."""
    if scheme.rating is None:
        return score_ledger(policy, row, dossier, at_ms, score_micro)
    return Ledger([], contributed(scheme.name, scheme.rating.lines(row, dossier, at_ms), 1.0, score_micro))


def score_ledger(policy: CompiledPolicy, row: Row, dossier: Dossier, at_ms: int, score_micro: int) -> Ledger:
    """What the policy's score is made of at `at_ms`."""
    points = [dimension.at(row, at_ms) for dimension in policy.dimensions]
    weighted = apportioned(score_micro, [weight * point * MICRO for weight, point in zip(policy.weights, points, strict=True)])
    contributions = []
    for dimension, weight, part in zip(policy.dimensions, policy.weights, weighted, strict=True):
        contributions += contributed(dimension.name, dimension.lines(row, dossier, at_ms), weight, part)
    return Ledger(weighted, contributions)


def contributed(name: str, lines: list[Line], weight: float, part_micro: int) -> list[Contribution]:
    """The lines of a dimension that has this part of the score."""
    shares = apportioned(part_micro, [weight * line.points * MICRO for line in lines]) if lines else []
    return [
        Contribution(dimension=name, line=line.label, micro=share, count=line.times, last_at=line.last_ms)
        for line, share in zip(lines, shares, strict=True)
    ]
