"""Rounding that loses nothing: integers near the exact parts of a total that sum to it. Source: largest remainder (Hamilton's method)."""

from collections.abc import Sequence
from math import floor


def apportioned(total: int, exact: Sequence[float]) -> list[int]:
    """Integers near `exact` that sum to `total`: floors first, then one each to the largest remainders (first one first on a tie).

    Raises ValueError if `exact` does not sum to within one of `total` for each part: then it is not a rounding.
    """
    parts = list(map(floor, exact))
    missing = total - sum(parts)
    if abs(missing - len(parts) / 2) > len(parts) / 2 + 1:
        raise ValueError(f"parts that sum to {sum(exact)!r} cannot be rounded to {total}")
    if not missing:
        return parts
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    step = 1 if missing > 0 else -1
    order = by_remainder if missing > 0 else by_remainder[::-1]
    for turn in range(abs(missing)):
        parts[order[turn % len(order)]] += step
    return parts
