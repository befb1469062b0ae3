"""Packed rows: what comes out is what went in, in whatever order rows grow, shrink and move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import packed_rows
from streams.masked_rows import Words
from streams.packed_rows import Packed, keep_row, load_row, spacious, unpacked

WIDTHS = [1, 5, 63, 64, 65, 130]
words = st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63), 1 << 62])


def start_of(width: int) -> Words:
    return np.array([number % 3 - 1 for number in range(width)], np.int64)


def put(rows: Packed, number: int, row: Words) -> Packed:
    """The rows with this one kept, in more memory if need be."""
    if keep_row(rows, number, row):
        return rows
    rows = spacious(rows, len(rows.room), packed_rows.longest(rows))
    assert keep_row(rows, number, row)
    return rows


def got(rows: Packed, number: int) -> list[int]:
    row = np.full(len(rows.start), 99, np.int64)
    load_row(rows, number, row)
    return list(row.tolist())


@given(st.sampled_from(WIDTHS).flatmap(
    lambda width: st.lists(st.tuples(st.integers(0, 3), st.lists(words, min_size=width, max_size=width)), min_size=1, max_size=12)
))  # fmt: skip
def test_every_row_is_the_last_one_kept_of_it(kept: list[tuple[int, list[int]]]) -> None:
    width = len(kept[0][1])
    rows, expected = packed_rows.empty(start_of(width), 4), dict.fromkeys(range(4), start_of(width).tolist())
    for number, row in kept:
        rows = put(rows, number, np.array(row, np.int64))
        expected[number] = row
        assert {each: got(rows, each) for each in range(4)} == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_a_row_as_it_starts_takes_its_mask_alone(width: int) -> None:
    rows = put(packed_rows.empty(start_of(width), 1), 0, start_of(width))
    given_back = _given(rows, [0])
    assert len(given_back[0]) == 8 * (-(-width // 64))
    assert unpacked(given_back[0], start_of(width)).tolist() == start_of(width).tolist() == got(rows, 0)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_given_is_taken_again(width: int) -> None:
    rows = packed_rows.empty(start_of(width), 3)
    for number in range(2):
        rows = put(rows, number, start_of(width) + number)
    back = packed_rows.empty(start_of(width), 3)
    back = spacious(back, 3, 3 * packed_rows.longest(back))
    payloads = [b"layoutid" + packed for packed in _given(rows, [2, 0, 1])]
    column = np.zeros(3, np.int64)
    taken = packed_rows.take_rows(
        back, np.array([2, 0, 1]), np.frombuffer(b"".join(payloads), np.int64), np.cumsum([len(each) // 8 for each in payloads]),
        width - 1, column,
    )  # fmt: skip
    assert taken == 3
    assert [got(back, number) for number in range(3)] == [got(rows, number) for number in range(3)]
    assert column.tolist() == [got(rows, number)[-1] for number in range(3)]


def test_a_row_for_which_there_is_no_room_is_left_as_it_was() -> None:
    rows = packed_rows.empty(start_of(8), 1)
    assert not keep_row(rows, 0, start_of(8) + 5)
    assert got(rows, 0) == start_of(8).tolist()
    rows = put(rows, 0, start_of(8) + 5)
    full = rows._replace(words=rows.words[: int(rows.end[0]) + 1].copy())
    assert keep_row(full, 0, start_of(8) + 6)  # where it is
    full.room[0] = 1  # as if it had outgrown its room
    assert not keep_row(full, 0, start_of(8) + 7)
    assert got(full, 0) == (start_of(8) + 6).tolist()


def test_moving_closely_together_leaves_no_gaps() -> None:
    rows = packed_rows.empty(start_of(64), 2)
    for turn in range(200):
        row = start_of(64)
        row[: turn % 64] += 1
        rows = put(rows, turn % 2, row)
    rows = spacious(rows, 2, 0)
    assert rows.end[0] == sum(rows.room)


@pytest.mark.parametrize("wrong", [b"", bytes(7), bytes(16), b"\x01" + bytes(7), b"\x03" + bytes(15)])
def test_what_is_no_packed_row_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="a packed row must"):
        unpacked(wrong, start_of(10))


def _given(rows: Packed, numbers: list[int]) -> list[bytes]:
    payloads, ends = np.zeros(len(numbers) * (packed_rows.longest(rows) + 1), np.int64), np.zeros(len(numbers), np.int64)
    packed_rows.give_rows(rows, np.array(numbers), 7, payloads, ends)
    return [payloads[begin + 1 : end].tobytes() for begin, end in zip([0, *ends.tolist()], ends.tolist(), strict=False)]
