"""What pairs of runs say: how much more an event costs in this checkout than in the base, and whether that is too much.

Rules: a pair is one ratio, the pairs' median is the answer; its interval is that of a bootstrap, with a seed, so that the same pairs are
judged the same; too slow is only what is above the limit with its whole interval.
"""

from collections.abc import Sequence
from random import Random
from statistics import median
from typing import NamedTuple

LIMIT = 1.15
FEWEST_PAIRS = 7
PERCENT = 95
AGAIN = "make gate"

_RESAMPLES = 10_000
_SEED = 7


class Pair(NamedTuple):
    """Microseconds of processor time for an event, in both."""

    base_us: float
    head_us: float

    @property
    def ratio(self) -> float:
        """Above 1: this checkout is slower."""
        return self.head_us / self.base_us


class Verdict(NamedTuple):
    """The median ratio and the interval in which the true one is, as far as these pairs can tell."""

    ratio: float
    low: float
    high: float

    @property
    def too_slow(self) -> bool:
        """Slower than the limit allows, beyond noise."""
        return self.low > LIMIT


def judged(pairs: Sequence[Pair]) -> Verdict:
    """What the pairs say. Raises ValueError for fewer than can tell."""
    if len(pairs) < FEWEST_PAIRS:
        raise ValueError(f"a verdict must have at least {FEWEST_PAIRS} pairs, got {len(pairs)}")
    ratios = [pair.ratio for pair in pairs]
    random = Random(_SEED)
    medians = sorted(median(random.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES))
    cut = _RESAMPLES * (100 - PERCENT) // 200
    return Verdict(median(ratios), medians[cut], medians[-1 - cut])


def complaint(verdict: Verdict, base: str) -> str:
    """The one sentence of a failure."""
    return (
        f"an event takes {verdict.ratio:.2f} times the processor time of base {base[:10]} ({PERCENT} % interval {verdict.low:.2f} to "
        f"{verdict.high:.2f}, all of it above the limit {LIMIT:.2f}): `{AGAIN}` measures it again, and if it is meant, "
        '`python -m benchmarks.gate --renew "why"` makes this commit the base'
    )
