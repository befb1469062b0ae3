"""A ladder of tiers over a number: where each tier is entered, where it is lost, and how fast an account may move.

A tier is entered at its threshold (inclusive) and lost below another one (exclusive): [enter, leave). Numbers are compared as integer
micros. What the number is, the scheme says (streams/schemes/rating.py): the weighted score, a measure, or the place of a tier itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

from streams.schemes.spec import LadderSpec
from streams.units import UNBOUNDED


class Rung(NamedTuple):
    """Where a tier above the lowest is entered, and below what it is lost, in micro."""

    enter_micro: int
    leave_micro: int


class Ladder:
    """The compiled ladder. Tiers are numbers from 0, the lowest; times are in ms."""

    def __init__(self, spec: LadderSpec, rungs: Sequence[Rung], *, in_points: bool = True) -> None:
        """`rungs`: of every tier but the lowest. `in_points`: whether a distance on the ladder says anything to people."""
        self.tiers, self.in_points = spec.names(), in_points
        self.stay_ms = [tier.minimum_stay for tier in spec.tiers]
        self.step = spec.steps.at_most if spec.steps else len(self.tiers)
        self._every_ms = spec.steps.every if spec.steps else 0
        self._enter = [-UNBOUNDED, *(rung.enter_micro for rung in rungs), UNBOUNDED]
        self._leave = [-UNBOUNDED, *(rung.leave_micro for rung in rungs)]
        self._thresholds = [sorted({*self._enter[1:-1], *self._leave[1 : tier + 1]}) for tier in range(len(self.tiers))]

    def reached(self, number_micro: int) -> int:
        """The highest tier that the number reaches from below."""
        tier = 0
        while number_micro >= self._enter[tier + 1]:
            tier += 1
        return tier

    def kept(self, number_micro: int, tier: int) -> int:
        """What is left of `tier` under the number, by hysteresis."""
        while number_micro < self._leave[tier]:
            tier -= 1
        return tier

    def thresholds(self, tier: int) -> list[int]:
        """The numbers, rising, at which something can change for an account in `tier`: where tiers are entered, and where it is lost."""
        return self._thresholds[tier]

    def pause_ms(self, tier: int) -> int:
        """The time between a step into `tier` and the next step."""
        return self.stay_ms[tier] if self._every_ms is None else self._every_ms

    def leave_below_micro(self, tier: int) -> int:
        """The number below which `tier` is lost."""
        return self._leave[tier]

    def enter_at_micro(self, tier: int) -> int:
        """The number from which `tier` is reached; UNBOUNDED above the highest."""
        return self._enter[tier]

    def missing_micro(self, tier: int, number_micro: int) -> int | None:
        """How much is missing for `tier`; None above the highest, and where distances say nothing."""
        enter_micro = self._enter[tier]
        return max(enter_micro - number_micro, 0) if self.in_points and enter_micro < UNBOUNDED else None
