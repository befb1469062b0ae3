"""Rows in little memory: of each row only the words that differ from how every row starts, behind a mask of which they are.

A row is `words` numbers of 64 bits. Packed it is one bit for each of them, in whole words, and then those whose bit is set, in
order. Packed rows lie in one piece of memory, each with a little room to grow; one that outgrows its room moves to the end,
and when the end is reached all of them move closely together into new memory. So memory follows what is known of an account,
not what could be known.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.changelog import ChangelogError, row_of
from schemas.compiling import compiled
from schemas.gathering import gathered
from schemas.pieces import Pieces
from streams.account_index import parted
from streams.masked_rows import BITS, Words, compare, fill, masks_of, packed_size, unpack

Numbers = NDArray[np.int64] | NDArray[np.int32]

STEP = 4
"""A row's room is a multiple of so many words."""
SLACK = 2
"""So many words a row may grow by, at least, before it moves."""
FIRST_WORDS = 4096
_NEAR = 8


class Packed(NamedTuple):
    """The packed rows for compiled code. `place` is in steps, `room` in words; room 0 is a row as it starts.

    `end[0]` is where free memory begins. `scratch` has room for the longest row.
    """

    words: Words
    place: NDArray[np.uint32]
    room: NDArray[np.uint16]
    end: Words
    start: Words
    scratch: Words


Taking = Callable[[Packed, Words, Words, Words], int]
"""Puts rows of the changelog into the accounts of these numbers, given the words of all and where each ends; how many it took."""


@compiled
def _begin(rows: Packed, number: int) -> int:
    """Where an account's packed row begins, if it has room."""
    return int(np.int64(rows.place[number])) * STEP


@compiled
def load_row(rows: Packed, number: int, row: Words) -> None:
    """Unpack an account's row."""
    if rows.room[number]:
        unpack(rows.words, _begin(rows, number), rows.start, row)
    else:
        for word in range(len(rows.start)):
            row[word] = rows.start[word]


@compiled
def fetch_row(rows: Packed, number: int) -> int:
    """Touch an account's row, so that the processor has it near: a number that says nothing."""
    touched, begin = 0, _begin(rows, number)
    for word in range(0, np.int64(rows.room[number]), _NEAR):
        touched ^= rows.words[begin + word]
    return touched


@compiled
def keep_row(rows: Packed, number: int, row: Words) -> bool:
    """Pack an account's row. False: it must move and there is no room for it; then nothing has changed."""
    if not _has_room(rows, number, compare(row, rows.start, rows.scratch)):
        return False
    fill(row, rows.scratch, rows.words, _begin(rows, number))
    return True


@compiled
def swap_row(rows: Packed, number: int, row: Words, other: int) -> bool:
    """Pack an account's row (below 0: nobody's) and unpack another's into its place. False as with `keep_row`."""
    if number >= 0 and not keep_row(rows, number, row):
        return False
    load_row(rows, other, row)
    return True


@compiled
def _has_room(rows: Packed, number: int, size: int) -> bool:
    """Whether a row of this size fits where the account's row is; it is given a new place if it does not."""
    if size <= rows.room[number]:
        return True
    room, at = _roomy(size), rows.end[0]
    if at + room > len(rows.words):
        return False
    rows.place[number] = at // STEP
    rows.room[number] = room
    rows.end[0] = at + room
    return True


@compiled
def _roomy(size: int) -> int:
    return (size + SLACK + STEP - 1) // STEP * STEP


