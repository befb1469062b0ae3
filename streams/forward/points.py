"""`decayed` in compiled code: points that fade, as `streams/measures/decayed.py` has them."""

from schemas.compiling import compiled
from streams.forward.cells import NOWHERE, Cells, put, whole
from streams.forward.plan import FIRST_PRICE, KINDS, LAST, STANDS_AT, TIMES, TOTAL, Plan
from streams.forward.powers import power_of_two


@compiled
def take_points(cells: Cells, plan: Plan, measure: int, slot: int, points: float, at_ms: int) -> None:
    """Add points at their time, and count them."""
    columns = plan.measures[measure]
    total, first = columns[TOTAL] >> 3, columns[FIRST_PRICE]
    age_ms = at_ms - whole(cells, columns[STANDS_AT])
    if age_ms > 0:
        for place in range(columns[KINDS]):
            if cells.f8[total + place] != 0.0:
                cells.f8[total + place] *= power_of_two(-age_ms / plan.half_lives[first + place])
        put(cells, columns[STANDS_AT], at_ms)
        age_ms = 0
    cells.f8[total + slot] += points * power_of_two(age_ms / plan.half_lives[first + slot])
    put(cells, columns[TIMES] + slot * 8, whole(cells, columns[TIMES] + slot * 8) + 1)
    if columns[LAST] != NOWHERE:
        put(cells, columns[LAST] + slot * 8, max(whole(cells, columns[LAST] + slot * 8), at_ms))


@compiled
def given_and_taken(cells: Cells, plan: Plan, measure: int, at_ms: int) -> tuple[float, float]:
    """What is left at an instant of the points that were given, and of those that were taken away."""
    columns = plan.measures[measure]
    total, first = columns[TOTAL] >> 3, columns[FIRST_PRICE]
    age_ms, given, taken = at_ms - whole(cells, columns[STANDS_AT]), 0.0, 0.0
    for place in range(columns[KINDS]):
        points = cells.f8[total + place]
        if points > 0.0:
            given += points * power_of_two(-age_ms / plan.half_lives[first + place])
        elif points < 0.0:
            taken += points * power_of_two(-age_ms / plan.half_lives[first + place])
    return given, taken
