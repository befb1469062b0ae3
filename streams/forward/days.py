"""Local days in compiled code, as `streams/units.py` has them."""

from schemas.compiling import compiled
from streams.forward.cells import State
from streams.forward.plan import ZONE_END, ZONE_OFFSET, ZONE_START, ZONE_WIDTH, ZONES
from streams.units import DAY_MS


@compiled
def local_day(state: State, at_ms: int) -> int:
    """The number of the local day of an instant."""
    plan = state.plan
    low, high = 0, (plan[ZONE_END] - plan[ZONES]) // ZONE_WIDTH
    while high - low > 1:
        middle = (low + high) >> 1
        if plan[plan[ZONES] + middle * ZONE_WIDTH + ZONE_START] <= at_ms:
            low = middle
        else:
            high = middle
    return (at_ms + plan[plan[ZONES] + low * ZONE_WIDTH + ZONE_OFFSET]) // DAY_MS
