"""Which number an account has: an index over keys in one piece of memory, for Python and for compiled code alike.

Keys lie one behind another in an arena of bytes, in order of entry; `key_begin[n] .. key_begin[n + 1]` is the key of account n.
The table has open addressing with linear probing and is never more than three quarters full. A slot holds the upper half
of the key's hash (its tag) above the account's number plus one; 0 is an empty slot. The tag alone says where a probe
begins, so that a larger table is filled from the smaller one. A tag may lie; the key in the arena decides.
Nothing is taken out of the table: a forgotten account's number stays, with a key that no account can have, and is not used again.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.hashing import Bytes, xxh64

Table = NDArray[np.uint64]
Begins = NDArray[np.uint32]

KEY_SEED = np.uint64(0)
FIRST_ACCOUNTS = 1024
NO_KEY = 0xFF
"""Fills the key of an account that was forgotten: no UTF-8 has this byte, so nothing finds it."""
MOST_KEY_BYTES = 2**32 - 1
"""The arena's end must fit the begins: 16 million accounts of the longest keys in one partition."""

_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)
_Numbers = TypeVar("_Numbers", bound=np.generic)


@compiled
def hash_of(buffer: Bytes, begin: int, size: int) -> np.uint64:
    """The hash by which the index knows the key `buffer[begin : begin + size]`."""
    return xxh64(buffer, begin, size, KEY_SEED)


@compiled
def find(table: Table, key_begin: Begins, keys: Bytes, buffer: Bytes, begin: int, size: int, key_hash: np.uint64) -> int:
    """The number of the account whose key is `buffer[begin : begin + size]`, -1 if it was never seen. `key_hash`: its `hash_of`."""
    tag, slots = key_hash >> _HALF, len(table)
    slot: np.int64 | int = np.int64((tag * np.uint64(slots)) >> _HALF)
    while table[slot] != np.uint64(0):
        if table[slot] >> _HALF == tag:
            number = np.int64(table[slot] & _LOW) - 1
            known = np.int64(key_begin[number])
            same = np.int64(key_begin[number + 1]) - known == size
            place = 0
            while same and place < size:
                same = keys[known + place] == buffer[begin + place]
                place += 1
            if same:
                return int(number)
        slot = slot + 1 if slot + 1 < slots else 0
    return -1


@compiled
def look_up(table: Table, key_begin: Begins, keys: Bytes, buffer: Bytes, begin: int, size: int) -> int:
    """As `find`, for a key that nobody has hashed yet."""
    return find(table, key_begin, keys, buffer, begin, size, hash_of(buffer, begin, size))


@compiled
def _put(table: Table, entry: np.uint64) -> None:
    """Into the first free slot from where its tag says."""
    slots = len(table)
    slot: np.int64 | int = np.int64(((entry >> _HALF) * np.uint64(slots)) >> _HALF)
    while table[slot] != np.uint64(0):
        slot = slot + 1 if slot + 1 < slots else 0
    table[slot] = entry


@compiled
def _put_all(table: Table, smaller: Table) -> None:
    for entry in smaller:
        if entry != np.uint64(0):
            _put(table, entry)


@compiled
def number_all(
    table: Table, key_begin: Begins, keys: Bytes, count: int, buffer: Bytes, begins: NDArray[np.int64], sizes: NDArray[np.int64],
    numbers: NDArray[np.int64],
) -> int:  # fmt: skip
    """Number every key `buffer[begins[i] : begins[i] + sizes[i]]`, new ones as they come. How many accounts there are then.

    There must be room for all of them.
    """
    for each in range(len(begins)):
        begin, size = begins[each], sizes[each]
        key_hash = hash_of(buffer, begin, size)
        number = find(table, key_begin, keys, buffer, begin, size, key_hash)
        if number < 0:
            number = count
            end = np.int64(key_begin[count])
            for place in range(size):
                keys[end + place] = buffer[begin + place]
            count += 1
            key_begin[count] = end + size
            _put(table, ((key_hash >> _HALF) << _HALF) | np.uint64(count))
        numbers[each] = number
    return count


