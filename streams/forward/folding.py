"""One interaction folded into the copy of its account's row, in compiled code, as `streams/account.py` does it; or why it is not."""

from typing import NamedTuple

from schemas.compiling import compiled
from streams.forward.capping import ASK_DOSSIER, contact_room, kind_room, opens, use_contact, use_kind
from streams.forward.cells import NOWHERE, State, nth, put, whole
from streams.forward.clocks import reset
from streams.forward.counts import entered
from streams.forward.days import local_day
from streams.forward.plan import (
    ACTORS,
    CLOCK,
    CLOCK_END,
    CLOCK_WIDTH,
    CLOCKS,
    CONTACT,
    DEADLINE,
    DECAYED,
    FOLDED,
    IDS,
    IDS_FILL,
    IDS_NEXT,
    KIND,
    LAST_AT,
    LAST_OFFSET,
    LAST_TOPIC,
    MEASURE_END,
    MEASURE_WIDTH,
    MEASURES,
    PER_SECOND,
    PRICES,
    RECORDS,
    SCHEME_END,
    SCHEME_WIDTH,
    SCHEMES,
    SCORE,
    SLOTS,
    TOPIC,
)
from streams.forward.points import take_points
from streams.forward.scoring import decides, next_timer, score
from streams.forward.search import is_covered, next_change, still_holds
from streams.policy.compiled import RECENT_IDS
from streams.units import UNBOUNDED

DULL, UNPRICED, REPEATED, UNREADABLE, UNKNOWN, DUE, DOSSIER, DECIDES = range(8)
"""What became of a record: folded here (up to REPEATED), or left to Python, and why. One that is left has changed the copy alone."""


class Happening(NamedTuple):
    """What the fold needs of one interaction. `contact`: 64 bits of its id; `kind`: its number in the plan, the last one for any other."""

    event: int
    offset: int
    at_ms: int
    kind: int
    actor: int
    has_contact: bool
    contact: int
    dwell_seconds: float


@compiled
def fold(state: State, happening: Happening) -> int:
    """Fold it; what became of it."""
    words, plan = state.words, state.plan
    if _remembered(state, happening.event):
        return REPEATED
    if not _time_may_pass(state, happening.at_ms):
        return DUE
    _remember(state, happening)
    if not _take(state, happening):
        return DOSSIER
    now_ms = whole(words, plan[CLOCK])
    if not is_covered(state, now_ms):
        return DOSSIER
    if _decides(state, now_ms):
        return DECIDES
    deadline_ms = whole(words, plan[DEADLINE])
    if deadline_ms <= now_ms or next_timer(state) <= now_ms:
        return DUE
    if deadline_ms >= UNBOUNDED or not still_holds(state, now_ms, deadline_ms):
        put(words, plan[DEADLINE], next_change(state, now_ms)[0])
    return DULL if _concerns(state, happening) else UNPRICED


@compiled
def _time_may_pass(state: State, until_ms: int) -> bool:
    """Whether nothing is due up to an instant; a deadline that was only one to look again is moved on."""
    words, plan = state.words, state.plan
    if whole(words, plan[DEADLINE]) > until_ms and next_timer(state) > until_ms:
        return True
    clock_ms = whole(words, plan[CLOCK])
    if not is_covered(state, clock_ms):
        return False
    due_ms, _ = next_change(state, clock_ms)
    if due_ms <= until_ms:
        return False
    put(words, plan[DEADLINE], due_ms)
    return True


@compiled
def _remembered(state: State, event: int) -> bool:
    first = state.plan[IDS] >> 6
    for place in range(first, first + whole(state.words, state.plan[IDS_FILL])):
        if state.words[place] == event:
            return True
    return False


@compiled
def _remember(state: State, happening: Happening) -> None:
    """The event's id, and what the account knows of its last record."""
    words, plan = state.words, state.plan
    place = whole(words, plan[IDS_NEXT])
    put(words, nth(plan[IDS], place), happening.event)
    put(words, plan[IDS_NEXT], (place + 1) % RECENT_IDS)
    put(words, plan[IDS_FILL], min(whole(words, plan[IDS_FILL]) + 1, RECENT_IDS))
    put(words, plan[RECORDS], whole(words, plan[RECORDS]) + 1)
    put(words, plan[CLOCK], max(whole(words, plan[CLOCK]), happening.at_ms))
    put(words, plan[LAST_TOPIC], plan[TOPIC])
    put(words, plan[LAST_OFFSET], happening.offset)
    put(words, plan[LAST_AT], happening.at_ms)


@compiled
def _take(state: State, happening: Happening) -> bool:
    """Fold it into measures and clocks; False if one of them needs more than the row."""
    plan = state.plan
    for measure in range(plan[MEASURES], plan[MEASURE_END], MEASURE_WIDTH):
        if not _counts(state, measure, happening):
            continue
        if plan[measure + KIND] == DECAYED:
            known = _priced(state, measure, plan[plan[measure + SLOTS] + happening.kind], happening)
        else:
            known = entered(state, measure, happening.at_ms, whole(state.words, plan[CLOCK]))
        if not known:
            return False
    for clock in range(plan[CLOCKS], plan[CLOCK_END], CLOCK_WIDTH):
        reset(state, clock, happening.kind, happening.actor, happening.at_ms)
    return True


@compiled
def _counts(state: State, measure: int, happening: Happening) -> bool:
    """Whether a measure has a use for it."""
    plan = state.plan
    if plan[measure + FOLDED] == 0 or (plan[measure + ACTORS] >> happening.actor) & 1 == 0:
        return False
    return plan[plan[measure + SLOTS] + happening.kind] != NOWHERE


@compiled
def _concerns(state: State, happening: Happening) -> bool:
    """Whether anything had a use for it."""
    plan = state.plan
    for measure in range(plan[MEASURES], plan[MEASURE_END], MEASURE_WIDTH):
        if _counts(state, measure, happening):
            return True
    for clock in range(plan[CLOCKS], plan[CLOCK_END], CLOCK_WIDTH):
        if reset(state, clock, happening.kind, happening.actor, happening.at_ms):
            return True
    return False


@compiled
def _priced(state: State, measure: int, slot: int, happening: Happening) -> bool:
    """Points as far as they count; False if only the dossier knows how far."""
    plan, numbers = state.plan, state.numbers
    points, each = numbers[plan[measure + PRICES] + slot], numbers[plan[measure + PER_SECOND] + slot]
    if each > 0.0:
        points = min(each * happening.dwell_seconds, points)
    if not opens(state, measure, slot, happening.at_ms):
        return True
    day = local_day(state, happening.at_ms)
    by_contact = plan[measure + CONTACT] != NOWHERE and happening.has_contact
    room = min(abs(points), kind_room(state, measure, slot, day, abs(points)))
    if by_contact:
        left = contact_room(state, measure, happening.contact, day)
        if left == ASK_DOSSIER:
            return False
        room = min(room, left)
    use_kind(state, measure, slot, day, room)
    if by_contact and room != 0.0:
        use_contact(state, measure, happening.contact, day, room)
    take_points(state, measure, slot, room if points > 0.0 else -room, happening.at_ms)
    return True


@compiled
def _decides(state: State, now_ms: int) -> bool:
    """Bring the score up to now; whether a scheme has something to decide."""
    plan = state.plan
    score_micro = score(state, now_ms)
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        put(state.words, plan[scheme + SCORE], score_micro)
        if decides(state, scheme, score_micro, now_ms):
            return True
    return False
