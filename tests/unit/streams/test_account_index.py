"""The index of keys: every key has one number, whatever the hashes do."""

from collections.abc import Iterator

import numpy as np
import pytest

from streams.account_index import MOST_KEY_BYTES, AccountIndex, find, number_all

KEYS = [b"a", b"b" * 255, "客户".encode(), b"acct-1", b"acct-10", b"acct-2", b"\xff" * 12, b" ", b"racct-1"]


@pytest.fixture(autouse=True)
def _overflowing() -> Iterator[None]:
    """Uncompiled, numpy warns of the overflows that the hash lives on."""
    with np.errstate(over="ignore"):
        yield


def test_numbers_go_by_entry_and_a_known_key_keeps_its_own() -> None:
    index = AccountIndex(2)
    assert [index.enter(key) for key in KEYS] == list(range(len(KEYS)))
    assert [index.enter(key) for key in reversed(KEYS)] == list(reversed(range(len(KEYS))))
    assert [index.find(key) for key in KEYS] == list(range(len(KEYS)))
    assert list(index) == [index.key(number) for number in range(len(KEYS))] == KEYS


def test_a_key_never_seen_has_no_number() -> None:
    index = AccountIndex(2)
    assert index.find(b"a") is None
    for key in KEYS:
        index.enter(key)
    unknown = [b"", b"acct-", b"acct-11", b"b" * 254, b"b" * 254 + b"c", b"A", b"acct-1\0"]
    assert [index.find(key) for key in unknown] == [None] * len(unknown)


def test_keys_of_one_hash_are_told_apart() -> None:
    """A table in which every key has the same tag is slow and right."""
    index = AccountIndex(64)
    index.enter_all(*_joined(KEYS))
    one_hash = np.uint64((2**32 - 1) << 32)  # it leads to the last slot, and on round the end
    table = np.zeros_like(index.table)
    for number in range(len(KEYS)):
        table[number - 1] = one_hash | np.uint64(number + 1)
    found = [find(table, index.key_begin, index.keys, np.frombuffer(key, np.uint8), 0, len(key), one_hash) for key in [*KEYS, b"nobody"]]
    assert found == [*range(len(KEYS)), -1]


def test_a_full_table_but_for_one_slot_still_answers() -> None:
    keys = [b"k%d" % number for number in range(40)]
    table, key_begin, arena = np.zeros(41, np.uint64), np.zeros(41, np.uint32), np.zeros(200, np.uint8)
    buffer, begins, sizes = _joined(keys)
    numbers = np.empty(len(keys), np.int64)
    assert number_all(table, key_begin, arena, 0, buffer, begins, sizes, numbers) == len(keys)
    assert numbers.tolist() == list(range(len(keys)))
    assert number_all(table, key_begin, arena, len(keys), buffer, begins, sizes, numbers) == len(keys)
    assert numbers.tolist() == list(range(len(keys)))


def test_growth_keeps_every_number() -> None:
    keys = [b"account %d" % (number * 7919) for number in range(3000)]
    index, at_once = AccountIndex(1), AccountIndex(1)
    assert [index.enter(key) for key in keys] == list(range(len(keys)))
    assert at_once.enter_all(*_joined([*keys, *keys[:5]])).tolist() == [*range(len(keys)), *range(5)]
    assert [index.find(key) for key in keys] == [at_once.find(key) for key in keys] == list(range(len(keys)))
    assert np.count_nonzero(index.table) == len(keys) <= len(index.table) * 3 // 4


def test_keys_beyond_the_arena_are_refused() -> None:
    index = AccountIndex(1)
    with pytest.raises(MemoryError, match="use more partitions"):
        index.enter_all(np.zeros(1, np.uint8), np.zeros(1, np.int64), np.full(1, MOST_KEY_BYTES + 1))
    assert index.count == 0


def _joined(keys: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes = np.array([len(key) for key in keys], np.int64)
    return np.frombuffer(b"".join(keys), np.uint8), np.cumsum(sizes) - sizes, sizes
