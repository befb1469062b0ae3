"""The ledger's integers in compiled code, as `streams/ledger.py` has them, for all tales at once.

What the score has of each dimension, and the lines of dimensions made of points that fade; the lines of every other dimension are Python's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.forward.cells import State, nth, whole
from streams.forward.plan import (
    CLOCK,
    DECAYED,
    DIMENSION_END,
    DIMENSION_WIDTH,
    DIMENSIONS,
    FACTOR,
    FROM,
    HALF_LIVES,
    KIND,
    KINDS,
    LAST,
    LINEAR,
    SCORE,
    SOURCE,
    STANDS_AT,
    TIMES,
    TOTAL,
    WEIGHT,
    Plan,
)
from streams.forward.powers import power_of_two
from streams.forward.scoring import worth
from streams.forward.tales import CHANGE, CLAIMED, LEAD, SCHEME, WHAT, Tales
from streams.kinds import MOST_SHOWN, NEGLIGIBLE
from streams.units import MICRO

LINE, SHARE, COUNT, LAST_AT = range(4)
"""A line's numbers: its slot (or one of those below), its micro-points, how many records it stands for, when the last one happened."""
FROM_LINE, LIMITED = -1, -2
NOT_KNOWN = -1
"""Instead of a number of lines: Python has them. Instead of a number of records: nobody counts them."""


class Sums(NamedTuple):
    """For each tale: whether it has any (`fit`), each dimension's part and how many lines it has here, and these, one behind the other.

    The rest is scratch.
    """

    fit: NDArray[np.uint8]
    weighted: NDArray[np.int64]
    numbers: NDArray[np.int64]
    lines: NDArray[np.int64]
    exact: NDArray[np.float64]
    parts: NDArray[np.int64]
    order: NDArray[np.int64]


def room_for_sums(plan: Plan, tales: int) -> Sums:
    """Room for the sums of so many tales."""
    listed = plan.plan.tolist()
    dimensions = range(listed[DIMENSIONS], listed[DIMENSION_END], DIMENSION_WIDTH)
    lines = sum(listed[listed[each + SOURCE] + KINDS] + 2 for each in dimensions if _is_of_points(plan.plan, each))
    most = max(lines, len(dimensions))
    return Sums(
        np.zeros(tales, np.uint8),
        np.zeros((tales, len(dimensions)), np.int64),
        np.zeros((tales, len(dimensions)), np.int64),
        np.zeros((tales, lines, LAST_AT + 1), np.int64),
        np.zeros(most, np.float64),
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
    )


@compiled
def _is_of_points(plan: NDArray[np.int64], dimension: int) -> bool:
    return plan[dimension + KIND] == LINEAR and plan[plan[dimension + SOURCE] + KIND] == DECAYED


@compiled
def summed(tales: Tales, reals: NDArray[np.float64], plan: NDArray[np.int64], numbers: NDArray[np.float64], sums: Sums) -> None:
    """The sums of every tale that is told with a ledger. `reals`: the tales' rows as reals."""
    for place in range(tales.written[0]):
        head, sums.fit[place] = tales.heads[place], 0
        if head[WHAT] == CHANGE or head[WHAT] == LEAD:
            state = State(tales.rows[place], reals[place], plan, numbers)
            score_micro = head[CLAIMED] if head[WHAT] == CHANGE else whole(state.words, plan[head[SCHEME] + SCORE])
            sums.fit[place] = _ledger(state, place, score_micro, sums)


@compiled
def _ledger(state: State, place: int, score_micro: int, sums: Sums) -> bool:
    """The sums of one tale; False: they do not come out, and Python is to say so."""
    plan, now_ms, dimensions = state.plan, whole(state.words, state.plan[CLOCK]), sums.weighted.shape[1]
    for number in range(dimensions):
        dimension = plan[DIMENSIONS] + number * DIMENSION_WIDTH
        sums.exact[number] = state.numbers[plan[dimension + WEIGHT]] * worth(state, dimension, now_ms) * MICRO
    if not apportion(score_micro, dimensions, sums):
        return False
    for number in range(dimensions):
        sums.weighted[place, number] = sums.parts[number]
    begin = 0
    for number in range(dimensions):
        dimension = plan[DIMENSIONS] + number * DIMENSION_WIDTH
        sums.numbers[place, number] = NOT_KNOWN
        if _is_of_points(plan, dimension):
            lines = _lines(state, dimension, now_ms, sums.lines[place], begin, sums.exact)
            if lines and not apportion(sums.weighted[place, number], lines, sums):
                return False
            for line in range(lines):
                sums.lines[place, begin + line, SHARE] = sums.parts[line]
            sums.numbers[place, number] = lines
            begin += lines
    return True


@compiled
def _lines(state: State, dimension: int, at_ms: int, into: NDArray[np.int64], begin: int, exact: NDArray[np.float64]) -> int:
    """The lines of a dimension made of points that fade, from `begin` on; how many. `exact` gets what each is worth."""
    words, plan, numbers = state.words, state.plan, state.numbers
    measure, weight, factor = plan[dimension + SOURCE], numbers[plan[dimension + WEIGHT]], numbers[plan[dimension + FACTOR]]
    age_ms, lines, shown = at_ms - whole(words, plan[measure + STANDS_AT]), 0, 0.0
    for slot in range(plan[measure + KINDS]):
        times = whole(words, nth(plan[measure + TIMES], slot))
        if times == 0:
            continue
        fades = power_of_two(-age_ms / numbers[plan[measure + HALF_LIVES] + slot])
        points = _shown(state.reals[(plan[measure + TOTAL] >> 6) + slot] * fades * factor)
        _line(into[begin + lines], slot, times, whole(words, nth(plan[measure + LAST], slot)))
        exact[lines] = weight * points * MICRO
        shown, lines = shown + points, lines + 1
    if numbers[plan[dimension + FROM]] != 0.0:
        points = _shown(-numbers[plan[dimension + FROM]] * factor)
        _line(into[begin + lines], FROM_LINE, NOT_KNOWN, 0)
        exact[lines] = weight * points * MICRO
        shown, lines = shown + points, lines + 1
    gap = worth(state, dimension, at_ms) - shown
    if not abs(gap) < NEGLIGIBLE:
        _line(into[begin + lines], LIMITED, NOT_KNOWN, 0)
        exact[lines] = weight * gap * MICRO
        lines += 1
    return lines


@compiled
def _shown(points: float) -> float:
    return min(max(points, -MOST_SHOWN), MOST_SHOWN)


@compiled
def _line(into: NDArray[np.int64], line: int, times: int, last_ms: int) -> None:
    into[LINE], into[COUNT], into[LAST_AT] = line, times, last_ms


@compiled
def apportion(total: int, count: int, sums: Sums) -> bool:
    """`sums.parts[:count]`: integers near `sums.exact[:count]` that sum to `total`, as `streams/rounding.py` finds them; False: none do."""
    exact, parts, order = sums.exact, sums.parts, sums.order
    missing = total
    for each in range(count):
        parts[each] = int(np.floor(exact[each]))
        missing -= parts[each]
    if abs(missing - count / 2) > count / 2 + 1:
        return False
    for each in range(count):  # by remainder, the largest first; of equal ones the first one first
        place = each
        while place > 0 and parts[order[place - 1]] - exact[order[place - 1]] > parts[each] - exact[each]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = each
    for turn in range(abs(missing)):
        at = turn % count
        parts[order[at if missing > 0 else count - 1 - at]] += 1 if missing > 0 else -1
    return True
