"""Overrides in compiled code, as `streams/overrides.py` has them: the tier and the expiry lie in the row."""

from schemas.compiling import compiled
from streams.forward.cells import NOWHERE, State, put, whole
from streams.forward.plan import BEATS_RISK, CEILING, GATED, OVERRIDE, OVERRIDE_UNTIL, SCHEME_END, SCHEME_WIDTH, SCHEMES
from streams.units import UNBOUNDED


@compiled
def overridden_until(state: State, scheme: int) -> int:
    """When the override of a scheme expires (ms); UNBOUNDED: there is none."""
    at = state.plan[scheme + OVERRIDE_UNTIL]
    return UNBOUNDED if at == NOWHERE else whole(state.words, at)


@compiled
def to_publish(state: State, scheme: int) -> int:
    """The tier to publish over the row's gated one."""
    words, plan = state.words, state.plan
    if overridden_until(state, scheme) >= UNBOUNDED:
        return whole(words, plan[scheme + GATED])
    tier = whole(words, plan[scheme + OVERRIDE])
    return tier if plan[scheme + BEATS_RISK] != 0 else min(tier, whole(words, plan[scheme + CEILING]))


@compiled
def expire(state: State, at_ms: int) -> bool:
    """End every override that expires by now; whether there was one."""
    plan, ended = state.plan, False
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        if overridden_until(state, scheme) <= at_ms:
            put(state.words, plan[scheme + OVERRIDE], 0)
            put(state.words, plan[scheme + OVERRIDE_UNTIL], UNBOUNDED)
            ended = True
    return ended
