"""What an account is worth, in compiled code: measures, dimensions, the score, triggers and timers, at an instant and over a time."""

import math

from schemas.compiling import compiled
from streams.forward.cells import Cells, put, whole
from streams.forward.clocks import runs_out
from streams.forward.counts import count_span, counted
from streams.forward.plan import (
    CEILING,
    CLOCK_CEILING,
    CLOCK_HOLDS,
    CONDITIONS,
    DECAYED,
    FACTOR,
    FALLBACK,
    FIRST_CONDITION,
    FIRST_TRIGGER,
    FROM,
    GATED,
    HIGH,
    KEPT,
    KIND,
    KNOWN,
    LIFT,
    LINEAR,
    LOW,
    OF_SCHEME,
    PENDING,
    SEATED,
    SOURCE,
    TIER,
    TOP,
    TRIGGERS,
    UNBOUNDED,
    WEIGHT,
    WORTH,
    Plan,
)
from streams.forward.points import given_and_taken

MICRO = 1_000_000


@compiled
def micro(points: float) -> int:
    """As in `streams/units.py`."""
    return int(math.floor(points * MICRO + 0.5))  # noqa: RUF046  (compiled, floor gives a float)


@compiled
def measured(cells: Cells, plan: Plan, measure: int, at_ms: int) -> float:
    """A measure at an instant."""
    if plan.measures[measure, KIND] == DECAYED:
        given, taken = given_and_taken(cells, plan, measure, at_ms)
        return given + taken
    return counted(cells, plan, measure, at_ms)


@compiled
def measure_span(cells: Cells, plan: Plan, measure: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    """Bounds of a measure over a time: what was given fades downwards, what was taken away fades upwards."""
    if plan.measures[measure, KIND] != DECAYED:
        return count_span(cells, plan, measure, from_ms, to_ms)
    given_from, taken_from = given_and_taken(cells, plan, measure, from_ms)
    if from_ms == to_ms:
        return given_from + taken_from, given_from + taken_from
    given_to, taken_to = given_and_taken(cells, plan, measure, to_ms)
    return given_to + taken_from, given_from + taken_to


@compiled
def _stretched(plan: Plan, dimension: int, number: float) -> float:
    numbers = plan.dimension_numbers[dimension]
    return min(max((number - numbers[FROM]) * numbers[FACTOR], 0.0), 100.0)


@compiled
def _still(cells: Cells, plan: Plan, dimension: int) -> float:
    """What a dimension is worth that time does not change."""
    columns = plan.dimensions[dimension]
    if columns[KIND] == KEPT or whole(cells, columns[KNOWN]) != 0:
        return cells.f8[columns[SOURCE] >> 3]
    return plan.dimension_numbers[dimension, FALLBACK]


@compiled
def score(cells: Cells, plan: Plan, at_ms: int) -> int:
    """The score at an instant, in micro-points; the row keeps what each dimension is worth there."""
    points = 0.0
    for dimension in range(plan.dimensions.shape[0]):
        columns = plan.dimensions[dimension]
        if columns[KIND] == LINEAR:
            worth = _stretched(plan, dimension, measured(cells, plan, columns[SOURCE], at_ms))
        else:
            worth = _still(cells, plan, dimension)
        put(cells, columns[WORTH], micro(worth))
        points += plan.dimension_numbers[dimension, WEIGHT] * worth
    return micro(points)


@compiled
def score_span(cells: Cells, plan: Plan, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Bounds of the score, in micro-points, over a time in which nothing is folded."""
    low, high = 0.0, 0.0
    for dimension in range(plan.dimensions.shape[0]):
        columns, weight = plan.dimensions[dimension], plan.dimension_numbers[dimension, WEIGHT]
        if columns[KIND] == LINEAR:
            least, most = measure_span(cells, plan, columns[SOURCE], from_ms, to_ms)
            least, most = _stretched(plan, dimension, least), _stretched(plan, dimension, most)
        else:
            least = most = _still(cells, plan, dimension)
        low += weight * least
        high += weight * most
    return micro(low), micro(high)


@compiled
def lift(cells: Cells, plan: Plan, scheme: int, at_ms: int) -> int:
    """The highest tier that a trigger lifts to, 0 if none holds."""
    highest = 0
    first = plan.schemes[scheme, FIRST_TRIGGER]
    for trigger in range(first, first + plan.schemes[scheme, TRIGGERS]):
        if plan.triggers[trigger, TIER] > highest and _holds(cells, plan, trigger, at_ms):
            highest = plan.triggers[trigger, TIER]
    return highest


@compiled
def _holds(cells: Cells, plan: Plan, trigger: int, at_ms: int) -> bool:
    first = plan.triggers[trigger, FIRST_CONDITION]
    for condition in range(first, first + plan.triggers[trigger, CONDITIONS]):
        number = measured(cells, plan, plan.conditions[condition], at_ms)
        if not plan.bounds[condition, 0] <= number <= plan.bounds[condition, 1]:
            return False
    return True


@compiled
def lift_is(cells: Cells, plan: Plan, scheme: int, held: int, from_ms: int, to_ms: int) -> bool:
    """Whether the lift is surely `held` throughout a time in which nothing is folded."""
    surely, possibly = 0, 0
    first = plan.schemes[scheme, FIRST_TRIGGER]
    for trigger in range(first, first + plan.schemes[scheme, TRIGGERS]):
        sure, possible = _may_hold(cells, plan, trigger, from_ms, to_ms)
        surely = max(surely, plan.triggers[trigger, TIER]) if sure else surely
        possibly = max(possibly, plan.triggers[trigger, TIER]) if possible else possibly
    return surely == held and possibly == held


@compiled
def _may_hold(cells: Cells, plan: Plan, trigger: int, from_ms: int, to_ms: int) -> tuple[bool, bool]:
    sure, possible = True, True
    first = plan.triggers[trigger, FIRST_CONDITION]
    for condition in range(first, first + plan.triggers[trigger, CONDITIONS]):
        least, most = measure_span(cells, plan, plan.conditions[condition], from_ms, to_ms)
        low, high = plan.bounds[condition, 0], plan.bounds[condition, 1]
        sure = sure and low <= least and most <= high
        possible = possible and most >= low and least <= high
    return sure, possible


@compiled
def next_timer(cells: Cells, plan: Plan) -> int:
    """The earliest clock or pending move (ms), UNBOUNDED if there is none."""
    earliest = UNBOUNDED
    for scheme in range(plan.schemes.shape[0]):
        earliest = min(earliest, whole(cells, plan.schemes[scheme, PENDING]))
    for clock in range(plan.clocks.shape[0]):
        earliest = min(earliest, runs_out(cells, plan, clock))
    return earliest


@compiled
def decides(cells: Cells, plan: Plan, scheme: int, score_micro: int, now_ms: int) -> bool:
    """Whether a decision could change anything: as `streams/decision.py` asks it."""
    columns = plan.schemes[scheme]
    if not whole(cells, columns[LOW]) <= score_micro < whole(cells, columns[HIGH]) or now_ms >= whole(cells, columns[PENDING]):
        return True
    if min(whole(cells, columns[SEATED]), whole(cells, columns[CEILING])) != whole(cells, columns[GATED]):
        return True
    ceiling = columns[TOP]
    for clock in range(plan.clocks.shape[0]):
        if plan.clocks[clock, OF_SCHEME] == scheme:
            ceiling = min(ceiling, whole(cells, plan.clocks[clock, CLOCK_HOLDS]))
    return ceiling != whole(cells, columns[CLOCK_CEILING]) or lift(cells, plan, scheme, now_ms) != whole(cells, columns[LIFT])
