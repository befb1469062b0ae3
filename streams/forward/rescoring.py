"""Rows that were laid out anew are scored in compiled code, as `AccountFold.recall` does it one by one in Python."""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.account_memory import Memory
from streams.accounts import Accounts
from streams.forward.cells import State, put, whole
from streams.forward.clocks import begin
from streams.forward.foresight import Foresight
from streams.forward.plan import CLOCK, DEADLINE, SCHEME_END, SCHEME_WIDTH, SCHEMES, SCORE
from streams.forward.scoring import score
from streams.forward.search import is_covered
from streams.packed_rows import keep_row, load_row

Numbers = NDArray[np.int64]


def rescored(knows: Foresight, accounts: Accounts, numbers: Numbers) -> Numbers:
    """Score these accounts, whose rows are up to their dossiers, as of their own clocks; the next record decides.

    Gives those that are left to Python as they were: what is in their windows only the dossier knows.
    """
    left, done = np.zeros(len(numbers), np.uint8), 0
    while done < len(numbers):
        if done:
            accounts.make_room()
        done = _rescore(done, numbers, accounts.memory(), knows.blank(), left)
    return numbers[left == 1]


@compiled
def _rescore(first: int, numbers: Numbers, memory: Memory, copy: State, left: NDArray[np.uint8]) -> int:
    """The accounts from `first` on; the first one whose row there is no room for."""
    for place in range(first, len(numbers)):
        number = numbers[place]
        load_row(memory.rows, number, copy.words)
        clock_ms = whole(copy.words, copy.plan[CLOCK])
        if not is_covered(copy, clock_ms):
            left[place] = 1
            continue
        _score(copy, clock_ms)
        if not keep_row(memory.rows, number, copy.words):
            return place
        memory.deadlines[number] = clock_ms + 1
    return len(numbers)


@compiled
def _score(state: State, clock_ms: int) -> None:
    """Clocks that are new begin, and every ladder has the score."""
    words, plan = state.words, state.plan
    begin(state, clock_ms)
    score_micro = score(state, clock_ms)
    for scheme in range(plan[SCHEMES], plan[SCHEME_END], SCHEME_WIDTH):
        put(words, plan[scheme + SCORE], score_micro)
    put(words, plan[DEADLINE], clock_ms + 1)
