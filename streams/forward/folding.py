"""One interaction folded into the copy of its account's row, in compiled code, as `streams/account.py` does it; or the word that it decides."""

from typing import NamedTuple

from schemas.compiling import compiled
from streams.forward.capping import ASK_DOSSIER, contact_room, kind_room, local_day, opens, use_contact, use_kind
from streams.forward.cells import NOWHERE, Cells, put, whole
from streams.forward.clocks import reset
from streams.forward.counts import covers, entered
from streams.forward.plan import (
    ACTORS,
    CLOCK,
    CONTACT,
    DEADLINE,
    DECAYED,
    FIRST_PRICE,
    FOLDED,
    IDS,
    IDS_FILL,
    IDS_NEXT,
    KIND,
    LAST_AT,
    LAST_OFFSET,
    LAST_TOPIC,
    RECORDS,
    SCORE,
    UNBOUNDED,
    Plan,
)
from streams.forward.points import take_points
from streams.forward.scoring import decides, next_timer, score
from streams.forward.search import next_change, still_holds

DULL, UNPRICED, REPEATED, DECIDES = range(4)
"""What became of a record. One that DECIDES has left its traces in the copy alone."""

UNUSED, USED, UNKNOWN_HERE = range(3)
RECENT_IDS = 16
"""As in `streams/policy/compiled.py`."""


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
def fold(cells: Cells, plan: Plan, happening: Happening) -> int:
    """Fold it; what became of it."""
    if _remembered(cells, plan, happening.event):
        return REPEATED
    if whole(cells, plan.account[DEADLINE]) <= happening.at_ms or next_timer(cells, plan) <= happening.at_ms:
        return DECIDES
    _remember(cells, plan, happening)
    used = _taken(cells, plan, happening)
    now_ms = whole(cells, plan.account[CLOCK])
    if used == UNKNOWN_HERE or not _settles(cells, plan, now_ms):
        return DECIDES
    if whole(cells, plan.account[DEADLINE]) <= now_ms or next_timer(cells, plan) <= now_ms:
        return DECIDES
    deadline_ms = whole(cells, plan.account[DEADLINE])
    if deadline_ms >= UNBOUNDED or not still_holds(cells, plan, now_ms, deadline_ms):
        put(cells, plan.account[DEADLINE], next_change(cells, plan, now_ms)[0])
    return DULL if used == USED else UNPRICED


@compiled
def _remembered(cells: Cells, plan: Plan, event: int) -> bool:
    first = plan.account[IDS] >> 3
    for place in range(whole(cells, plan.account[IDS_FILL])):
        if cells.i8[first + place] == event:
            return True
    return False


@compiled
def _remember(cells: Cells, plan: Plan, happening: Happening) -> None:
    """The event's id, and what the account knows of its last record."""
    account = plan.account
    place = whole(cells, account[IDS_NEXT])
    cells.i8[(account[IDS] >> 3) + place] = happening.event
    put(cells, account[IDS_NEXT], (place + 1) % RECENT_IDS)
    put(cells, account[IDS_FILL], min(whole(cells, account[IDS_FILL]) + 1, RECENT_IDS))
    put(cells, account[RECORDS], whole(cells, account[RECORDS]) + 1)
    put(cells, account[CLOCK], max(whole(cells, account[CLOCK]), happening.at_ms))
    put(cells, account[LAST_TOPIC], plan.topic)
    put(cells, account[LAST_OFFSET], happening.offset)
    put(cells, account[LAST_AT], happening.at_ms)


@compiled
def _taken(cells: Cells, plan: Plan, happening: Happening) -> int:
    """Fold it into measures and clocks: whether any had a use for it, or one needs more than the row."""
    used = UNUSED
    for measure in range(plan.measures.shape[0]):
        columns, slot = plan.measures[measure], plan.slots[measure, happening.kind]
        if columns[FOLDED] == 0 or slot == NOWHERE or not columns[ACTORS] >> happening.actor & 1:
            continue
        used = USED
        if columns[KIND] == DECAYED:
            known = _priced(cells, plan, measure, slot, happening)
        else:
            known = entered(cells, plan, measure, happening.at_ms, whole(cells, plan.account[CLOCK]))
        if not known:
            return UNKNOWN_HERE
    for clock in range(plan.clocks.shape[0]):
        if reset(cells, plan, clock, happening.kind, happening.actor, happening.at_ms):
            used = USED
    return used


@compiled
def _priced(cells: Cells, plan: Plan, measure: int, slot: int, happening: Happening) -> bool:
    """Points as far as they count; False if only the dossier knows how far."""
    price = plan.measures[measure, FIRST_PRICE] + slot
    points = plan.prices[price]
    if plan.per_second[price] > 0.0:
        points = min(plan.per_second[price] * happening.dwell_seconds, points)
    if not opens(cells, plan, measure, slot, happening.at_ms):
        return True
    day = local_day(plan, happening.at_ms)
    capped_by_contact = plan.measures[measure, CONTACT] != NOWHERE and happening.has_contact
    room = min(abs(points), kind_room(cells, plan, measure, slot, day, abs(points)))
    if capped_by_contact:
        left = contact_room(cells, plan, measure, happening.contact, day)
        if left == ASK_DOSSIER:
            return False
        room = min(room, left)
    use_kind(cells, plan, measure, slot, day, room)
    if capped_by_contact and room != 0.0:
        use_contact(cells, plan, measure, happening.contact, day, room)
    take_points(cells, plan, measure, slot, room if points > 0.0 else -room, happening.at_ms)
    return True


@compiled
def _settles(cells: Cells, plan: Plan, now_ms: int) -> bool:
    """Bring the score up to now; False if a scheme has something to decide, or a window needs its dossier."""
    for window in range(plan.windows.shape[0]):
        if not covers(cells, plan.windows[window, 0], plan.windows[window, 1], now_ms):
            return False
    score_micro = score(cells, plan, now_ms)
    for scheme in range(plan.schemes.shape[0]):
        put(cells, plan.schemes[scheme, SCORE], score_micro)
        if decides(cells, plan, scheme, score_micro, now_ms):
            return False
    return True
