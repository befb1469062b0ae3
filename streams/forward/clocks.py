"""`quiet` clocks in compiled code, as `streams/clocks/quiet.py` has them."""

from schemas.compiling import compiled
from streams.forward.cells import State, put, whole
from streams.forward.plan import (
    ANY,
    BY_TIER,
    CLOCK_END,
    CLOCK_HOLDS,
    CLOCK_WIDTH,
    CLOCKS,
    CONSEQUENCES,
    DEMOTES,
    EARNED,
    FIRED,
    LIMITS,
    OF_SCHEME,
    RESET,
    RESET_ACTOR,
    RESET_KIND,
    RESTING,
    SINCE,
    TOP,
)
from streams.units import UNBOUNDED


@compiled
def resets(state: State, clock: int, kind: int, actor: int) -> bool:
    """Whether a record concerns the clock."""
    plan = state.plan
    if plan[clock + RESET_ACTOR] != ANY and plan[clock + RESET_ACTOR] != actor:
        return False
    return plan[clock + RESET_KIND] == ANY or plan[clock + RESET_KIND] == kind


@compiled
def reset(state: State, clock: int, at_ms: int) -> None:
    """Start again at a record, unless it is older than the last one that did."""
    words, plan = state.words, state.plan
    if at_ms > whole(words, plan[clock + RESET]):
        put(words, plan[clock + RESET], at_ms)
        if whole(words, plan[clock + FIRED]) >= 0:
            put(words, plan[clock + FIRED], -1)
            put(words, plan[clock + CLOCK_HOLDS], plan[plan[clock + OF_SCHEME] + TOP])
            put(words, plan[clock + RESTING], 0)


@compiled
def begin(state: State, at_ms: int) -> None:
    """Clocks that are new to an account start here."""
    for clock in range(state.plan[CLOCKS], state.plan[CLOCK_END], CLOCK_WIDTH):
        if whole(state.words, state.plan[clock + RESET]) < 0:
            put(state.words, state.plan[clock + RESET], at_ms)


@compiled
def runs_out(state: State, clock: int) -> int:
    """When the consequence follows (ms); UNBOUNDED: never as things are."""
    words, plan = state.words, state.plan
    earned = whole(words, plan[plan[clock + OF_SCHEME] + EARNED])
    after_ms, fired_ms = plan[plan[clock + LIMITS] + earned], whole(words, plan[clock + FIRED])
    if whole(words, plan[clock + RESTING]) != 0 or whole(words, plan[clock + CLOCK_HOLDS]) < earned or after_ms >= UNBOUNDED:
        return UNBOUNDED
    in_tier_ms = whole(words, plan[plan[clock + OF_SCHEME] + SINCE])
    begins = max(whole(words, plan[clock + RESET]), fired_ms)
    if plan[clock + BY_TIER] != 0:
        begins = max(begins, in_tier_ms)
    passed_over = max(in_tier_ms - begins, 0) // after_ms if fired_ms >= 0 else 0
    return begins + (passed_over + 1) * after_ms


@compiled
def fire(state: State, clock: int, at_ms: int) -> None:
    """The consequence of having run out at `at_ms`; the next period begins."""
    words, plan = state.words, state.plan
    earned = whole(words, plan[plan[clock + OF_SCHEME] + EARNED])
    put(words, plan[clock + FIRED], at_ms)
    if plan[plan[clock + CONSEQUENCES] + earned] == DEMOTES:
        put(words, plan[clock + CLOCK_HOLDS], min(max(earned - 1, 0), whole(words, plan[clock + CLOCK_HOLDS])))
        put(words, plan[clock + RESTING], 1 if earned == 0 else 0)
    else:
        put(words, plan[clock + RESTING], 1)
