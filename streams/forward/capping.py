"""Caps and bursts in compiled code, as `streams/measures/caps.py` has them, as far as the row alone can tell.

`contact_room` says ASK_DOSSIER where the dossier knows more: then the record is one for Python.
"""

import math

from schemas.compiling import compiled
from streams.forward.cells import NOWHERE, State, nth, put, whole
from streams.forward.plan import (
    BURST_AT,
    BURST_COUNTS,
    BURST_SEEN,
    BURST_WITHIN,
    BURSTS,
    CAP_DAY,
    CAP_USED,
    CAPPED,
    CAPPED_KINDS,
    CAPS,
    CONTACT,
    CONTACT_CAP,
    CONTACT_DAY,
    CONTACT_TODAY,
    CONTACT_USED,
    CONTACTS,
)

ASK_DOSSIER = -math.inf
_NO_PLACE = -1


@compiled
def opens(state: State, measure: int, slot: int, at_ms: int) -> bool:
    """Whether the record counts at all: False for the rest of a burst."""
    words, plan = state.words, state.plan
    place = plan[plan[measure + BURSTS] + slot]
    if place == NOWHERE:
        return True
    began, seen = nth(plan[measure + BURST_AT], place), nth(plan[measure + BURST_SEEN], place)
    after_ms = at_ms - whole(words, began)
    if after_ms >= plan[measure + BURST_WITHIN]:
        put(words, began, at_ms)
        put(words, seen, 1)
        return True
    if after_ms <= -plan[measure + BURST_WITHIN]:
        return True
    if whole(words, seen) < plan[measure + BURST_COUNTS]:
        put(words, seen, whole(words, seen) + 1)
        return True
    return False


@compiled
def kind_room(state: State, measure: int, slot: int, day: int, points: float) -> float:
    """What is left of the kind's day; a new day begins."""
    plan = state.plan
    place = plan[plan[measure + CAPPED] + slot]
    if place == NOWHERE:
        return points
    _turn(state, measure, day)
    ago = whole(state.words, plan[measure + CAP_DAY]) - day
    limit = state.numbers[plan[measure + CAPS] + place]
    return limit - state.reals[(plan[measure + CAP_USED] >> 6) + ago * plan[measure + CAPPED_KINDS] + place] if ago < 2 else limit


@compiled
def _turn(state: State, measure: int, day: int) -> None:
    """Counters move on to a later day."""
    plan, reals = state.plan, state.reals
    before = whole(state.words, plan[measure + CAP_DAY])
    if day <= before:
        return
    kinds, today = plan[measure + CAPPED_KINDS], plan[measure + CAP_USED] >> 6
    for place in range(today, today + kinds):
        reals[kinds + place] = reals[place] if day == before + 1 else 0.0
        reals[place] = 0.0
    put(state.words, plan[measure + CAP_DAY], day)


@compiled
def use_kind(state: State, measure: int, slot: int, day: int, points: float) -> None:
    """Points that count use up the kind's room."""
    plan = state.plan
    place = plan[plan[measure + CAPPED] + slot]
    if place == NOWHERE:
        return
    ago = whole(state.words, plan[measure + CAP_DAY]) - day
    if ago < 2:
        state.reals[(plan[measure + CAP_USED] >> 6) + ago * plan[measure + CAPPED_KINDS] + place] += points


@compiled
def contact_room(state: State, measure: int, contact: int, day: int) -> float:
    """What is left of the contact's day; ASK_DOSSIER if the row does not know."""
    words, plan = state.words, state.plan
    put(words, plan[measure + CONTACT_TODAY], max(whole(words, plan[measure + CONTACT_TODAY]), day))
    limit = state.numbers[plan[measure + CONTACT_CAP]]
    place = _contact_place(state, measure, contact, day)
    if place != _NO_PLACE:
        return limit - state.reals[(plan[measure + CONTACT_USED] >> 6) + place]
    if _is_old(state, measure, day) or _free_place(state, measure) != _NO_PLACE:
        return limit
    return ASK_DOSSIER


@compiled
def use_contact(state: State, measure: int, contact: int, day: int, points: float) -> None:
    """Points that count use up the contact's room; there is a place for it, or the day is over."""
    words, plan = state.words, state.plan
    if _is_old(state, measure, day):
        return
    place, used = _contact_place(state, measure, contact, day), plan[measure + CONTACT_USED] >> 6
    if place == _NO_PLACE:
        place = _free_place(state, measure)
        put(words, nth(plan[measure + CONTACT], place), contact)
        put(words, nth(plan[measure + CONTACT_DAY], place), day)
        state.reals[used + place] = 0.0
    state.reals[used + place] += points


@compiled
def _is_old(state: State, measure: int, day: int) -> bool:
    return whole(state.words, state.plan[measure + CONTACT_TODAY]) - day > 1


@compiled
def _contact_place(state: State, measure: int, contact: int, day: int) -> int:
    words, plan = state.words, state.plan
    for place in range(plan[measure + CONTACTS]):
        if whole(words, nth(plan[measure + CONTACT], place)) == contact and whole(words, nth(plan[measure + CONTACT_DAY], place)) == day:
            return place
    return _NO_PLACE


@compiled
def _free_place(state: State, measure: int) -> int:
    plan = state.plan
    for place in range(plan[measure + CONTACTS]):
        if _is_old(state, measure, whole(state.words, nth(plan[measure + CONTACT_DAY], place))):
            return place
    return _NO_PLACE
