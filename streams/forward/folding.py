"""One interaction folded into the copy of its account's row, in compiled code, as `streams/account.py` does it; or why it is not."""

from typing import NamedTuple

from schemas.compiling import compiled
from streams.forward.capping import ASK_DOSSIER, contact_room, kind_room, opens, use_contact, use_kind
from streams.forward.cells import NOWHERE, State, nth, put, whole
from streams.forward.clocks import reset, resets
from streams.forward.concluding import Desk, conclude, open_desk
from streams.forward.counts import entered
from streams.forward.days import local_day
from streams.forward.deciding import enter, settle
from streams.forward.passing import DONE, pass_time
from streams.forward.plan import (
    ACTORS,
    CLOCK,
    CLOCK_END,
    CLOCK_WIDTH,
    CLOCKS,
    CONTACT,
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
    SLOTS,
    TOPIC,
)
from streams.forward.points import take_points
from streams.forward.search import is_covered
from streams.forward.tales import BY_LATE_RECORD, BY_RECORD, Why
from streams.policy.compiled import RECENT_IDS

DULL, UNPRICED, REPEATED, UNREADABLE, UNKNOWN, NEEDS_DOSSIER, RECYCLED, MAY_JUMP, NO_ROOM = range(9)
"""What became of a record: folded here (up to REPEATED), or left to Python, and why. One that is left has changed the copy alone."""

_LEFT = UNKNOWN
"""Before the ways in which `pass_time` ends and leaves to Python, in their order."""


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
def fold(state: State, desk: Desk, happening: Happening, record: int, account: int) -> int:
    """Fold it, decide what follows and tell of it; what became of it."""
    words, plan, told = state.words, state.plan, desk.tales.written[0]
    if _remembered(state, happening.event):
        return REPEATED
    open_desk(state, desk)
    entering, ended = whole(words, plan[RECORDS]) == 0, DONE
    if not entering:
        ended = pass_time(state, desk.tales, record, account, happening.at_ms)
    if ended != DONE:
        return _LEFT + ended
    cause = BY_LATE_RECORD if happening.at_ms < whole(words, plan[CLOCK]) else BY_RECORD
    _remember(state, happening)
    why, now_ms = Why(record, account, cause, NOWHERE, NOWHERE), whole(words, plan[CLOCK])
    if entering and not enter(state, desk.tales, why):
        return NO_ROOM
    if not _take(state, happening, entering) or not is_covered(state, now_ms):
        return NEEDS_DOSSIER
    if not settle(state, desk.tales, why):
        return NO_ROOM
    ended = pass_time(state, desk.tales, record, account, now_ms)
    if ended == DONE:
        ended = conclude(state, desk, why, told, now_ms, entering)
    if ended != DONE:
        return _LEFT + ended
    return DULL if _concerns(state, happening) else UNPRICED


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
def _take(state: State, happening: Happening, entering: bool) -> bool:
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
        if entering or resets(state, clock, happening.kind, happening.actor):
            reset(state, clock, happening.at_ms)
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
        if resets(state, clock, happening.kind, happening.actor):
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
