"""A row packed behind a mask: one bit for each of its words says whether it differs from how every row starts, and those that do follow.

The masks are whole words of 64 bits. Where a row lies among others is not known here (`streams/packed_rows.py`).
"""

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import bits_set, compiled, trailing_zeros

Words = NDArray[np.int64]

BITS = 64
_NONE, _ONE, _ALL = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1)


@compiled
def masks_of(words: int) -> int:
    """How many words the mask of a row takes."""
    return (words + BITS - 1) // BITS


@compiled
def _known(packed: Words, begin: int, block: int, words: int) -> np.uint64:
    """Which of the 64 words of a block a packed row has: a bit each. What a mask says of words that no row has does not count."""
    over = (block + 1) * BITS - words
    return np.uint64(packed[begin + block]) & (_ALL >> np.uint64(max(over, 0)))


@compiled
def unpack(packed: Words, begin: int, start: Words, row: Words) -> None:
    """The row that is packed from `begin` on."""
    words = len(start)
    at = begin + masks_of(words)
    for word in range(words):
        row[word] = start[word]
    for block in range(masks_of(words)):
        left = _known(packed, begin, block, words)
        while left != _NONE:
            row[block * BITS + trailing_zeros(left)] = packed[at]
            left &= left - _ONE
            at += 1


@compiled
def pack(row: Words, start: Words, packed: Words) -> int:
    """The row packed from the beginning of `packed` on, which has room for the longest; how many words it takes."""
    size = compare(row, start, packed)
    fill(row, packed, packed, 0)
    return size


@compiled
def compare(row: Words, start: Words, masks: Words) -> int:
    """Which words differ from how every row starts, in so many masks; how many words the row takes packed."""
    words = len(start)
    for block in range(masks_of(words)):
        mask, first = np.int64(0), block * BITS
        for bit in range(min(BITS, words - first)):
            mask |= np.int64(row[first + bit] != start[first + bit]) << bit
        masks[block] = mask
    return packed_size(masks, 0, masks_of(words))


@compiled
def fill(row: Words, masks: Words, packed: Words, begin: int) -> None:
    """The masks, and the words that they say, from `begin` on."""
    at = begin + masks_of(len(row))
    for block in range(masks_of(len(row))):
        packed[begin + block], left = masks[block], np.uint64(masks[block])
        while left != _NONE:
            packed[at] = row[block * BITS + trailing_zeros(left)]
            left &= left - _ONE
            at += 1


@compiled
def packed_size(packed: Words, begin: int, masks: int) -> int:
    """How many words a packed row takes, by its masks."""
    size = masks
    for block in range(masks):
        size += bits_set(np.uint64(packed[begin + block]))
    return size
