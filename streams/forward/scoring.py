"""What an account is worth, in compiled code: measures, dimensions, the score, triggers and timers, at an instant and over a time."""

import math

from schemas.compiling import compiled
from streams.earned import Claim
from streams.forward.cells import NOWHERE, State, put, whole
from streams.forward.clocks import runs_out
from streams.forward.counts import count_span, counted
from streams.forward.overriding import overridden_until, to_publish
from streams.forward.plan import (
    ASKED,
    AT_LEAST,
    AT_MOST,
    CEILING,
    CLOCK_CEILING,
    CLOCK_END,
    CLOCK_HOLDS,
    CLOCK_WIDTH,
    CLOCKS,
    CONDITION_END,
    CONDITION_WIDTH,
    CONDITIONS,
    DECAYED,
    DIMENSION_END,
    DIMENSION_WIDTH,
    DIMENSIONS,
    FACTOR,
    FALLBACK,
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
    PUBLISHED,
    SCHEME_END,
    SCHEME_WIDTH,
    SCHEMES,
    SEATED,
    SOURCE,
    TIER,
    TOP,
    TRIGGER_END,
    TRIGGER_WIDTH,
    TRIGGERS,
    WEIGHT,
    WORTH,
)
from streams.forward.points import given_and_taken
from streams.units import MICRO, UNBOUNDED


@compiled
def micro(points: float) -> int:
    """As in `streams/units.py`."""
    return int(math.floor(points * MICRO + 0.5))  # noqa: RUF046  (compiled, floor gives a float)


@compiled
def measured(state: State, measure: int, at_ms: int) -> float:
    """A measure at an instant."""
    if state.plan[measure + KIND] == DECAYED:
        given, taken = given_and_taken(state, measure, at_ms)
        return given + taken
    return counted(state, measure, at_ms)


