"""A counting window in compiled code, as `streams/measures/rolling.py` keeps it in the row: at most eight entries, or its next steps.

A window with more entries than the row holds is changed in Python alone; what it is worth is read here in all its forms.
"""

from schemas.compiling import compiled
from streams.forward.cells import Cells, put, whole
from streams.forward.plan import AT, FILL, HOLDS, NUMBER, UNBOUNDED, WINDOW, Plan
from streams.measures.rolling import ENTRIES, FIRST_STEPS, IN_ROW


@compiled
def entered(cells: Cells, plan: Plan, measure: int, at_ms: int, now_ms: int) -> bool:
    """Count a record of `at_ms`; False if the row alone cannot."""
    columns = plan.measures[measure]
    if whole(cells, columns[HOLDS]) != ENTRIES:
        return False
    if now_ms >= at_ms + columns[WINDOW]:
        return True
    fill = _dropped(cells, columns[AT], columns[NUMBER], whole(cells, columns[FILL]), now_ms - columns[WINDOW])
    if fill == IN_ROW:
        return False
    place = fill
    while place > 0 and _is_after(cells, columns[AT], columns[NUMBER], place - 1, at_ms):
        _copied(cells, columns[AT], columns[NUMBER], place - 1, place)
        place -= 1
    put(cells, columns[AT] + place * 8, at_ms)
    put(cells, columns[NUMBER] + place * 8, 1)
    put(cells, columns[FILL], fill + 1)
    return True


@compiled
def _is_after(cells: Cells, at: int, number: int, place: int, at_ms: int) -> bool:
    """Whether an entry comes after one record of `at_ms`: later, or as late and of more."""
    there_ms = whole(cells, at + place * 8)
    return there_ms > at_ms or (there_ms == at_ms and whole(cells, number + place * 8) > 1)


@compiled
def _copied(cells: Cells, at: int, number: int, source: int, target: int) -> None:
    put(cells, at + target * 8, whole(cells, at + source * 8))
    put(cells, number + target * 8, whole(cells, number + source * 8))


@compiled
def _dropped(cells: Cells, at: int, number: int, fill: int, over_ms: int) -> int:
    """Drop what was at or before `over_ms`; how many entries are left."""
    left = 0
    for place in range(fill):
        if whole(cells, at + place * 8) > over_ms:
            if left != place:
                _copied(cells, at, number, place, left)
            left += 1
    return left


@compiled
def fresh_until(cells: Cells, at: int, holds: int) -> int:
    """The instant (ms) from which a window needs its dossier; UNBOUNDED: never."""
    return whole(cells, at + (IN_ROW - 1) * 8) if whole(cells, holds) == FIRST_STEPS else UNBOUNDED


@compiled
def covers(cells: Cells, at: int, holds: int, now_ms: int) -> bool:
    """Whether the row knows the window at an instant."""
    return now_ms < fresh_until(cells, at, holds) and (whole(cells, holds) == ENTRIES or now_ms >= whole(cells, at))


@compiled
def counted(cells: Cells, plan: Plan, measure: int, at_ms: int) -> float:
    """How many records the window holds at an instant."""
    columns = plan.measures[measure]
    if whole(cells, columns[HOLDS]) != ENTRIES:
        return _step(cells, columns[AT], columns[NUMBER], whole(cells, columns[FILL]), at_ms)
    inside = 0
    for place in range(whole(cells, columns[FILL])):
        there_ms = whole(cells, columns[AT] + place * 8)
        if there_ms <= at_ms < there_ms + columns[WINDOW]:
            inside += whole(cells, columns[NUMBER] + place * 8)
    return float(inside)


@compiled
def _step(cells: Cells, at: int, number: int, fill: int, at_ms: int) -> float:
    """The last step that has begun; the first one if none has."""
    for place in range(fill - 1, 0, -1):
        if whole(cells, at + place * 8) <= at_ms:
            return float(whole(cells, number + place * 8))
    return float(whole(cells, number))


@compiled
def count_span(cells: Cells, plan: Plan, measure: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    """Bounds of the count over a time in which nothing is folded; exact as far as the row knows."""
    columns = plan.measures[measure]
    last = float(whole(cells, columns[NUMBER] + (IN_ROW - 1) * 8))
    known_ms = fresh_until(cells, columns[AT], columns[HOLDS])
    if from_ms >= known_ms:
        return 0.0, last
    if whole(cells, columns[HOLDS]) == ENTRIES:
        return _left(cells, plan, measure, to_ms), _left(cells, plan, measure, from_ms)
    low, high = _steps_span(cells, columns[AT], columns[NUMBER], whole(cells, columns[FILL]), from_ms, to_ms)
    if to_ms < known_ms:
        return low, high
    return min(low, 0.0), max(high, last)


@compiled
def _steps_span(cells: Cells, at: int, number: int, fill: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    low = high = _step(cells, at, number, fill, from_ms)
    for place in range(fill):
        if from_ms < whole(cells, at + place * 8) <= to_ms:
            worth = float(whole(cells, number + place * 8))
            low, high = min(low, worth), max(high, worth)
    return low, high


@compiled
def _left(cells: Cells, plan: Plan, measure: int, at_ms: int) -> float:
    """How many of the entries have not ended at an instant."""
    columns, left = plan.measures[measure], 0
    for place in range(whole(cells, columns[FILL])):
        if whole(cells, columns[AT] + place * 8) + columns[WINDOW] > at_ms:
            left += whole(cells, columns[NUMBER] + place * 8)
    return float(left)
