"""What an account's row looks like: columns compiled from the policy, laid out in bytes, known by an id.

A column's `identity` says what its content means (the hash of the definition it was made from). A row written under one
layout is read under another by copying the columns whose name, shape and identity are the same; the others start anew,
so that a 30-day sum is never read as a 20-day one.
"""

import hashlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.masked_rows import Words
from streams.packed_rows import unpacked


class Column(msgspec.Struct, frozen=True):
    """One column: numpy `type` (little-endian, e.g. `<f8`), `shape` of an entry, `identity` of its meaning, first value."""

    name: str
    type: str
    identity: str
    shape: tuple[int, ...] = ()
    start: float | int = 0


class PlacedColumn(msgspec.Struct, frozen=True):
    """A column with its place in the row."""

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    identity: str


class LayoutDescription(msgspec.Struct, frozen=True):
    """The layout as the changelog keeps it. `start`: the row of an account of which nothing is known yet."""

    row_bytes: int
    columns: tuple[PlacedColumn, ...]
    start: bytes


class Layout:
    """The bytes of a row. `dtype` is numpy's view of them, `start` how every row begins, `layout_id` 64 bits of the description's hash."""

    def __init__(self, description: LayoutDescription) -> None:
        self.description = description
        self.encoded = msgspec.json.encode(description)
        self.layout_id = int.from_bytes(hashlib.sha256(self.encoded).digest()[:8], "big")
        self.start: Words = np.frombuffer(description.start, np.int64).copy()
        self.dtype = np.dtype(
            {
                "names": [column.name for column in description.columns],
                "formats": [(column.type, column.shape) for column in description.columns],
                "offsets": [column.offset for column in description.columns],
                "itemsize": description.row_bytes,
            }
        )

    @classmethod
    def decode(cls, encoded: bytes) -> "Layout":
        """The inverse of `encoded`."""
        return cls(msgspec.json.decode(encoded, type=LayoutDescription))

    def starting(self, row: NDArray[Any]) -> "Layout":
        """The same layout of rows that start like this one."""
        return Layout(msgspec.structs.replace(self.description, start=row.tobytes()))

    def unpacked(self, packed: bytes) -> NDArray[Any]:
        """A row as the changelog keeps it (shape (1,)). Raises ValueError if it is none of this layout."""
        return unpacked(packed, self.start).view(self.dtype)

    def offset(self, name: str) -> int:
        """Where in the row a column begins."""
        return next(column.offset for column in self.description.columns if column.name == name)


def laid_out(columns: list[Column]) -> Layout:
    """Columns placed widest first, so that each is aligned without padding; the row ends on a multiple of eight."""
    placed, offset = [], 0
    for column in sorted(columns, key=lambda column: -np.dtype(column.type).itemsize):
        placed.append(PlacedColumn(column.name, column.type, column.shape, offset, column.identity))
        offset += np.dtype((column.type, column.shape)).itemsize
    row_bytes = -(-offset // 8) * 8
    return Layout(LayoutDescription(row_bytes, tuple(placed), bytes(row_bytes)))


def template(layout: Layout, columns: list[Column]) -> NDArray[Any]:
    """One row (shape (1,)) with every column at its start."""
    row = np.zeros(1, layout.dtype)
    for column in columns:
        row[column.name] = column.start
    return row


def identity(meaning: Any) -> str:
    """The hash of a definition: what makes two columns mean the same."""
    return hashlib.sha256(msgspec.json.encode(meaning, order="sorted")).hexdigest()[:16]
