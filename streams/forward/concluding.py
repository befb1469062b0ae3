"""The end of an account's step in compiled code: what comes next, where it stands now, and when to look at it again."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.earned import Claim, Standing
from streams.forward.cells import NOWHERE, State, put, whole
from streams.forward.foretelling import foretell
from streams.forward.passing import DONE, DOSSIER, FULL
from streams.forward.plan import CLOCK, DEADLINE, EARNED, REVISION, SCHEME_WIDTH, SCHEMES
from streams.forward.search import is_covered, next_change, still_holds
from streams.forward.tales import CHANGE, STANDINGS, WHAT, About, Tales, Why, tell
from streams.units import UNBOUNDED

AHEAD = 32
"""So many records at once are looked ahead to."""


class Desk(NamedTuple):
    """What a step is worked out on: what there is to tell, and for the forecast a copy of the row and what is only imagined.

    `earned`: each scheme's tier before the step. `ahead`: the accounts of the next records, and a place more.
    """

    tales: Tales
    future: State
    dreams: Tales
    earned: NDArray[np.int64]
    ahead: NDArray[np.int64]


@compiled
def open_desk(state: State, desk: Desk) -> None:
    """Remember where the account stands before the step."""
    for number in range(desk.earned.size):
        desk.earned[number] = _earned(state, number)


@compiled
def _earned(state: State, number: int) -> int:
    return whole(state.words, state.plan[state.plan[SCHEMES] + number * SCHEME_WIDTH + EARNED])


@compiled
def conclude(state: State, desk: Desk, why: Why, first: int, from_ms: int, entering: bool) -> int:
    """All that follows the decisions of a step, which are the tales from `first` on; how it ended."""
    changed = False
    for place in range(first, desk.tales.written[0]):
        changed = changed or desk.tales.heads[place, WHAT] == CHANGE
    if changed:
        ended = foretell(state, desk.future, desk.tales, desk.dreams, first)
        if ended != DONE:
            return ended
    changed = changed or entering
    for number in range(desk.earned.size):
        changed = changed or desk.earned[number] != _earned(state, number)
    if changed and not _tell_standings(state, desk.tales, why):
        return FULL
    return DONE if _look_ahead(state, from_ms) else DOSSIER


@compiled
def _tell_standings(state: State, tales: Tales, why: Why) -> bool:
    """Where the account stands now, under the next revision."""
    put(state.words, state.plan[REVISION], whole(state.words, state.plan[REVISION]) + 1)
    told = About(STANDINGS, state.plan[SCHEMES], NOWHERE, 0, 0, 0, whole(state.words, state.plan[CLOCK]), 0)
    return tell(state, tales, why, told, Standing(0, 0, 0), Claim(0, 0, 0))


@compiled
def _look_ahead(state: State, from_ms: int) -> bool:
    """Keep a deadline that is not late: the old one if it still holds, else the next change. False if the row alone does not say."""
    if not is_covered(state, from_ms):
        return False
    deadline_ms = whole(state.words, state.plan[DEADLINE])
    if deadline_ms >= UNBOUNDED or not still_holds(state, from_ms, deadline_ms):
        put(state.words, state.plan[DEADLINE], next_change(state, from_ms)[0])
    return True
