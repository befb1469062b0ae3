"""Time passing for one account in compiled code, as `streams/passing.py` lets it pass: every change that is due, at its own instant."""

from schemas.compiling import compiled
from streams.forward.cells import NOWHERE, State, put, whole
from streams.forward.clocks import fire, runs_out
from streams.forward.counts import counted
from streams.forward.deciding import settle
from streams.forward.overriding import expire
from streams.forward.plan import (
    CLOCK,
    CLOCK_END,
    CLOCK_WIDTH,
    CLOCKS,
    CONSEQUENCES,
    COUNT,
    DEADLINE,
    DEMOTES,
    EARNED,
    JUMPS,
    KIND,
    LIFT,
    MEASURE_END,
    MEASURE_WIDTH,
    MEASURES,
    OF_SCHEME,
    PENDING,
    RECYCLES,
    SCHEME_END,
    SCHEME_WIDTH,
    SCHEMES,
)
from streams.forward.scoring import lift, next_timer, which_trigger
from streams.forward.search import is_covered, next_change
from streams.forward.tales import (
    BY_CLOCK,
    BY_DECAY,
    BY_OVERRIDE_END,
    BY_PENDING_MOVE,
    BY_TRIGGER_END,
    BY_TRIGGER_IN_TIME,
    BY_WINDOW,
    Tales,
    Why,
)

DONE, DOSSIER, RECYCLED, JUMPED, FULL = range(5)
"""How it ended: all decided; or left to Python, because the row alone does not say, an account goes to the pool, a measure may have jumped
that is not known here, or there was no room left to tell of it all."""


@compiled
def pass_time(state: State, tales: Tales, record: int, account: int, until_ms: int) -> int:
    """Decide every change due up to `until_ms`; how it ended."""
    words, plan = state.words, state.plan
    if whole(words, plan[DEADLINE]) > until_ms and next_timer(state) > until_ms:
        return DONE
    looked_ms = fresh_ms = whole(words, plan[CLOCK])
    while True:
        if not is_covered(state, fresh_ms):
            return DOSSIER
        due_ms, exact = next_change(state, looked_ms)
        if due_ms > until_ms:
            put(words, plan[DEADLINE], due_ms)
            return DONE
        looked_ms, fresh_ms = due_ms - 1, due_ms
        if exact:
            ended = happen(state, tales, record, account, due_ms, False)
            if ended != DONE:
                return ended
            looked_ms = fresh_ms = whole(words, plan[CLOCK])


@compiled
def happen(state: State, tales: Tales, record: int, account: int, due_ms: int, imagined: bool) -> int:
    """What follows at an instant at which something is due. An account that is only imagined needs no pool."""
    words, plan = state.words, state.plan
    before_ms = whole(words, plan[CLOCK])
    put(words, plan[CLOCK], max(before_ms, due_ms))
    if not is_covered(state, whole(words, plan[CLOCK])):
        return DOSSIER
    if expire(state, due_ms):  # alone, as in Python
        return DONE if settle(state, tales, Why(record, account, BY_OVERRIDE_END, NOWHERE, NOWHERE)) else FULL
    fired, ran_out_in = NOWHERE, NOWHERE
    for number in range((plan[CLOCK_END] - plan[CLOCKS]) // CLOCK_WIDTH):
        clock = plan[CLOCKS] + number * CLOCK_WIDTH
        if runs_out(state, clock) > due_ms:
            continue
        earned = whole(words, plan[plan[clock + OF_SCHEME] + EARNED])
        follows = plan[plan[clock + CONSEQUENCES] + earned]
        if follows == RECYCLES and not imagined:
            return RECYCLED
        if follows == DEMOTES and fired == NOWHERE:
            fired, ran_out_in = number, earned
        fire(state, clock, due_ms)
    if fired != NOWHERE:
        why = Why(record, account, BY_CLOCK, fired, ran_out_in)
    else:
        cause, detail, of_detail = _what_passed(state, before_ms)
        if cause == NOWHERE:
            return JUMPED
        why = Why(record, account, cause, detail, of_detail)
    return DONE if settle(state, tales, why) else FULL


@compiled
def _what_passed(state: State, before_ms: int) -> tuple[int, int, int]:
    """Which kind of time made the change, where no clock did; NOWHERE if that cannot be told here."""
    words, plan, now_ms = state.words, state.plan, whole(state.words, state.plan[CLOCK])
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        if whole(words, plan[scheme + PENDING]) <= now_ms:
            return BY_PENDING_MOVE, NOWHERE, NOWHERE
        reached, held = lift(state, scheme, now_ms), whole(words, plan[scheme + LIFT])
        if reached > held:
            return BY_TRIGGER_IN_TIME, which_trigger(state, scheme, reached, now_ms), scheme
        if reached < held:
            return BY_TRIGGER_END, NOWHERE, NOWHERE
    if now_ms <= before_ms:
        return BY_DECAY, NOWHERE, NOWHERE
    for measure in range(plan[MEASURES], plan[MEASURE_END], MEASURE_WIDTH):
        if plan[measure + KIND] == COUNT and counted(state, measure, now_ms) != counted(state, measure, now_ms - 1):
            return BY_WINDOW, NOWHERE, NOWHERE
    return (NOWHERE if plan[JUMPS] != 0 else BY_DECAY), NOWHERE, NOWHERE
