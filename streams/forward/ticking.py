"""Time passing in compiled code for accounts whose deadline has come: what changes is decided, the others are given their next one."""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.account_memory import Memory
from streams.forward.advance import END, LEFT, NO_MEMORY, UNTOLD
from streams.forward.cells import NOWHERE, State, whole
from streams.forward.concluding import Desk, conclude, open_desk
from streams.forward.marking import mark
from streams.forward.passing import DONE, FULL, pass_time
from streams.forward.plan import CLOCK, DEADLINE
from streams.forward.tales import BY_RECORD, Why
from streams.packed_rows import keep_row, load_row


@compiled
def decide_due(first: int, numbers: NDArray[np.int64], until_ms: int, memory: Memory, copy: State, desk: Desk) -> tuple[int, int]:
    """Let time pass up to `until_ms` for these accounts, from `first` on, in their order. Where it stopped, and why, as `advance`."""
    for place in range(first, numbers.size):
        number, told = numbers[place], desk.tales.written[0]
        load_row(memory.rows, number, copy.words)
        ended = _passed(copy, desk, number, until_ms)
        if ended == DONE and keep_row(memory.rows, number, copy.words):
            mark(memory, number, whole(copy.words, copy.plan[DEADLINE]))
            continue
        desk.tales.written[0] = told
        if ended == DONE:
            return place, NO_MEMORY
        return place, UNTOLD if ended == FULL and told > 0 else LEFT
    return numbers.size, END


@compiled
def _passed(state: State, desk: Desk, number: int, until_ms: int) -> int:
    """Time passes for one account; how it ended."""
    told = desk.tales.written[0]
    open_desk(state, desk)
    ended = pass_time(state, desk.tales, NOWHERE, number, until_ms)
    if ended == DONE:
        from_ms = max(whole(state.words, state.plan[CLOCK]), until_ms)
        ended = conclude(state, desk, Why(NOWHERE, number, BY_RECORD, NOWHERE, NOWHERE), told, from_ms, False)
    return ended