@compiled
def _word(rows: Packed, number: int, word: int) -> int:
    """One word of an account's row."""
    begin, at = _begin(rows, number), masks_of(len(rows.start))
    for before in range(word):
        at += (rows.words[begin + before // BITS] >> (before % BITS)) & 1
    bit = (rows.words[begin + word // BITS] >> (word % BITS)) & 1
    return int(rows.words[begin + at] if bit else rows.start[word])


@compiled
def take_rows(rows: Packed, numbers: Numbers, payloads: Words, ends: Words, watched: int, column: Words) -> int:
    """Put packed rows back as the changelog has them: `payloads[ends[i - 1] : ends[i]]` is the layout's id and the ith row.

    Gives how many were taken: the next one is no row, or there is no room for it. `column` gets each row's word `watched`.
    """
    masks = masks_of(len(rows.start))
    for each in range(len(numbers)):
        number, begin = numbers[each], (ends[each - 1] if each else 0) + 1
        size = ends[each] - begin
        if size < masks or size != packed_size(payloads, begin, masks) or not _has_room(rows, number, size):
            return each
        at = _begin(rows, number)
        for word in range(size):
            rows.words[at + word] = payloads[begin + word]
        column[number] = _word(rows, number, watched)
    return len(numbers)


@compiled
def take_row(payloads: Words, begin: int, end: int, start: Words, row: Words) -> bool:
    """Unpack the row that is `payloads[begin:end]`; False if it is none."""
    masks = masks_of(len(start))
    if end - begin < masks or end - begin != packed_size(payloads, begin, masks):
        return False
    unpack(payloads, begin, start, row)
    return True


@compiled
def give_rows(rows: Packed, numbers: Numbers, layout_word: int, payloads: Words, ends: Words) -> None:
    """The inverse of `take_rows`."""
    end, masks = 0, masks_of(len(rows.start))
    for each in range(len(numbers)):
        number = numbers[each]
        at = _begin(rows, number)
        payloads[end] = layout_word
        end += 1
        if rows.room[number]:
            for word in range(packed_size(rows.words, at, masks)):
                payloads[end] = rows.words[at + word]
                end += 1
        else:
            for _ in range(masks):
                payloads[end] = 0
                end += 1
        ends[each] = end


@compiled
def _live(rows: Packed, accounts: int) -> int:
    """The words that all rows need, with a little room each."""
    live, masks = 0, masks_of(len(rows.start))
    for number in range(accounts):
        if rows.room[number]:
            live += _roomy(packed_size(rows.words, _begin(rows, number), masks))
    return live


@compiled
def _move_all(rows: Packed, accounts: int, into: Words) -> None:
    """All rows closely together into other memory."""
    end, masks = 0, masks_of(len(rows.start))
    for number in range(accounts):
        if rows.room[number]:
            at = _begin(rows, number)
            size = packed_size(rows.words, at, masks)
            for word in range(size):
                into[end + word] = rows.words[at + word]
            rows.place[number], rows.room[number] = end // STEP, _roomy(size)
            end += _roomy(size)
    rows.end[0] = end


def spacious(rows: Packed, accounts: int, words: int) -> Packed:
    """The rows of so many accounts in new memory, with room for so many words more and a third over."""
    into = np.zeros(max((_live(rows, accounts) + words) * 4 // 3, FIRST_WORDS), np.int64)
    _move_all(rows, accounts, into)
    return rows._replace(words=into)


def bounded(rows: Packed) -> Packed:
    """The same memory, of which no more is to be used than a third over what is."""
    return rows._replace(words=rows.words[: max(int(rows.end[0]) * 4 // 3, FIRST_WORDS)])


def empty(start: Words, accounts: int) -> Packed:
    """Memory for rows that start like this, and nothing in it yet."""
    masks = masks_of(len(start))
    place, room = np.zeros(accounts, np.uint32), np.zeros(accounts, np.uint16)
    return Packed(np.zeros(0, np.int64), place, room, np.zeros(1, np.int64), start, np.zeros(masks + len(start), np.int64))


def longest(rows: Packed) -> int:
    """The most words that one row can take, with its room."""
    return int(_roomy(len(rows.scratch)))


def payloads(rows: Packed, numbers: Numbers, layout_word: int) -> list[bytes]:
    """The rows of these accounts as the changelog has them."""
    ends, masks = np.empty(len(numbers), np.int64), masks_of(len(rows.start))
    words = np.empty(int(np.maximum(rows.room[numbers], masks).sum(dtype=np.int64)) + len(numbers), np.int64)
    give_rows(rows, numbers, layout_word, words, ends)
    return parted(words.tobytes(), (ends * 8).tolist())


def end_to_end(payloads: Pieces) -> tuple[Words, Words]:
    """The words of the changelog's rows, one behind the other, and where each row ends. Raises ChangelogError."""
    ends = np.cumsum(np.maximum(payloads.sizes, 0))
    if np.any(ends % 8):
        raise ChangelogError(f"changelog rows of layout {row_of(payloads[0] or b'')[0]:016x} must be whole words of 8 bytes")
    return gathered(payloads).view(np.int64), ends // 8


def unpacked(packed: bytes, start: Words) -> Words:
    """One packed row. Raises ValueError if this is none."""
    masks = masks_of(len(start))
    if len(packed) % 8 or len(packed) < 8 * masks:
        raise ValueError(f"a packed row must be whole words behind a mask of {masks}, got {len(packed)} bytes")
    words: NDArray[Any] = np.frombuffer(packed, np.int64)
    if (size := packed_size(words, 0, masks)) != len(words):
        raise ValueError(f"a packed row must have {8 * size} bytes by its mask, got {len(packed)}")
    row = np.empty(len(start), np.int64)
    unpack(words, 0, start, row)
    return row