@compiled
def measure_span(state: State, measure: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    """Bounds of a measure over a time: what was given fades downwards, what was taken away fades upwards."""
    if state.plan[measure + KIND] != DECAYED:
        return count_span(state, measure, from_ms, to_ms)
    given_from, taken_from = given_and_taken(state, measure, from_ms)
    if from_ms == to_ms:
        return given_from + taken_from, given_from + taken_from
    given_to, taken_to = given_and_taken(state, measure, to_ms)
    return given_to + taken_from, given_from + taken_to


@compiled
def _stretched(state: State, dimension: int, number: float) -> float:
    plan, numbers = state.plan, state.numbers
    return min(max((number - numbers[plan[dimension + FROM]]) * numbers[plan[dimension + FACTOR]], 0.0), 100.0)


@compiled
def _still(state: State, dimension: int) -> float:
    """What a dimension is worth that time does not change."""
    plan = state.plan
    if plan[dimension + KIND] == KEPT or whole(state.words, plan[dimension + KNOWN]) != 0:
        return state.reals[plan[dimension + SOURCE] >> 6]
    return state.numbers[plan[dimension + FALLBACK]]


@compiled
def worth(state: State, dimension: int, at_ms: int) -> float:
    """A dimension at an instant, 0 to 100."""
    plan = state.plan
    if plan[dimension + KIND] == LINEAR:
        return _stretched(state, dimension, measured(state, plan[dimension + SOURCE], at_ms))
    return _still(state, dimension)


@compiled
def score(state: State, at_ms: int) -> int:
    """The score at an instant, in micro-points; the row keeps what each dimension is worth there."""
    plan, points = state.plan, 0.0
    for dimension in range(plan[DIMENSIONS], plan[DIMENSION_END], DIMENSION_WIDTH):
        now = worth(state, dimension, at_ms)
        put(state.words, plan[dimension + WORTH], micro(now))
        points += state.numbers[plan[dimension + WEIGHT]] * now
    return micro(points)


@compiled
def score_span(state: State, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Bounds of the score, in micro-points, over a time in which nothing is folded."""
    plan, low, high = state.plan, 0.0, 0.0
    for dimension in range(plan[DIMENSIONS], plan[DIMENSION_END], DIMENSION_WIDTH):
        weight = state.numbers[plan[dimension + WEIGHT]]
        if plan[dimension + KIND] == LINEAR:
            least, most = measure_span(state, plan[dimension + SOURCE], from_ms, to_ms)
            least, most = _stretched(state, dimension, least), _stretched(state, dimension, most)
        else:
            least = most = _still(state, dimension)
        low += weight * least
        high += weight * most
    return micro(low), micro(high)


@compiled
def lift(state: State, scheme: int, at_ms: int) -> int:
    """The highest tier that a trigger lifts to, 0 if none holds."""
    plan, highest = state.plan, 0
    for trigger in range(plan[scheme + TRIGGERS], plan[scheme + TRIGGER_END], TRIGGER_WIDTH):
        if plan[trigger + TIER] > highest and _holds(state, trigger, at_ms):
            highest = plan[trigger + TIER]
    return highest


@compiled
def _holds(state: State, trigger: int, at_ms: int) -> bool:
    plan, numbers = state.plan, state.numbers
    for condition in range(plan[trigger + CONDITIONS], plan[trigger + CONDITION_END], CONDITION_WIDTH):
        number = measured(state, plan[condition + ASKED], at_ms)
        if not numbers[plan[condition + AT_LEAST]] <= number <= numbers[plan[condition + AT_MOST]]:
            return False
    return True


@compiled
def lift_is(state: State, scheme: int, held: int, from_ms: int, to_ms: int) -> bool:
    """Whether the lift is surely `held` throughout a time in which nothing is folded."""
    plan, surely, possibly = state.plan, 0, 0
    for trigger in range(plan[scheme + TRIGGERS], plan[scheme + TRIGGER_END], TRIGGER_WIDTH):
        sure, possible = _may_hold(state, trigger, from_ms, to_ms)
        if sure:
            surely = max(surely, plan[trigger + TIER])
        if possible:
            possibly = max(possibly, plan[trigger + TIER])
    return surely == held and possibly == held


@compiled
def _may_hold(state: State, trigger: int, from_ms: int, to_ms: int) -> tuple[bool, bool]:
    plan, sure = state.plan, True
    for condition in range(plan[trigger + CONDITIONS], plan[trigger + CONDITION_END], CONDITION_WIDTH):
        least, most = measure_span(state, plan[condition + ASKED], from_ms, to_ms)
        low, high = state.numbers[plan[condition + AT_LEAST]], state.numbers[plan[condition + AT_MOST]]
        if most < low or least > high:
            return False, False
        sure = sure and low <= least and most <= high
    return sure, True


@compiled
def next_timer(state: State) -> int:
    """The earliest clock, pending move or end of an override (ms), UNBOUNDED if there is none."""
    plan, earliest = state.plan, UNBOUNDED
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        earliest = min(earliest, whole(state.words, plan[scheme + PENDING]), overridden_until(state, scheme))
    for clock in range(plan[CLOCKS], plan[CLOCK_END], CLOCK_WIDTH):
        earliest = min(earliest, runs_out(state, clock))
    return earliest


@compiled
def which_trigger(state: State, scheme: int, tier: int, at_ms: int) -> int:
    """The number of the first trigger of a scheme that lifts to `tier` at an instant."""
    plan = state.plan
    for trigger in range(plan[scheme + TRIGGERS], plan[scheme + TRIGGER_END], TRIGGER_WIDTH):
        if plan[trigger + TIER] == tier and _holds(state, trigger, at_ms):
            return (trigger - plan[scheme + TRIGGERS]) // TRIGGER_WIDTH
    return NOWHERE


@compiled
def claimed(state: State, scheme: int, score_micro: int, now_ms: int) -> Claim:
    """What speaks for a tier now."""
    plan, ceiling = state.plan, state.plan[scheme + TOP]
    for clock in range(plan[CLOCKS], plan[CLOCK_END], CLOCK_WIDTH):
        if plan[clock + OF_SCHEME] == scheme:
            ceiling = min(ceiling, whole(state.words, plan[clock + CLOCK_HOLDS]))
    return Claim(score_micro, lift(state, scheme, now_ms), ceiling)


@compiled
def decides(state: State, scheme: int, claim: Claim, now_ms: int) -> bool:
    """Whether a decision could change anything: as `streams/decision.py` asks it."""
    words, plan = state.words, state.plan
    return (
        claim.number_micro < whole(words, plan[scheme + LOW])
        or claim.number_micro >= whole(words, plan[scheme + HIGH])
        or claim.lift != whole(words, plan[scheme + LIFT])
        or claim.ceiling != whole(words, plan[scheme + CLOCK_CEILING])
        or min(whole(words, plan[scheme + SEATED]), whole(words, plan[scheme + CEILING])) != whole(words, plan[scheme + GATED])
        or to_publish(state, scheme) != whole(words, plan[scheme + PUBLISHED])
        or now_ms >= whole(words, plan[scheme + PENDING])
    )
