"""From the ledger's integers, which compiled code has summed up, to its lines with their names.

A dimension whose lines compiled code does not know is asked for them, and Python apportions its part, as `streams/ledger.py` does for all.
"""

import numpy as np

from schemas.records import Contribution
from streams.dimensions.linear import LinearSpec
from streams.dossier import Dossier
from streams.forward import accounting as a
from streams.forward.plan import Plan
from streams.forward.tales import Tales
from streams.kinds import Row
from streams.ledger import Ledger, contributed
from streams.measures.decayed import DecayedSpec
from streams.policy.compiled import CompiledPolicy

_ENDS = ["limited", "from"]
"""The names of lines that are no kind's, which count from behind."""


class Labeller:
    """Makes the ledgers of tales told under one policy."""

    def __init__(self, policy: CompiledPolicy, plan: Plan, tales: int) -> None:
        """`tales`: the most that are told at once."""
        self._policy, self._plan = policy, plan
        self._sums = a.room_for_sums(plan, tales)
        self._names = [_names(policy, name) for name in policy.document.score]

    def sum_up(self, tales: Tales) -> None:
        """Have the ledger of every tale summed up."""
        a.summed(tales, tales.rows.view(np.float64), self._plan.plan, self._plan.numbers, self._sums)

    def ledger(self, place: int, row: Row, dossier: Dossier, at_ms: int) -> Ledger | None:
        """The ledger of one tale; None: it does not come out, and whoever makes it in Python will say so."""
        sums, begin, contributions = self._sums, 0, list[Contribution]()
        if not sums.fit[place]:
            return None
        weighted, lines = sums.weighted[place].tolist(), sums.lines[place].tolist()
        about = zip(self._policy.dimensions, sums.numbers[place].tolist(), self._names, self._policy.weights, weighted, strict=True)
        for dimension, count, names, weight, part in about:
            if count == a.NOT_KNOWN:
                contributions += contributed(dimension.name, dimension.lines(row, dossier, at_ms), weight, part)
                continue
            contributions += [
                Contribution(
                    dimension=dimension.name,
                    line=names[line],
                    micro=share,
                    count=None if times == a.NOT_KNOWN else times,
                    last_at=last_ms or None,
                )
                for line, share, times, last_ms in lines[begin : begin + count]
            ]
            begin += count
        return Ledger(weighted, contributions)


def _names(policy: CompiledPolicy, dimension: str) -> list[str]:
    """The names of a dimension's lines by number; nothing for one whose lines compiled code does not know."""
    spec = policy.document.dimensions[dimension]
    measure = policy.document.measures[spec.linear.measure] if isinstance(spec, LinearSpec) else None
    return [*measure.points, *_ENDS] if isinstance(measure, DecayedSpec) else []
