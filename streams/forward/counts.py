"""A counting window in compiled code, as `streams/measures/rolling.py` keeps it in the row: its entries, or its next steps.

A window with more entries than the row has room for is changed in Python alone; what it is worth is read here in all its forms.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.forward.cells import State, nth, put, whole
from streams.forward.days import local_day
from streams.forward.plan import AT, EXACT, FILL, HOLDS, NUMBER, PLACES, WINDOW
from streams.measures.rolling import ENTRIES, FIRST_STEPS
from streams.units import UNBOUNDED

Words = NDArray[np.int64]


@compiled
def entered(state: State, measure: int, at_ms: int, now_ms: int) -> bool:
    """Count a record of `at_ms`; False if the row alone cannot."""
    words, plan = state.words, state.plan
    if whole(words, plan[measure + HOLDS]) != ENTRIES:
        return False
    if now_ms >= at_ms + plan[measure + WINDOW]:
        return True
    at, number, before = plan[measure + AT], plan[measure + NUMBER], whole(words, plan[measure + FILL])
    fill = _dropped(words, at, number, before, now_ms - plan[measure + WINDOW])
    if fill == plan[measure + PLACES]:
        return False
    place = fill
    while place > 0 and _is_after(words, at, number, place - 1, at_ms):
        _copied(words, at, number, place - 1, place)
        place -= 1
    put(words, nth(at, place), at_ms)
    put(words, nth(number, place), 1)
    fill = _joined(state, measure, fill + 1)
    put(words, plan[measure + FILL], fill)
    for place in range(fill, before + 1):
        _cleared(words, at, number, place, plan[measure + PLACES])
    return True


@compiled
def _cleared(words: Words, at: int, number: int, place: int, places: int) -> None:
    """No entry is at a place."""
    if place < places:
        put(words, nth(at, place), 0)
        put(words, nth(number, place), 0)


@compiled
def _joined(state: State, measure: int, fill: int) -> int:
    """Join the entries older than the newest exact ones by local day; how many are left."""
    words, at, number = state.words, state.plan[measure + AT], state.plan[measure + NUMBER]
    older = fill - state.plan[measure + EXACT]
    if older < 2:
        return fill
    left, day = 0, local_day(state, whole(words, at))
    for place in range(1, older):
        next_day = local_day(state, whole(words, nth(at, place)))
        if next_day == day:
            put(words, nth(at, left), whole(words, nth(at, place)))
            put(words, nth(number, left), whole(words, nth(number, left)) + whole(words, nth(number, place)))
        else:
            left += 1
            _copied(words, at, number, place, left)
        day = next_day
    left += 1
    for place in range(older, fill):
        _copied(words, at, number, place, left + place - older)
    return left + fill - older


@compiled
def _is_after(words: Words, at: int, number: int, place: int, at_ms: int) -> bool:
    """Whether an entry comes after one record of `at_ms`: later, or as late and of more."""
    there_ms = whole(words, nth(at, place))
    return there_ms > at_ms or (there_ms == at_ms and whole(words, nth(number, place)) > 1)


@compiled
def _copied(words: Words, at: int, number: int, source: int, target: int) -> None:
    put(words, nth(at, target), whole(words, nth(at, source)))
    put(words, nth(number, target), whole(words, nth(number, source)))


@compiled
def _dropped(words: Words, at: int, number: int, fill: int, over_ms: int) -> int:
    """Drop what was at or before `over_ms`; how many entries are left."""
    left = 0
    for place in range(fill):
        if whole(words, nth(at, place)) > over_ms:
            if left != place:
                _copied(words, at, number, place, left)
            left += 1
    return left


@compiled
def fresh_until(words: Words, at: int, holds: int, places: int) -> int:
    """The instant (ms) from which a window needs its dossier; UNBOUNDED: never."""
    return whole(words, nth(at, places - 1)) if whole(words, holds) == FIRST_STEPS else UNBOUNDED


@compiled
def covers(words: Words, at: int, holds: int, places: int, now_ms: int) -> bool:
    """Whether the row knows the window at an instant."""
    return now_ms < fresh_until(words, at, holds, places) and (whole(words, holds) == ENTRIES or now_ms >= whole(words, at))


@compiled
def counted(state: State, measure: int, at_ms: int) -> float:
    """How many records the window holds at an instant."""
    words, plan = state.words, state.plan
    if whole(words, plan[measure + HOLDS]) != ENTRIES:
        return _step(words, plan[measure + AT], plan[measure + NUMBER], whole(words, plan[measure + FILL]), at_ms)
    inside = 0
    for place in range(whole(words, plan[measure + FILL])):
        there_ms = whole(words, nth(plan[measure + AT], place))
        if there_ms <= at_ms < there_ms + plan[measure + WINDOW]:
            inside += whole(words, nth(plan[measure + NUMBER], place))
    return float(inside)


@compiled
def _step(words: Words, at: int, number: int, fill: int, at_ms: int) -> float:
    """The last step that has begun; the first one if none has."""
    for place in range(fill - 1, 0, -1):
        if whole(words, nth(at, place)) <= at_ms:
            return float(whole(words, nth(number, place)))
    return float(whole(words, number))


@compiled
def count_span(state: State, measure: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    """Bounds of the count over a time in which nothing is folded; exact as far as the row knows."""
    words, plan = state.words, state.plan
    last = float(whole(words, nth(plan[measure + NUMBER], plan[measure + PLACES] - 1)))
    known_ms = fresh_until(words, plan[measure + AT], plan[measure + HOLDS], plan[measure + PLACES])
    if from_ms >= known_ms:
        return 0.0, last
    if whole(words, plan[measure + HOLDS]) == ENTRIES:
        return _left(state, measure, from_ms, to_ms)
    low, high = _steps_span(words, plan[measure + AT], plan[measure + NUMBER], whole(words, plan[measure + FILL]), from_ms, to_ms)
    if to_ms < known_ms:
        return low, high
    return min(low, 0.0), max(high, last)


@compiled
def _steps_span(words: Words, at: int, number: int, fill: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    low = high = _step(words, at, number, fill, from_ms)
    for place in range(fill):
        if from_ms < whole(words, nth(at, place)) <= to_ms:
            worth = float(whole(words, nth(number, place)))
            low, high = min(low, worth), max(high, worth)
    return low, high


@compiled
def _left(state: State, measure: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    """How many of the entries have not ended at the end of a time, and at its beginning."""
    words, plan, at_end, at_begin = state.words, state.plan, 0, 0
    for place in range(whole(words, plan[measure + FILL])):
        ends_ms = whole(words, nth(plan[measure + AT], place)) + plan[measure + WINDOW]
        if ends_ms > from_ms:
            number = whole(words, nth(plan[measure + NUMBER], place))
            at_begin += number
            at_end += number if ends_ms > to_ms else 0
    return float(at_end), float(at_begin)
