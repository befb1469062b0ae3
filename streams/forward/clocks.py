"""`quiet` clocks in compiled code, as `streams/clocks/quiet.py` has them."""

from schemas.compiling import compiled
from streams.forward.cells import Cells, put, whole
from streams.forward.plan import (
    ANY,
    BY_TIER,
    CLOCK_HOLDS,
    EARNED,
    FIRED,
    FIRST_TIER,
    OF_SCHEME,
    RESET,
    RESET_ACTOR,
    RESET_KIND,
    RESTING,
    SINCE,
    TOP,
    UNBOUNDED,
    Plan,
)


@compiled
def reset(cells: Cells, plan: Plan, clock: int, kind: int, actor: int, at_ms: int) -> bool:
    """Start again with a record that resets; False if the record does not concern the clock."""
    columns = plan.clocks[clock]
    if (columns[RESET_ACTOR] != ANY and columns[RESET_ACTOR] != actor) or (columns[RESET_KIND] != ANY and columns[RESET_KIND] != kind):
        return False
    if at_ms > whole(cells, columns[RESET]):
        put(cells, columns[RESET], at_ms)
        if whole(cells, columns[FIRED]) >= 0:
            put(cells, columns[FIRED], -1)
            put(cells, columns[CLOCK_HOLDS], plan.schemes[columns[OF_SCHEME], TOP])
            put(cells, columns[RESTING], 0)
    return True


@compiled
def runs_out(cells: Cells, plan: Plan, clock: int) -> int:
    """When the consequence follows (ms); UNBOUNDED: never as things are."""
    columns = plan.clocks[clock]
    scheme = plan.schemes[columns[OF_SCHEME]]
    earned = whole(cells, scheme[EARNED])
    after_ms, fired_ms = plan.clock_limits[columns[FIRST_TIER] + earned], whole(cells, columns[FIRED])
    if whole(cells, columns[RESTING]) != 0 or whole(cells, columns[CLOCK_HOLDS]) < earned or after_ms >= UNBOUNDED:
        return UNBOUNDED
    in_tier_ms = whole(cells, scheme[SINCE])
    begins = max(whole(cells, columns[RESET]), fired_ms)
    if columns[BY_TIER] != 0:
        begins = max(begins, in_tier_ms)
    passed_over = max(in_tier_ms - begins, 0) // after_ms if fired_ms >= 0 else 0
    return begins + (passed_over + 1) * after_ms
