"""One account's row as compiled code sees it: the same bytes as numbers of every width, and where a column lies in them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams.columns import Layout

_WIDE, _HALF, _NATURAL_HALF, _QUARTER, _OCTET = range(5)
_CODES = {"<i8": _WIDE, "<u8": _WIDE, "<i4": _HALF, "<u4": _NATURAL_HALF, "<u2": _QUARTER, "|u1": _OCTET, "<f8": _WIDE}

NOWHERE = -1
"""The place of a column that the policy does not have."""


class Cells(NamedTuple):
    """Views of the same bytes of one row."""

    f8: NDArray[np.float64]
    i8: NDArray[np.int64]
    i4: NDArray[np.int32]
    u4: NDArray[np.uint32]
    u2: NDArray[np.uint16]
    u1: NDArray[np.uint8]


def cells_of(octets: NDArray[np.uint8]) -> Cells:
    """The views of one row's bytes."""
    return Cells(*(octets.view(kind) for kind in (np.float64, np.int64, np.int32, np.uint32, np.uint16, np.uint8)))


def place(layout: Layout, name: str) -> int:
    """Where a column lies and how wide its numbers are, in one number; add `k * 8` for its kth number."""
    kind, offset = layout.dtype.fields[name][:2] if layout.dtype.fields else (np.dtype("u1"), 0)
    number: np.dtype[Any] = kind.base
    return offset // number.itemsize * 8 + _CODES[number.str]


@compiled
def whole(cells: Cells, at: int) -> int:
    """The whole number at a place."""
    code, index = at & 7, at >> 3
    if code == _WIDE:
        return cells.i8[index]
    if code == _OCTET:
        return np.int64(cells.u1[index])
    if code == _NATURAL_HALF:
        return np.int64(cells.u4[index])
    if code == _HALF:
        return np.int64(cells.i4[index])
    return np.int64(cells.u2[index])


@compiled
def put(cells: Cells, at: int, number: int) -> None:
    """Write a whole number at a place."""
    code, index = at & 7, at >> 3
    if code == _WIDE:
        cells.i8[index] = number
    elif code == _OCTET:
        cells.u1[index] = number
    elif code == _NATURAL_HALF:
        cells.u4[index] = number
    elif code == _HALF:
        cells.i4[index] = number
    else:
        cells.u2[index] = number
