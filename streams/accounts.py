"""The accounts of one partition: rows in segments of columns, dossiers as compact bytes, and what changed since last asked.

A row is lent to the fold and changed in place; the caller that lends it says so with `touch`, and `take_changes` gives
the changelog records of everything touched since the last call, each account once.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import changelog
from streams.columns import Layout
from streams.dossier import Dossier, decode_dossier, encode_dossier
from streams.kinds import Row
from streams.units import UNBOUNDED

SEGMENT_ROWS = 65_536


class Accounts:
    """Rows and dossiers by account key (UTF-8 bytes)."""

    def __init__(self, layout: Layout, template: NDArray[Any], segment_rows: int = SEGMENT_ROWS) -> None:
        self.layout, self._segment_rows = layout, segment_rows
        self._entry = template.tobytes()
        self._keys: list[bytes] = []
        self._number: dict[bytes, int] = {}
        self._segments: list[NDArray[Any]] = []
        self._deadlines: list[NDArray[np.int64]] = []
        self._bytes: list[memoryview] = []  # the same memory: a row copied as one piece takes 2 us, column by column 25
        self._dossiers: dict[int, bytes] = {}
        self._open: dict[int, Dossier] = {}
        self._touched: dict[int, None] = {}
        self._layout_written = False

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[bytes]:
        """Every account's key, in order of first sight."""
        return iter(self._keys)

    def find(self, key: bytes) -> int | None:
        """The account's number in this partition, None if it was never seen."""
        return self._number.get(key)

    def key(self, number: int) -> bytes:
        """The account's key."""
        return self._keys[number]

    def enter(self, key: bytes) -> int:
        """Make the row of a new account from the template."""
        number = len(self._keys)
        if number % self._segment_rows == 0:
            segment = np.zeros(self._segment_rows, self.layout.dtype)
            self._segments.append(segment)
            self._bytes.append(segment.view(np.uint8).data)
            self._deadlines.append(np.full(self._segment_rows, UNBOUNDED, np.int64))
        self._keys.append(key)
        self._number[key] = number
        self._overwrite(number, self._entry)
        return number

    def _overwrite(self, number: int, row: bytes) -> None:
        begin = number % self._segment_rows * len(self._entry)
        self._bytes[number // self._segment_rows][begin : begin + len(self._entry)] = row

    def alone(self, number: int) -> "Accounts":
        """A copy of one account, to try things on."""
        place = number % self._segment_rows
        copied = Accounts(self.layout, self._segments[number // self._segment_rows][place : place + 1].copy(), segment_rows=1)
        copied._dossiers[copied.enter(self._keys[number])] = encode_dossier(self.dossier(number))
        return copied

    def row(self, number: int) -> Row:
        """The account's row: a view, changed in place."""
        row: Row = self._segments[number // self._segment_rows][number % self._segment_rows]
        return row

    def set_deadline(self, number: int, at_ms: int) -> None:
        """Nothing changes for the account before `at_ms` unless something arrives; kept in the row and in a column of its own."""
        self.row(number)["account.deadline_ms"] = at_ms
        self._deadlines[number // self._segment_rows][number % self._segment_rows] = at_ms

    def earliest_ms(self) -> int:
        """The least deadline of all accounts, UNBOUNDED if there is none."""
        return min((int(deadlines.min()) for deadlines in self._deadlines), default=UNBOUNDED)

    def due(self, until_ms: int) -> list[int]:
        """The accounts whose deadline is at most `until_ms`, by deadline, then key: one scan of the deadline column."""
        found = [
            (int(deadlines[place]), self._keys[segment * self._segment_rows + place], segment * self._segment_rows + place)
            for segment, deadlines in enumerate(self._deadlines)
            for place in np.flatnonzero(deadlines <= until_ms).tolist()
        ]
        return [number for _, _, number in sorted(found)]

    def touch(self, number: int) -> None:
        """The row has changed."""
        self._touched[number] = None

    def dossier(self, number: int) -> Dossier:
        """The account's dossier, decoded for reading."""
        if (opened := self._open.get(number)) is not None:
            return opened
        kept = self._dossiers.get(number)
        return decode_dossier(kept) if kept is not None else Dossier()

    def open_dossier(self, number: int) -> Dossier:
        """The account's dossier for changing; it is kept and written by the next `take_changes`."""
        dossier = self._open[number] = self.dossier(number)
        return dossier

    def take_changes(self) -> list[tuple[bytes, bytes]]:
        """The changelog records of what was touched; the layout's own record comes first, once."""
        changes = []
        if self._touched and not self._layout_written:
            changes.append((changelog.layout_key(self.layout.layout_id), self.layout.encoded))
            self._layout_written = True
        for number in self._touched:
            row = self._segments[number // self._segment_rows][number % self._segment_rows : number % self._segment_rows + 1].tobytes()
            changes.append((changelog.row_key(self._keys[number]), changelog.row_payload(self.layout.layout_id, row)))
        for number, dossier in self._open.items():
            kept = self._dossiers[number] = encode_dossier(dossier)
            changes.append((changelog.dossier_key(self._keys[number]), changelog.dossier_payload(kept)))
        self._touched.clear()
        self._open.clear()
        return changes

    def layout_is_written(self) -> None:
        """The changelog already has this layout's record."""
        self._layout_written = True

    def restore_row(self, key: bytes, written: Layout, row: bytes) -> int:
        """Put a row back as the changelog has it, whatever layout it was written under. The account's number."""
        number = self._number.get(key)
        if number is None:
            number = self.enter(key)
        if written.layout_id == self.layout.layout_id:
            self._overwrite(number, row)
        else:
            place = number % self._segment_rows
            target = self._segments[number // self._segment_rows][place : place + 1]
            self.layout.copy_common(np.frombuffer(row, written.dtype), written, target)
        self._deadlines[number // self._segment_rows][number % self._segment_rows] = int(self.row(number)["account.deadline_ms"])
        return number

    def restore_dossier(self, key: bytes, encoded: bytes) -> None:
        """Put a dossier back. A dossier is only ever written together with its row."""
        self._dossiers[self._number[key] if key in self._number else self.enter(key)] = encoded
