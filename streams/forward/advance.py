"""The compiled loop over a batch: fold what is dull, stop at the first record that is not."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from schemas.interaction_columns import InteractionColumns
from streams.account_index import look_up
from streams.account_memory import Memory
from streams.forward.cells import NOWHERE, State, whole
from streams.forward.concluding import AHEAD, Desk
from streams.forward.folding import NO_ROOM, REPEATED, UNKNOWN, UNREADABLE, Happening, fold
from streams.forward.marking import mark
from streams.forward.plan import DEADLINE, MAX_AHEAD, TOPIC, Plan
from streams.hashing import xxh64
from streams.packed_rows import fetch_row, keep_row, load_row

NO_SEED = np.uint64(0)


class Records(NamedTuple):
    """A batch as bytes: `columns` says where payload i begins; key i is `keys[key_begin[i] : key_end[i]]`, empty if there is none."""

    payloads: NDArray[np.uint8]
    keys: NDArray[np.uint8]
    key_begin: NDArray[np.int64]
    key_end: NDArray[np.int64]
    offset: NDArray[np.int64]
    appended_at_ms: NDArray[np.int64]
    columns: InteractionColumns


END, LEFT, NO_MEMORY, UNTOLD, NEW = range(5)
"""Why it stopped: at the end of the batch; a record is left to Python; a row has outgrown the memory; there is much to tell first; a
record is the first one of its account, which is to be let in or left to Python."""


@compiled
def advance(
    first: int, records: Records, memory: Memory, policy: Plan, copy: State, desk: Desk, tally: NDArray[np.int64]
) -> tuple[int, int]:
    """Fold records from `first` on. The place at which it stopped, and why: nothing has changed for the record there.

    `tally` counts the records by what became of them.
    """
    columns, payloads, plan, seed = records.columns, records.payloads, policy.plan, np.uint64(policy.plan[TOPIC])
    for place in range(first, records.offset.size):
        if (place - first) % AHEAD == 0:
            _find(place, records, memory, desk.ahead)
        fate, number, told = UNREADABLE, -1, desk.tales.written[0]
        at_ms = columns.occurred_at_ms[place]
        if columns.fit[place] != 0 and at_ms - records.appended_at_ms[place] <= plan[MAX_AHEAD]:
            begin, size = columns.account_begin[place], np.int64(columns.account_size[place])
            if _same(records.keys, records.key_begin[place], records.key_end[place], payloads, begin, size):
                fate, number = UNKNOWN, desk.ahead[(place - first) % AHEAD]
        if number >= 0:
            contact, contact_size = NO_SEED, np.int64(columns.contact_size[place])
            if contact_size >= 0:
                contact = xxh64(payloads, columns.contact_begin[place], contact_size, NO_SEED)
            happening = Happening(
                np.uint64(xxh64(payloads, columns.event_begin[place], np.int64(columns.event_size[place]), seed)).view(np.int64),
                records.offset[place],
                at_ms,
                _kind(policy.kind_text, policy.kind_begin, payloads, columns.kind_begin[place], np.int64(columns.kind_size[place])),
                np.int64(columns.actor[place]),
                contact_size >= 0,
                np.uint64(contact).view(np.int64),
                columns.dwell_seconds[place],
            )
            load_row(memory.rows, number, copy.words)
            fate = fold(copy, desk, happening, place, number)
        if fate < REPEATED and not keep_row(memory.rows, number, copy.words):
            desk.tales.written[0] = told
            return place, NO_MEMORY
        if fate == UNKNOWN:
            return place, NEW
        if fate > REPEATED:
            desk.tales.written[0] = told
            if fate == NO_ROOM and told > 0:
                return place, UNTOLD
        tally[fate] += 1
        if fate > REPEATED:
            return place, LEFT
        if fate < REPEATED:
            mark(memory, number, whole(copy.words, plan[DEADLINE]))
    return int(records.offset.size), END


@compiled
def _find(first: int, records: Records, memory: Memory, found: NDArray[np.int64]) -> None:
    """The accounts of the next records, and their rows brought close: that memory is far away is waited for once, not for each in turn.

    `found` has one place more, for what nobody reads: without it nothing would be fetched.
    """
    columns, fetched = records.columns, 0
    many = min(AHEAD, records.offset.size - first)
    for each in range(many):
        found[each] = NOWHERE
        if columns.fit[first + each] != 0:
            begin, size = columns.account_begin[first + each], np.int64(columns.account_size[first + each])
            found[each] = look_up(memory.table, memory.key_begin, memory.keys, records.payloads, begin, size)
    for each in range(many):
        if found[each] != NOWHERE:
            fetched ^= fetch_row(memory.rows, found[each]) ^ memory.touched[found[each]]
    found[AHEAD] = fetched


@compiled
def _kind(text: NDArray[np.uint8], text_begin: NDArray[np.int64], payloads: NDArray[np.uint8], begin: int, size: int) -> int:
    """The kind's number in the plan, past the last one if the policy does not name it."""
    for kind in range(text_begin.size - 1):
        if _same(text, text_begin[kind], text_begin[kind + 1], payloads, begin, size):
            return kind
    return text_begin.size - 1


@compiled
def _same(text: NDArray[np.uint8], at: int, end: int, other: NDArray[np.uint8], begin: int, size: int) -> bool:
    """Whether text[at:end] is other[begin : begin + size]."""
    if end - at != size:
        return False
    for step in range(size):
        if text[at + step] != other[begin + step]:
            return False
    return True
