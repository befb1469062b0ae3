"""When an account changes next, in compiled code: the search of `streams/deadlines.py`, by halves."""

import numpy as np

from schemas.compiling import allocating, compiled
from streams.forward.cells import Cells, whole
from streams.forward.counts import fresh_until
from streams.forward.plan import HIGH, LIFT, LOW, TRIGGERS, UNBOUNDED, Plan
from streams.forward.scoring import lift_is, next_timer, score_span

HORIZON_MS = 10 * 366 * 86_400_000
MOST_LOOKS = 600
_DEEPEST = 64
_NOTHING = -1


@compiled
def may_change(cells: Cells, plan: Plan, from_ms: int, to_ms: int) -> bool:
    """Whether score or triggers may ask for a decision within [from_ms, to_ms]; exact for one instant."""
    low, high = score_span(cells, plan, from_ms, to_ms)
    for scheme in range(plan.schemes.shape[0]):
        columns = plan.schemes[scheme]
        if low < whole(cells, columns[LOW]) or high >= whole(cells, columns[HIGH]):
            return True
        if columns[TRIGGERS] > 0 and not lift_is(cells, plan, scheme, whole(cells, columns[LIFT]), from_ms, to_ms):
            return True
    return False


@compiled
def rows_fresh_until(cells: Cells, plan: Plan) -> int:
    """Before this instant (ms) the row is enough to evaluate every window."""
    earliest = UNBOUNDED
    for window in range(plan.windows.shape[0]):
        earliest = min(earliest, fresh_until(cells, plan.windows[window, 0], plan.windows[window, 1]))
    return earliest


@compiled
def still_holds(cells: Cells, plan: Plan, from_ms: int, deadline_ms: int) -> bool:
    """Whether a deadline found earlier is still not late, after a record was folded at `from_ms`."""
    if deadline_ms > from_ms + HORIZON_MS or deadline_ms <= from_ms or next_timer(cells, plan) < deadline_ms:
        return False
    return deadline_ms == from_ms + 1 or not may_change(cells, plan, from_ms + 1, deadline_ms - 1)


@compiled
def next_change(cells: Cells, plan: Plan, from_ms: int) -> tuple[int, bool]:
    """The first change after `from_ms`, and whether it is one for certain or only an instant to look again."""
    timer_ms = next_timer(cells, plan)
    if timer_ms <= from_ms:
        return timer_ms, True
    fresh_ms = rows_fresh_until(cells, plan)
    until_ms = min(timer_ms, from_ms + HORIZON_MS, fresh_ms)
    at_ms, exact = _first_change(cells, plan, from_ms, min(until_ms, fresh_ms - 1))
    if at_ms != _NOTHING:
        return at_ms, exact
    return until_ms, until_ms == timer_ms


@allocating
def _first_change(cells: Cells, plan: Plan, after_ms: int, until_ms: int) -> tuple[int, bool]:
    """The first change in (after_ms, until_ms]; a stretch over which the bounds allow none is skipped whole."""
    left_out = np.empty((_DEEPEST, 2), np.int64)
    left_out[0, 0], left_out[0, 1] = after_ms, until_ms
    depth, looks = 1, MOST_LOOKS
    while depth > 0:
        depth -= 1
        low_ms, high_ms = left_out[depth, 0], left_out[depth, 1]
        looks -= 1
        if low_ms >= high_ms or not may_change(cells, plan, low_ms + 1, high_ms):
            continue
        if low_ms + 1 == high_ms:
            return high_ms, True
        if looks <= 0:
            return low_ms + 1, False
        middle_ms = (low_ms + high_ms) // 2
        left_out[depth, 0], left_out[depth, 1] = middle_ms, high_ms
        left_out[depth + 1, 0], left_out[depth + 1, 1] = low_ms, middle_ms
        depth += 2
    return _NOTHING, False
