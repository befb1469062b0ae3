"""One account's row as compiled code sees it: words of eight bytes, and where in them a column lies.

The state of a fold is four arrays that go through every function together: the row's words, the same memory as reals, and the policy's
whole numbers and reals (`streams/forward/plan.py`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.columns import Layout

NOWHERE = -1
"""The place of a column that the policy does not have."""

_SIGNED = 4


class State(NamedTuple):
    """A row and the policy it is folded under."""

    words: NDArray[np.int64]
    reals: NDArray[np.float64]
    plan: NDArray[np.int64]
    numbers: NDArray[np.float64]


def place(layout: Layout, name: str) -> int:
    """Where a column's first number lies, and how wide it is, in one number: offset in bytes, one bit for signed, two for the width."""
    kind, offset = (layout.dtype.fields or {})[name][:2]
    number: np.dtype[Any] = kind.base
    signed = _SIGNED if number.kind == "i" else 0
    return offset << 3 | signed | number.itemsize.bit_length() - 1


@compiled
def nth(at: int, place: int) -> int:
    """Where the number lies that is `place` numbers behind the one at `at`."""
    return at + (place << (at & 3) << 3)


@compiled
def whole(words: NDArray[np.int64], at: int) -> int:
    """The whole number at a place."""
    if at & 3 == 3:
        return words[at >> 6]
    bits = 8 << (at & 3)
    number = (words[at >> 6] >> (((at >> 3) & 7) << 3)) & ((1 << bits) - 1)
    if at & _SIGNED:
        top = 1 << (bits - 1)
        return (number ^ top) - top
    return number


@compiled
def put(words: NDArray[np.int64], at: int, number: int) -> None:
    """Write a whole number at a place."""
    if at & 3 == 3:
        words[at >> 6] = number
        return
    shift, mask = ((at >> 3) & 7) << 3, (1 << (8 << (at & 3))) - 1
    words[at >> 6] = (words[at >> 6] & ~(mask << shift)) | ((number & mask) << shift)
