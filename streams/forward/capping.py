"""Caps and bursts in compiled code, as `streams/measures/caps.py` has them, as far as the row alone can tell.

`contact_room` says ASK_DOSSIER where the dossier knows more: then the record is one for Python.
"""

import math

from schemas.compiling import compiled
from streams.forward.cells import NOWHERE, Cells, put, whole
from streams.forward.plan import (
    BURST_AT,
    BURST_COUNTS,
    BURST_SEEN,
    BURST_WITHIN,
    CAP_DAY,
    CAP_USED,
    CAPPED_KINDS,
    CONTACT,
    CONTACT_DAY,
    CONTACT_TODAY,
    CONTACT_USED,
    CONTACTS,
    FIRST_CAP,
    FIRST_PRICE,
    Plan,
)

DAY_MS = 86_400_000
ASK_DOSSIER = -math.inf
_NO_PLACE = -1


@compiled
def local_day(plan: Plan, at_ms: int) -> int:
    """The number of the local day of an instant."""
    low, high = 0, plan.zone_starts.size
    while high - low > 1:
        middle = (low + high) >> 1
        if plan.zone_starts[middle] <= at_ms:
            low = middle
        else:
            high = middle
    return (at_ms + plan.zone_offsets[low]) // DAY_MS


@compiled
def opens(cells: Cells, plan: Plan, measure: int, slot: int, at_ms: int) -> bool:
    """Whether the record counts at all: False for the rest of a burst."""
    columns = plan.measures[measure]
    place = plan.bursts[columns[FIRST_PRICE] + slot]
    if place == NOWHERE:
        return True
    began, seen = columns[BURST_AT] + place * 8, columns[BURST_SEEN] + place * 8
    after_ms = at_ms - whole(cells, began)
    if after_ms >= columns[BURST_WITHIN]:
        put(cells, began, at_ms)
        put(cells, seen, 1)
        return True
    if after_ms <= -columns[BURST_WITHIN]:
        return True
    if whole(cells, seen) < columns[BURST_COUNTS]:
        put(cells, seen, whole(cells, seen) + 1)
        return True
    return False


@compiled
def kind_room(cells: Cells, plan: Plan, measure: int, slot: int, day: int, points: float) -> float:
    """What is left of the kind's day; a new day begins."""
    columns = plan.measures[measure]
    if columns[CAP_DAY] == NOWHERE or plan.capped[columns[FIRST_PRICE] + slot] == NOWHERE:
        return points
    place, kinds, used = plan.capped[columns[FIRST_PRICE] + slot], columns[CAPPED_KINDS], columns[CAP_USED] >> 3
    _turn(cells, columns[CAP_DAY], used, kinds, day)
    ago = whole(cells, columns[CAP_DAY]) - day
    limit = plan.caps[columns[FIRST_CAP] + place]
    return limit - cells.f8[used + ago * kinds + place] if ago < 2 else limit


@compiled
def _turn(cells: Cells, today: int, used: int, kinds: int, day: int) -> None:
    """Counters move on to a later day."""
    before = whole(cells, today)
    if day <= before:
        return
    for place in range(kinds):
        cells.f8[used + kinds + place] = cells.f8[used + place] if day == before + 1 else 0.0
        cells.f8[used + place] = 0.0
    put(cells, today, day)


@compiled
def use_kind(cells: Cells, plan: Plan, measure: int, slot: int, day: int, points: float) -> None:
    """Points that count use up the kind's room."""
    columns = plan.measures[measure]
    if columns[CAP_DAY] == NOWHERE or plan.capped[columns[FIRST_PRICE] + slot] == NOWHERE:
        return
    ago = whole(cells, columns[CAP_DAY]) - day
    if ago < 2:
        cells.f8[(columns[CAP_USED] >> 3) + ago * columns[CAPPED_KINDS] + plan.capped[columns[FIRST_PRICE] + slot]] += points


@compiled
def contact_room(cells: Cells, plan: Plan, measure: int, contact: int, day: int) -> float:
    """What is left of the contact's day; ASK_DOSSIER if the row does not know."""
    columns = plan.measures[measure]
    put(cells, columns[CONTACT_TODAY], max(whole(cells, columns[CONTACT_TODAY]), day))
    limit = plan.contact_caps[measure]
    place = _contact_place(cells, plan, measure, contact, day)
    if place != _NO_PLACE:
        return limit - cells.f8[(columns[CONTACT_USED] >> 3) + place]
    if _is_old(cells, plan, measure, day) or _free_place(cells, plan, measure) != _NO_PLACE:
        return limit
    return ASK_DOSSIER


@compiled
def use_contact(cells: Cells, plan: Plan, measure: int, contact: int, day: int, points: float) -> None:
    """Points that count use up the contact's room; there is a place for it, or the day is over."""
    columns = plan.measures[measure]
    if _is_old(cells, plan, measure, day):
        return
    place = _contact_place(cells, plan, measure, contact, day)
    if place == _NO_PLACE:
        place = _free_place(cells, plan, measure)
        put(cells, columns[CONTACT] + place * 8, contact)
        put(cells, columns[CONTACT_DAY] + place * 8, day)
        cells.f8[(columns[CONTACT_USED] >> 3) + place] = 0.0
    cells.f8[(columns[CONTACT_USED] >> 3) + place] += points


@compiled
def _is_old(cells: Cells, plan: Plan, measure: int, day: int) -> bool:
    return whole(cells, plan.measures[measure, CONTACT_TODAY]) - day > 1


@compiled
def _contact_place(cells: Cells, plan: Plan, measure: int, contact: int, day: int) -> int:
    columns = plan.measures[measure]
    for place in range(columns[CONTACTS]):
        if whole(cells, columns[CONTACT] + place * 8) == contact and whole(cells, columns[CONTACT_DAY] + place * 8) == day:
            return place
    return _NO_PLACE


@compiled
def _free_place(cells: Cells, plan: Plan, measure: int) -> int:
    columns = plan.measures[measure]
    for place in range(columns[CONTACTS]):
        if _is_old(cells, plan, measure, whole(cells, columns[CONTACT_DAY] + place * 8)):
            return place
    return _NO_PLACE
