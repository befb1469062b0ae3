"""`decayed` in compiled code: points that fade, as `streams/measures/decayed.py` has them."""

from schemas.compiling import compiled
from streams.forward.cells import NOWHERE, State, nth, put, whole
from streams.forward.plan import HALF_LIVES, KINDS, LAST, STANDS_AT, TIMES, TOTAL
from streams.forward.powers import power_of_two


@compiled
def take_points(state: State, measure: int, slot: int, points: float, at_ms: int) -> None:
    """Add points at their time, and count them."""
    words, reals, plan = state.words, state.reals, state.plan
    total, half_lives = plan[measure + TOTAL] >> 6, plan[measure + HALF_LIVES]
    age_ms = at_ms - whole(words, plan[measure + STANDS_AT])
    if age_ms > 0:
        for place in range(plan[measure + KINDS]):
            if reals[total + place] != 0.0:
                reals[total + place] *= power_of_two(-age_ms / state.numbers[half_lives + place])
        put(words, plan[measure + STANDS_AT], at_ms)
        age_ms = 0
    reals[total + slot] += points * power_of_two(age_ms / state.numbers[half_lives + slot])
    times = nth(plan[measure + TIMES], slot)
    put(words, times, whole(words, times) + 1)
    if plan[measure + LAST] != NOWHERE:
        last = nth(plan[measure + LAST], slot)
        put(words, last, max(whole(words, last), at_ms))


@compiled
def given_and_taken(state: State, measure: int, at_ms: int) -> tuple[float, float]:
    """What is left at an instant of the points that were given, and of those that were taken away."""
    plan = state.plan
    total, half_lives = plan[measure + TOTAL] >> 6, plan[measure + HALF_LIVES]
    age_ms, given, taken = at_ms - whole(state.words, plan[measure + STANDS_AT]), 0.0, 0.0
    for place in range(plan[measure + KINDS]):
        points = state.reals[total + place]
        if points > 0.0:
            given += points * power_of_two(-age_ms / state.numbers[half_lives + place])
        elif points < 0.0:
            taken += points * power_of_two(-age_ms / state.numbers[half_lives + place])
    return given, taken
