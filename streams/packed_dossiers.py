"""Dossiers as bytes in one piece of memory: no object for an account before somebody asks for its dossier.

Each lies in whole steps of eight bytes. One that no longer fits where it lies moves to the end; when the end is reached all of them
move closely together into new memory. What a dossier leaves behind is cleared, so that nothing is left of one that was dropped.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.account_index import grown
from streams.hashing import Bytes

Words = NDArray[np.int64]
Steps = NDArray[np.uint32]

STEP = 8
FIRST_BYTES = 4096
MOST_BYTES = STEP * (2**32 - 1)
"""What places in steps of 32 bits can name."""


class Packed(NamedTuple):
    """The dossiers for compiled code. `place` is in steps, `size` in bytes; size 0 is an account without one.

    `end[0]` is where free memory begins, in bytes; it is clear from there on.
    """

    memory: Bytes
    place: Steps
    size: Steps
    end: Words


@compiled
def _room(size: int) -> int:
    """The bytes that a dossier of this size lies in."""
    return (size + STEP - 1) // STEP * STEP


@compiled
def _clear(dossiers: Packed, number: int) -> None:
    begin = np.int64(dossiers.place[number]) * STEP
    for place in range(begin, begin + np.int64(dossiers.size[number])):
        dossiers.memory[place] = 0


@compiled
def keep(dossiers: Packed, number: int, payload: Bytes, begin: int, size: int) -> bool:
    """Keep an account's dossier, `payload[begin : begin + size]`. False: there is no room for it; then nothing has changed."""
    moves = size > _room(int(np.int64(dossiers.size[number])))
    end = dossiers.end[0]
    if moves and end + _room(size) > len(dossiers.memory):
        return False
    _clear(dossiers, number)
    if moves:
        dossiers.place[number] = end // STEP
        dossiers.end[0] = end + _room(size)
    dossiers.size[number] = size
    at, source = np.uint64(np.int64(dossiers.place[number]) * STEP), np.uint64(begin)  # as in `schemas/gathering.py`
    for place in range(np.uint64(size)):
        dossiers.memory[at + place] = payload[source + place]
    return True


@compiled
def keep_all(dossiers: Packed, numbers: Words, payloads: Bytes, ends: Words, first: int) -> int:
    """Keep dossiers from the changelog: `payloads[ends[i - 1] : ends[i]]` is a format byte and the ith one; they begin with `first`.

    Gives how far this got: there is no room for the next one.
    """
    for each in range(first, len(numbers)):
        begin = (ends[each - 1] if each else 0) + 1
        if not keep(dossiers, numbers[each], payloads, begin, ends[each] - begin):
            return each
    return len(numbers)


@compiled
def drop(dossiers: Packed, number: int) -> None:
    """The account has no dossier, and nothing is left of it."""
    _clear(dossiers, number)
    dossiers.size[number] = 0


@compiled
def _live(dossiers: Packed) -> int:
    """The bytes that all of them lie in."""
    live = 0
    for size in dossiers.size:
        live += _room(int(np.int64(size)))
    return live


@compiled
def _move_all(dossiers: Packed, into: Bytes) -> None:
    """All of them closely together into other memory."""
    end = 0
    for number in range(len(dossiers.size)):
        size, begin = int(np.int64(dossiers.size[number])), np.int64(dossiers.place[number]) * STEP
        for place in range(size):
            into[end + place] = dossiers.memory[begin + place]
        dossiers.place[number] = end // STEP
        end += _room(size)
    dossiers.end[0] = end


class Dossiers:
    """The dossiers of a partition's accounts, by number, as msgpack."""

    def __init__(self, accounts: int) -> None:
        """`accounts`: how many numbers there is room for."""
        self._packed = Packed(
            np.zeros(0, np.uint8), np.zeros(accounts, np.uint32), np.zeros(accounts, np.uint32), np.zeros(1, np.int64)
        )  # fmt: skip

    def __len__(self) -> int:
        """How many accounts have one."""
        return int(np.count_nonzero(self._packed.size))

    def grow(self, accounts: int) -> None:
        """Room for more numbers."""
        self._packed = self._packed._replace(place=grown(self._packed.place, accounts), size=grown(self._packed.size, accounts))

    def get(self, number: int) -> bytes | None:
        """The account's dossier, None if it has none."""
        begin, size = int(self._packed.place[number]) * STEP, int(self._packed.size[number])
        return self._packed.memory[begin : begin + size].tobytes() if size else None

    def put(self, number: int, encoded: bytes) -> None:
        """Keep the account's dossier."""
        payload = np.frombuffer(encoded, np.uint8)
        if not keep(self._packed, number, payload, 0, len(encoded)):
            self._make_room(len(encoded))
            keep(self._packed, number, payload, 0, len(encoded))

    def put_all(self, numbers: Words, payloads: Bytes, ends: Words) -> None:
        """Keep dossiers as they lie in the changelog, each behind its format byte. Of a number's dossiers the last one stays."""
        kept = keep_all(self._packed, numbers, payloads, ends, 0)
        if kept < len(numbers):
            many = int(self._packed.end[0])  # as many again will come: every move in new memory is a copy of all
            self._make_room(many + len(payloads) + STEP * len(numbers))
            keep_all(self._packed, numbers, payloads, ends, kept)

    def drop(self, number: int) -> None:
        """The account has none any more."""
        drop(self._packed, number)

    def restored(self) -> None:
        """Everything is back: memory grows slowly from here."""
        self._packed = self._packed._replace(memory=self._packed.memory[: max(int(self._packed.end[0]) * 4 // 3, FIRST_BYTES)])

    def _make_room(self, size: int) -> None:
        """New memory with room for so many bytes more and a third over."""
        least = _live(self._packed) + _room(size)
        if least > MOST_BYTES:
            raise MemoryError(f"the dossiers of one partition must fit {MOST_BYTES} bytes, need {least}: use more partitions")
        into = np.zeros(min(max(least * 4 // 3, FIRST_BYTES), MOST_BYTES), np.uint8)
        _move_all(self._packed, into)
        self._packed = self._packed._replace(memory=into)
