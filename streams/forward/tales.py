"""What compiled code has decided and Python has still to tell: numbers, and the account's row as it was at that moment.

A tale is written where Python would make a record, so that the records are made later, of the same numbers, in the same order.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.earned import Claim, Standing
from streams.forward.cells import State, whole
from streams.forward.plan import CLOCK, DIMENSION_WIDTH, DIMENSIONS, WORTH

CHANGE, LEAD, FORECAST, STANDINGS = range(4)
"""A published change; a hot lead; what comes next after the last change of the scheme; where the account stands now."""

WHAT, RECORD, ACCOUNT, SCHEME, NOW, CAUSE, DETAIL, OF_DETAIL, FIRED, BEFORE, AFTER, SCORE_BEFORE, AT, KEEPS = range(14)
"""A tale's numbers. RECORD: the place of its record in the batch, NOWHERE for a tick. FIRED: the trigger that began to hold. BEFORE, AFTER:
published tiers, BEFORE is NOWHERE on entry. AT, KEEPS: of a forecast, when, and the points that would keep the tier."""

STOOD, CLAIMED, TALE_WIDTH = 14, 17, 20
"""Where the decision's standing and claim begin, three numbers each: what a decision was made of says why it was made."""

BY_RECORD, BY_LATE_RECORD, BY_TRIGGER, BY_CLOCK, BY_PENDING_MOVE, BY_TRIGGER_IN_TIME, BY_TRIGGER_END, BY_WINDOW, BY_DECAY = range(9)
BY_OVERRIDE_END = 9
"""Causes. DETAIL of BY_CLOCK is the clock, OF_DETAIL the tier it ran out in; of BY_TRIGGER_IN_TIME the trigger and its scheme."""


class Tales(NamedTuple):
    """Room for so many of them. `worths`: what the dimensions were worth before; `written[0]` of them are written."""

    heads: NDArray[np.int64]
    rows: NDArray[np.int64]
    worths: NDArray[np.int64]
    written: NDArray[np.int64]
    before: NDArray[np.int64]


class Why(NamedTuple):
    """Why something is decided."""

    record: int
    account: int
    cause: int
    detail: int
    of_detail: int


class About(NamedTuple):
    """What one tale is about; see the numbers above."""

    what: int
    scheme: int
    fired: int
    before: int
    after: int
    score_before: int
    at_ms: int
    keeps_micro: int


def room_for(tales: int, row_words: int, dimensions: int) -> Tales:
    """Room for so many tales."""
    return Tales(
        np.zeros((tales, TALE_WIDTH), np.int64),
        np.zeros((tales, row_words), np.int64),
        np.zeros((tales, dimensions), np.int64),
        np.zeros(1, np.int64),
        np.zeros(dimensions, np.int64),
    )


@compiled
def remember_worths(state: State, tales: Tales) -> None:
    """What each dimension is worth before it is evaluated anew."""
    for number in range(tales.before.size):
        tales.before[number] = whole(state.words, state.plan[state.plan[DIMENSIONS] + number * DIMENSION_WIDTH + WORTH])


@compiled
def tell(state: State, tales: Tales, why: Why, about: About, stood: Standing, claim: Claim) -> bool:
    """Write a tale; False if there is no room for it."""
    place = tales.written[0]
    if place == len(tales.heads):
        return False
    head = tales.heads[place]
    head[WHAT], head[RECORD], head[ACCOUNT], head[SCHEME] = about.what, why.record, why.account, about.scheme
    head[NOW], head[CAUSE], head[DETAIL], head[OF_DETAIL] = whole(state.words, state.plan[CLOCK]), why.cause, why.detail, why.of_detail
    head[FIRED], head[BEFORE], head[AFTER], head[SCORE_BEFORE] = about.fired, about.before, about.after, about.score_before
    head[AT], head[KEEPS] = about.at_ms, about.keeps_micro
    head[STOOD], head[STOOD + 1], head[STOOD + 2] = stood.tier, stood.since_ms, stood.stepped_ms
    head[CLAIMED], head[CLAIMED + 1], head[CLAIMED + 2] = claim.number_micro, claim.lift, claim.ceiling
    for word in range(state.words.size):
        tales.rows[place, word] = state.words[word]
    for number in range(tales.before.size):
        tales.worths[place, number] = tales.before[number]
    tales.written[0] = place + 1
    return True
