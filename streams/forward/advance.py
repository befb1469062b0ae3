"""The compiled loop over a batch: fold what is dull, stop at the first record that is not."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from schemas.interaction_columns import InteractionColumns
from streams.account_index import look_up
from streams.accounts import Memory
from streams.forward.cells import Cells, whole
from streams.forward.folding import DECIDES, REPEATED, Happening, fold
from streams.forward.plan import DEADLINE, Plan
from streams.hashing import xxh64

NO_SEED = np.uint64(0)


class Records(NamedTuple):
    """A batch as bytes: payload i begins where `columns` says, key i is `keys[key_begin[i] : key_begin[i + 1]]`, empty where there is none."""

    payloads: NDArray[np.uint8]
    keys: NDArray[np.uint8]
    key_begin: NDArray[np.int64]
    offset: NDArray[np.int64]
    appended_at_ms: NDArray[np.int64]
    columns: InteractionColumns


@compiled
def advance(first: int, records: Records, memory: Memory, plan: Plan, copy: Cells, tally: NDArray[np.int64]) -> int:
    """Fold records from `first` on. The place of the first one that is not for here, untouched; the batch's length if there is none.

    `tally[fate]` counts the records folded.
    """
    for place in range(first, records.offset.size):
        number = _account(place, records, memory, plan)
        if number < 0:
            return place
        copy.i8[:] = memory.i8[number]
        fate = fold(copy, plan, _happening(place, records, plan))
        if fate == DECIDES:
            return place
        tally[fate] += 1
        if fate != REPEATED:
            memory.i8[number, :] = copy.i8
            memory.deadlines[number] = whole(copy, plan.account[DEADLINE])
            _touch(memory, number)
    return int(records.offset.size)


@compiled
def _account(place: int, records: Records, memory: Memory, plan: Plan) -> int:
    """The account of a record that may be folded here, -1 otherwise."""
    columns = records.columns
    if columns.fit[place] == 0 or columns.occurred_at_ms[place] - records.appended_at_ms[place] > plan.max_ahead_ms:
        return -1
    begin, size = columns.account_begin[place], np.int64(columns.account_size[place])
    key = records.key_begin[place]
    if records.key_begin[place + 1] - key != size:
        return -1
    for step in range(size):
        if records.keys[key + step] != records.payloads[begin + step]:
            return -1
    return look_up(memory.table, memory.key_begin, memory.keys, records.payloads, begin, size)


@compiled
def _happening(place: int, records: Records, plan: Plan) -> Happening:
    columns, payloads = records.columns, records.payloads
    event = xxh64(payloads, columns.event_begin[place], np.int64(columns.event_size[place]), np.uint64(plan.seed))
    contact, contact_size = NO_SEED, np.int64(columns.contact_size[place])
    if contact_size >= 0:
        contact = xxh64(payloads, columns.contact_begin[place], contact_size, NO_SEED)
    return Happening(
        np.uint64(event).view(np.int64),
        records.offset[place],
        columns.occurred_at_ms[place],
        _kind(plan, payloads, columns.kind_begin[place], np.int64(columns.kind_size[place])),
        np.int64(columns.actor[place]),
        contact_size >= 0,
        np.uint64(contact).view(np.int64),
        columns.dwell_seconds[place],
    )


@compiled
def _kind(plan: Plan, payloads: NDArray[np.uint8], begin: int, size: int) -> int:
    """The kind's number in the plan, past the last one if the policy does not name it."""
    for kind in range(plan.kind_begin.size - 1):
        text = plan.kind_begin[kind]
        if plan.kind_begin[kind + 1] - text == size and _same(plan.kind_text, text, payloads, begin, size):
            return kind
    return plan.kind_begin.size - 1


@compiled
def _same(text: NDArray[np.uint8], at: int, other: NDArray[np.uint8], begin: int, size: int) -> bool:
    for step in range(size):
        if text[at + step] != other[begin + step]:
            return False
    return True


@compiled
def _touch(memory: Memory, number: int) -> None:
    if memory.touched[number] == 0:
        memory.touched[number] = 1
        memory.touched_list[memory.touched_count[0]] = number
        memory.touched_count[0] += 1
