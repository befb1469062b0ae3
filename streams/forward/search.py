"""When an account changes next, in compiled code: the search of `streams/deadlines.py`, by halves."""

import numpy as np

from schemas.compiling import allocating, compiled
from streams.forward.cells import State, whole
from streams.forward.counts import covers, fresh_until
from streams.forward.plan import (
    HIGH,
    LIFT,
    LOW,
    SCHEME_END,
    SCHEME_WIDTH,
    SCHEMES,
    TRIGGER_END,
    TRIGGERS,
    WINDOW_AT,
    WINDOW_END,
    WINDOW_HOLDS,
    WINDOW_PLACES,
    WINDOW_WIDTH,
    WINDOWS,
)
from streams.forward.scoring import lift_is, next_timer, score_span
from streams.units import UNBOUNDED

HORIZON_MS = 10 * 366 * 86_400_000
"""How far ahead the search looks; beyond it, it looks again."""

MOST_LOOKS = 600
_DEEPEST = 64
_NOTHING = -1


@compiled
def may_change(state: State, from_ms: int, to_ms: int) -> bool:
    """Whether score or triggers may ask for a decision within [from_ms, to_ms]; exact for one instant."""
    words, plan = state.words, state.plan
    low, high = score_span(state, from_ms, to_ms)
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        if low < whole(words, plan[scheme + LOW]) or high >= whole(words, plan[scheme + HIGH]):
            return True
        has_triggers = plan[scheme + TRIGGERS] < plan[scheme + TRIGGER_END]
        if has_triggers and not lift_is(state, scheme, whole(words, plan[scheme + LIFT]), from_ms, to_ms):
            return True
    return False


@compiled
def is_covered(state: State, at_ms: int) -> bool:
    """Whether the row knows every window at an instant."""
    plan = state.plan
    for window in range(plan[WINDOWS], plan[WINDOW_END], WINDOW_WIDTH):
        if not covers(state.words, plan[window + WINDOW_AT], plan[window + WINDOW_HOLDS], plan[window + WINDOW_PLACES], at_ms):
            return False
    return True


@compiled
def _all_fresh_until(state: State) -> int:
    """Before this instant (ms) the row is enough to evaluate every window."""
    plan, earliest = state.plan, UNBOUNDED
    for window in range(plan[WINDOWS], plan[WINDOW_END], WINDOW_WIDTH):
        fresh_ms = fresh_until(state.words, plan[window + WINDOW_AT], plan[window + WINDOW_HOLDS], plan[window + WINDOW_PLACES])
        earliest = min(earliest, fresh_ms)
    return earliest


@compiled
def still_holds(state: State, from_ms: int, deadline_ms: int) -> bool:
    """Whether a deadline found earlier is still not late, after a record was folded at `from_ms`."""
    if deadline_ms > from_ms + HORIZON_MS or deadline_ms <= from_ms or next_timer(state) < deadline_ms:
        return False
    return deadline_ms == from_ms + 1 or not may_change(state, from_ms + 1, deadline_ms - 1)


@compiled
def next_change(state: State, from_ms: int) -> tuple[int, bool]:
    """The first change after `from_ms`, and whether it is one for certain or only an instant to look again."""
    timer_ms = next_timer(state)
    if timer_ms <= from_ms:
        return timer_ms, True
    fresh_ms = _all_fresh_until(state)
    until_ms = min(timer_ms, from_ms + HORIZON_MS, fresh_ms)
    at_ms, exact = _first_change(state, from_ms, min(until_ms, fresh_ms - 1))
    if at_ms != _NOTHING:
        return at_ms, exact
    return until_ms, until_ms == timer_ms


@allocating
def _first_change(state: State, after_ms: int, until_ms: int) -> tuple[int, bool]:
    """The first change in (after_ms, until_ms]; a stretch over which the bounds allow none is skipped whole."""
    stretches = np.empty((_DEEPEST, 2), np.int64)
    stretches[0, 0], stretches[0, 1] = after_ms, until_ms
    left, looks = 1, MOST_LOOKS
    while left > 0:
        left -= 1
        low_ms, high_ms = stretches[left, 0], stretches[left, 1]
        looks -= 1
        if low_ms >= high_ms or not may_change(state, low_ms + 1, high_ms):
            continue
        if low_ms + 1 == high_ms:
            return high_ms, True
        if looks <= 0:
            return low_ms + 1, False
        middle_ms = (low_ms + high_ms) // 2
        stretches[left, 0], stretches[left, 1] = middle_ms, high_ms
        stretches[left + 1, 0], stretches[left + 1, 1] = low_ms, middle_ms
        left += 2
    return _NOTHING, False
