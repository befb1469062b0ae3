"""How time moves an account when nothing arrives: when is the next change, and what is it?

Fading is followed by safe strides: how fast a score can move is known and only falls, so it cannot reach a threshold sooner than its
distance divided by that; the strides shrink towards a crossing and end at its first millisecond. Nothing is assumed of direction.
"""

import math
from typing import NamedTuple

from tests.oracle.grading import Account, Points, Quiet, Standing

MOST_STRIDES = 100_000
NEVER = math.inf


class Change(NamedTuple):
    """Something is due. `clocks`: those that run out then; `uncovered`: the places where an override expires, which happens alone; neither
    if the score has crossed a threshold.

    `nudge`: so many micro-points more or less decide it, where two ways of the same arithmetic may round differently.
    """

    at_ms: int
    clocks: tuple[Quiet, ...]
    nudge: int = 0
    uncovered: tuple[Standing, ...] = ()


def next_change(account: Account, until_ms: float) -> Change | None:
    """The first change after the account's clock and up to `until_ms`; a clock that is overdue is due at its own time."""
    timer_ms = timer(account)
    crossing_ms = crossing(account, min(timer_ms, until_ms))
    if crossing_ms is not None and crossing_ms < timer_ms:
        return Change(crossing_ms, ())
    if timer_ms > until_ms:
        return None
    if uncovered := tuple(standing for standing in account.standing.values() if standing.uncovered_ms() <= timer_ms):
        return Change(int(timer_ms), (), uncovered=uncovered)
    return Change(int(timer_ms), tuple(clock for clock in account.clocks.values() if clock.due_ms() <= timer_ms))


def timer(account: Account) -> float:
    """The next instant that is set already: a clock runs out, or an override expires."""
    clocks = (clock.due_ms() for clock in account.clocks.values())
    return min((*clocks, *(standing.uncovered_ms() for standing in account.standing.values())), default=NEVER)


def crossing(account: Account, until_ms: float) -> int | None:
    """The first millisecond after the account's clock, up to `until_ms`, at which the rounded score earns another tier."""
    if account.calm_ms is None:
        account.calm_ms = account.clock_ms + stride(account, account.clock_ms)
    for _ in range(MOST_STRIDES):
        if account.calm_ms > until_ms:
            return None
        at_ms = int(account.calm_ms)
        if any(standing.aim(round_score(account, at_ms)) != standing.earned for standing in account.standing.values()):
            return at_ms
        account.calm_ms = at_ms + stride(account, at_ms)
    raise AssertionError(f"no end to the strides of an account at {account.clock_ms}")


def calm_until(account: Account) -> float:
    """Before this, nothing is due."""
    assert account.calm_ms is not None
    return min(account.calm_ms, timer(account))


def round_score(account: Account, at_ms: int) -> int:
    """The score in micro-points, halves up."""
    return math.floor(account.score(account.points(at_ms)) * 1_000_000 + 0.5)


def stride(account: Account, at_ms: int) -> float:
    """So many milliseconds can pass at least until the score earns another tier; at least one, infinite if it never can."""
    room = _room(account, account.score(account.points(at_ms)))
    moving = list(_moving(account, at_ms))
    if math.fsum(max(far - slack, 0.0) for _, slack, far in moving) < room:
        return NEVER

    def reach(length_ms: float) -> float:
        return math.fsum(max(pace * length_ms - slack, 0.0) for pace, slack, _ in moving)

    length_ms = 1.0
    while reach(2 * length_ms) < room:
        length_ms *= 2
    return length_ms


def _room(account: Account, score: float) -> float:
    """How far the score is from the nearest number that rounds to another tier, less what floats may be wrong by."""
    edges = [(edge - 0.5) / 1e6 for standing in account.standing.values() for edge in {*standing.enter, *standing.leave} if edge > -1e12]
    return min((abs(score - edge) for edge in edges), default=NEVER) - 1e-11


def _moving(account: Account, at_ms: int) -> "list[tuple[float, float, float]]":
    """Of each dimension that time moves, in points of the score: its pace, how far it is outside its limits, how far it can go."""
    found = []
    for name, weight in account.policy["score"].items():
        linear = account.policy["dimensions"][name].get("linear")
        measure = account.measures[linear["measure"]] if linear else None
        if linear is None or not isinstance(measure, Points):
            continue
        factor, now = weight * 100.0 / (linear["to"] - linear["from"]), measure.at(at_ms)
        slack = max(now - linear["to"], linear["from"] - now, 0.0)
        found.append((factor * measure.pace(at_ms), factor * slack, factor * measure.restless(at_ms)))
    return found