@compiled
def copy_keys(key_begin: Begins, keys: Bytes, numbers: NDArray[np.int32], prefix: int, into: Bytes, ends: NDArray[np.int64]) -> None:
    """The keys of these accounts, each behind the byte `prefix`, one behind another; `ends[i]` is where the ith ends."""
    at = 0
    for each in range(len(numbers)):
        into[at] = prefix
        at += 1
        for place in range(np.int64(key_begin[numbers[each]]), np.int64(key_begin[numbers[each] + 1])):
            into[at] = keys[place]
            at += 1
        ends[each] = at


def parted(joined: bytes, ends: list[int]) -> list[bytes]:
    """The pieces that end there."""
    return [joined[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def grown(entries: NDArray[_Numbers], least: int) -> NDArray[_Numbers]:
    """The entries in an array half as long again, at least `least`; memory behind them is not touched, so it costs nothing yet."""
    larger: NDArray[Any] = np.zeros((max(len(entries) * 3 // 2, least), *entries.shape[1:]), entries.dtype)
    larger[: len(entries)] = entries
    return larger


class AccountIndex:
    """Numbers by key, in order of entry from 0. The arrays are replaced as they grow."""

    def __init__(self, accounts: int = FIRST_ACCOUNTS) -> None:
        self.count = 0
        self.forgotten: set[int] = set()
        self.table: Table = np.zeros(accounts * 4 // 3 + 1, np.uint64)
        self.key_begin: Begins = np.zeros(accounts + 1, np.uint32)
        self.keys: Bytes = np.zeros(accounts * 12, np.uint8)

    def find(self, key: bytes) -> int | None:
        """The account's number, None if it was never seen."""
        number = look_up(self.table, self.key_begin, self.keys, np.frombuffer(key, np.uint8), 0, len(key))
        return number if number >= 0 else None

    def key(self, number: int) -> bytes:
        """The account's key."""
        return self.keys[int(self.key_begin[number]) : int(self.key_begin[number + 1])].tobytes()

    def prefixed(self, numbers: NDArray[np.int32], prefix: bytes) -> list[bytes]:
        """The keys of these accounts, each behind a byte."""
        ends, sizes = np.empty(len(numbers), np.int64), self.key_begin[numbers + 1] - self.key_begin[numbers]
        into = np.empty(int(sizes.sum(dtype=np.int64)) + len(numbers), np.uint8)
        copy_keys(self.key_begin, self.keys, numbers, prefix[0], into, ends)
        return parted(into.tobytes(), ends.tolist())

    def __iter__(self) -> Iterator[bytes]:
        return (self.key(number) for number in range(self.count) if number not in self.forgotten)

    def forget(self, number: int) -> None:
        """Nobody has this number any more, and its key is nowhere in memory."""
        self.keys[int(self.key_begin[number]) : int(self.key_begin[number + 1])] = NO_KEY
        self.forgotten.add(number)

    def enter(self, key: bytes) -> int:
        """Number a new account; one that is known keeps its number."""
        return int(self.enter_all(np.frombuffer(key, np.uint8), np.zeros(1, np.int64), np.full(1, len(key)))[0])

    def enter_all(self, buffer: Bytes, begins: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the keys `buffer[begins[i] : begins[i] + sizes[i]]`, new accounts numbered as they come."""
        self._make_room(len(begins), int(sizes.sum()))
        numbers = np.empty(len(begins), np.int64)
        self.count = number_all(self.table, self.key_begin, self.keys, self.count, buffer, begins, sizes, numbers)
        return numbers

    def _make_room(self, accounts: int, key_bytes: int) -> None:
        accounts += self.count
        key_bytes += int(self.key_begin[self.count])
        if key_bytes > MOST_KEY_BYTES:
            raise MemoryError(f"the keys of one partition must fit {MOST_KEY_BYTES} bytes, got {key_bytes}: use more partitions")
        if accounts >= len(self.key_begin):
            self.key_begin = grown(self.key_begin, accounts + 1)
        if key_bytes > len(self.keys):
            self.keys = grown(self.keys, key_bytes)
        if accounts * 4 > len(self.table) * 3:
            larger: Table = np.zeros(max(len(self.table) * 3 // 2, accounts * 4 // 3 + 1), np.uint64)
            _put_all(larger, self.table)
            self.table = larger
