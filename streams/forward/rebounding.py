"""Time passing in compiled code: accounts whose deadline was only an instant to look again are given the next one; the rest is Python's."""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.accounts import Memory
from streams.forward.cells import State, put, whole
from streams.forward.marking import mark
from streams.forward.plan import CLOCK, DEADLINE
from streams.forward.search import is_covered, next_change, still_holds
from streams.packed_rows import keep_row, load_row


@compiled
def rebound(numbers: NDArray[np.int64], until_ms: int, memory: Memory, copy: State) -> int:
    """Look again at these accounts, as of `until_ms`. How many are left to be decided: the first of `numbers` now, as they were."""
    left = 0
    for number in numbers:
        load_row(memory.rows, number, copy.words)
        if _looked_at(copy, until_ms) and keep_row(memory.rows, number, copy.words):
            mark(memory, number, whole(copy.words, copy.plan[DEADLINE]))
        else:
            numbers[left] = number
            left += 1
    return left


@compiled
def _looked_at(state: State, until_ms: int) -> bool:
    """Whether nothing happens to an account up to an instant; its deadline is then the next change, as `streams/passing.py` finds it."""
    clock_ms = whole(state.words, state.plan[CLOCK])
    if not is_covered(state, clock_ms):
        return False
    due_ms, _ = next_change(state, clock_ms)
    if due_ms <= until_ms:
        return False
    from_ms = max(clock_ms, until_ms)
    if not is_covered(state, from_ms):
        return False
    put(state.words, state.plan[DEADLINE], due_ms)
    if not still_holds(state, from_ms, due_ms):
        put(state.words, state.plan[DEADLINE], next_change(state, from_ms)[0])
    return True
