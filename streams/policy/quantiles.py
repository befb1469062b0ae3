"""Which breakpoints follow from real data? Quantiles of a measure over accounts, ready to be pasted into a policy.

A quantile is the smallest number that so many of the accounts are at or below: a number that some account really has. Numbers that many
accounts share are one breakpoint, with the largest percentage that is at or below it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, isinf
from typing import Any, NamedTuple

from streams.units import DAY_MS, duration_text


class Breakpoints(NamedTuple):
    """Rising numbers, each with the percentage of the accounts that are at or below it. `endless`: accounts without a number."""

    measure: str
    accounts: int
    endless: int
    points: list[tuple[float, float]]


def breakpoints(measure: str, numbers: Sequence[float], classes: int) -> Breakpoints:
    """The quantiles that divide accounts into so many classes, and the least and the greatest number."""
    finite = sorted(number for number in numbers if not isinf(number))
    found: dict[float, float] = {}
    for part in range(classes + 1) if finite else ():
        number = finite[max(ceil(len(finite) * part / classes) - 1, 0)]
        found[number] = 100 * bisect_right(finite, number) / len(finite)
    return Breakpoints(measure, len(numbers), len(numbers) - len(finite), sorted(found.items()))


def snippet(kind: str, found: Breakpoints, *, is_time: bool) -> dict[str, Any]:
    """The dimension as a policy writes it, of one of the kinds `percentile`, `bands`, `rfm` (a part of one)."""
    written = [(_written(at, is_time=is_time), round(percent, 2)) for at, percent in found.points]
    inner = list(dict.fromkeys(at for at, _ in written[1:-1]))
    best = {"best": "low"} if is_time else {}
    if kind == "percentile":
        rising = dict(written)  # what is written alike is one breakpoint
        return {"percentile": {"measure": found.measure, **best, "breakpoints": [{"at": at, "percent": p} for at, p in rising.items()]}}
    if kind == "rfm":
        return {"measure": found.measure, **best, "breakpoints": inner}
    points = [round(100 * place / len(inner)) if inner else 100 for place in range(len(inner) + 1)]
    worth = points[::-1] if is_time else points
    steps = [{"below": at, "points": each} for at, each in zip(inner, worth, strict=False)]
    return {"bands": {"measure": found.measure, "steps": [*steps, {"points": worth[-1]}]}}


def _written(number: float, *, is_time: bool) -> Any:
    """A number as people write it; a time in whole days where it is longer than two."""
    if is_time:
        whole = round(number / DAY_MS) * DAY_MS if number >= 2 * DAY_MS else round(number)
        return duration_text(whole) if whole else "0s"
    return int(number) if float(number).is_integer() else float(f"{number:.6g}")
