"""The decision in compiled code, as `streams/settling.py` makes it: the row is changed, and what is published is told."""

from schemas.compiling import compiled
from streams.earned import Claim, Standing
from streams.forward.cells import NOWHERE, State, put, whole
from streams.forward.ladder import band, move, reached, rung
from streams.forward.overriding import to_publish
from streams.forward.plan import (
    ANNOUNCES,
    CEILING,
    CLOCK,
    CLOCK_CEILING,
    EARNED,
    EFFECTIVE,
    GATED,
    HIGH,
    HOT,
    LIFT,
    LOW,
    PENDING,
    PUBLISHED,
    SCHEME_END,
    SCHEME_WIDTH,
    SCHEMES,
    SCORE,
    SEATED,
    SEQUENCE,
    SINCE,
    STEPPED,
    TOP,
)
from streams.forward.scoring import claimed, decides, score, which_trigger
from streams.forward.tales import BY_RECORD, BY_TRIGGER, CHANGE, LEAD, About, Tales, Why, remember_worths, tell


@compiled
def settle(state: State, tales: Tales, why: Why) -> bool:
    """Bring every scheme up to the account's clock; False if there is no room to tell of it."""
    now_ms = whole(state.words, state.plan[CLOCK])
    remember_worths(state, tales)
    score_micro = score(state, now_ms)
    for scheme in range(state.plan[SCHEMES], state.plan[SCHEME_END], SCHEME_WIDTH):
        score_before = whole(state.words, state.plan[scheme + SCORE])
        put(state.words, state.plan[scheme + SCORE], score_micro)
        claim = claimed(state, scheme, score_micro, now_ms)
        if decides(state, scheme, claim, now_ms) and not _decide(state, tales, why, scheme, claim, score_before):
            return False
    return True


@compiled
def enter(state: State, tales: Tales, why: Why) -> bool:
    """The entry into each ladder that announces it, of an account that has just been made; False if there is no room to tell of it."""
    words, plan, now_ms = state.words, state.plan, whole(state.words, state.plan[CLOCK])
    remember_worths(state, tales)
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        put(words, plan[scheme + SINCE], now_ms)
        if plan[scheme + ANNOUNCES] == 0:
            continue
        _number(state, scheme)
        score_micro = whole(words, plan[scheme + SCORE])
        entry = About(CHANGE, scheme, NOWHERE, NOWHERE, 0, score_micro, whole(words, plan[scheme + EFFECTIVE]), 0)
        if not tell(state, tales, why, entry, standing(state, scheme), Claim(score_micro, 0, plan[scheme + TOP])):
            return False
    return True


@compiled
def _number(state: State, scheme: int) -> None:
    """The next transition's sequence number and effective time."""
    words, plan = state.words, state.plan
    put(words, plan[scheme + SEQUENCE], whole(words, plan[scheme + SEQUENCE]) + 1)
    put(words, plan[scheme + EFFECTIVE], max(whole(words, plan[CLOCK]), whole(words, plan[scheme + EFFECTIVE])))


@compiled
def _decide(state: State, tales: Tales, why: Why, scheme: int, claim: Claim, score_before: int) -> bool:
    """The moves of one scheme, and the hot lead that they make."""
    words, plan, now_ms = state.words, state.plan, whole(state.words, state.plan[CLOCK])
    published_before, fired = whole(words, plan[scheme + PUBLISHED]), NOWHERE
    if claim.lift > whole(words, plan[scheme + LIFT]):
        fired = which_trigger(state, scheme, claim.lift, now_ms)
    moving = True
    while moving:
        before, stood = whole(words, plan[scheme + PUBLISHED]), standing(state, scheme)
        tier, aim = _advance(state, scheme, stood, claim)
        after = whole(words, plan[scheme + PUBLISHED])
        if after != before:
            _number(state, scheme)
            because = why
            if fired != NOWHERE and why.cause == BY_RECORD and tier <= claim.lift and reached(state, scheme, claim.number_micro) < tier:
                because = Why(why.record, why.account, BY_TRIGGER, why.detail, why.of_detail)
            change = About(CHANGE, scheme, fired, before, after, score_before, whole(words, plan[scheme + EFFECTIVE]), 0)
            if not tell(state, tales, because, change, stood, claim):
                return False
        moving = tier not in (stood.tier, aim)
    now = whole(words, plan[scheme + PUBLISHED])
    if fired == NOWHERE and not (now > published_before and rung(state, scheme, now, HOT) != 0):
        return True
    lead = About(LEAD, scheme, fired, published_before, now, score_before, now_ms, 0)
    return tell(state, tales, why, lead, standing(state, scheme), claim)


@compiled
def standing(state: State, scheme: int) -> Standing:
    """What the row says of the earned tier."""
    words, plan = state.words, state.plan
    return Standing(whole(words, plan[scheme + EARNED]), whole(words, plan[scheme + SINCE]), whole(words, plan[scheme + STEPPED]))


@compiled
def _advance(state: State, scheme: int, stood: Standing, claim: Claim) -> tuple[int, int]:
    """One move at most, written to the row; the tier that it gives and the one aimed at."""
    words, plan, now_ms = state.words, state.plan, whole(state.words, state.plan[CLOCK])
    verdict = move(state, scheme, stood, claim, now_ms)
    if verdict.tier != stood.tier:
        put(words, plan[scheme + SINCE], now_ms)
        put(words, plan[scheme + STEPPED], now_ms)
    put(words, plan[scheme + EARNED], verdict.tier)
    put(words, plan[scheme + SEATED], verdict.tier)
    gated = min(verdict.tier, whole(words, plan[scheme + CEILING]))
    put(words, plan[scheme + GATED], gated)
    put(words, plan[scheme + PUBLISHED], to_publish(state, scheme))
    put(words, plan[scheme + PENDING], verdict.pending_ms)
    put(words, plan[scheme + LIFT], claim.lift)
    put(words, plan[scheme + CLOCK_CEILING], claim.ceiling)
    low, high = band(state, scheme, verdict.tier, claim)
    put(words, plan[scheme + LOW], low)
    put(words, plan[scheme + HIGH], high)
    return verdict.tier, verdict.aim
