"""The accounts of one partition: rows in one piece of memory, dossiers as compact bytes, and what changed since last asked.

A row is lent to the fold and changed in place; the caller that lends it says so with `touch`, and `take_changes` gives
the changelog records of everything touched since the last call, each account once. Rows move when they outgrow their memory:
a row that was lent is good until the next account enters.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import changelog
from schemas.compiling import compiled
from streams.account_index import FIRST_ACCOUNTS, AccountIndex, Begins, Table, copy_keys, grown
from streams.columns import Layout
from streams.dossier import Dossier, decode_dossier, encode_dossier
from streams.hashing import Bytes
from streams.kinds import Row
from streams.units import UNBOUNDED

Words = NDArray[np.int64]

_ROW = changelog.ROW_PREFIX[0]


class Memory(NamedTuple):
    """What compiled code works on: the rows in every width, and the columns beside them; the entry of account n is at n.

    Good until the next account enters. `touched_list[: touched_count[0]]` are the accounts touched, in order of first touch.
    """

    f8: NDArray[np.float64]
    i8: NDArray[np.int64]
    i4: NDArray[np.int32]
    u4: NDArray[np.uint32]
    u2: NDArray[np.uint16]
    u1: NDArray[np.uint8]
    deadlines: NDArray[np.int64]
    touched: NDArray[np.uint8]
    touched_list: NDArray[np.int32]
    touched_count: NDArray[np.int64]
    table: Table
    key_begin: Begins
    keys: Bytes


@compiled
def _take_rows(rows: Words, deadlines: Words, deadline_word: int, numbers: Words, payloads: Words) -> None:
    """The rows of these accounts from changelog payloads, whose first word is the layout's id."""
    for each in range(len(numbers)):
        number = numbers[each]
        for word in range(rows.shape[1]):
            rows[number, word] = payloads[each, word + 1]
        deadlines[number] = rows[number, deadline_word]


@compiled
def _give_rows(rows: Words, numbers: NDArray[np.int32], layout_word: int, payloads: Words) -> None:
    """The changelog payloads of these accounts."""
    for each in range(len(numbers)):
        payloads[each, 0] = layout_word
        for word in range(rows.shape[1]):
            payloads[each, word + 1] = rows[numbers[each], word]


class Accounts:
    """Rows and dossiers by account key (UTF-8 bytes)."""

    def __init__(self, layout: Layout, template: NDArray[Any], accounts: int = FIRST_ACCOUNTS) -> None:
        """`accounts`: how many there is room for before memory has to grow."""
        self.layout = layout
        self._entry = template.view(np.int64).copy()
        self._index = AccountIndex(accounts)
        self._words: Words = np.zeros((accounts, len(self._entry)), np.int64)
        self._deadlines: Words = np.zeros(accounts, np.int64)
        self._touched = np.zeros(accounts, np.uint8)
        self._touched_list = np.zeros(accounts, np.int32)
        self._touched_count = np.zeros(1, np.int64)
        self._rows: NDArray[Any] = self._words.view(layout.dtype)[:, 0]
        self._memory: Memory | None = None
        self._layout_word = int(np.frombuffer(layout.layout_id.to_bytes(8, "big"), np.int64)[0])
        self._deadline_word = layout.offset("account.deadline_ms") // 8
        self._dossiers: dict[int, bytes] = {}
        self._open: dict[int, Dossier] = {}
        self._layout_written = False

    def __len__(self) -> int:
        return self._index.count

    def __iter__(self) -> Iterator[bytes]:
        """Every account's key, in order of first sight."""
        return iter(self._index)

    def memory(self) -> Memory:
        """The arrays for compiled code."""
        if self._memory is None:
            words, index = self._words, self._index
            self._memory = Memory(
                words.view(np.float64), words, words.view(np.int32), words.view(np.uint32), words.view(np.uint16), words.view(np.uint8),
                self._deadlines, self._touched, self._touched_list, self._touched_count, index.table, index.key_begin, index.keys,
            )  # fmt: skip
        return self._memory

    # -- accounts by key -----------------------------------------------------------------------------------------------

    def find(self, key: bytes) -> int | None:
        """The account's number in this partition, None if it was never seen."""
        return self._index.find(key)

    def key(self, number: int) -> bytes:
        """The account's key."""
        return self._index.key(number)

    def enter(self, key: bytes) -> int:
        """Make the row of a new account from the template."""
        return int(self._enter_all(np.frombuffer(key, np.uint8), np.zeros(1, np.int64), np.full(1, len(key)))[0])

    def _enter_all(self, buffer: Bytes, begins: Words, sizes: Words) -> Words:
        """The numbers of these keys; those that are new have rows from the template."""
        known = self._index.count
        numbers = self._index.enter_all(buffer, begins, sizes)
        self._memory = None
        if self._index.count > len(self._words):
            self._grow(self._index.count)
        self._words[known : self._index.count] = self._entry
        self._deadlines[known : self._index.count] = UNBOUNDED
        return numbers

    def _grow(self, accounts: int) -> None:
        self._words, self._deadlines = grown(self._words, accounts), grown(self._deadlines, accounts)
        self._touched, self._touched_list = grown(self._touched, accounts), grown(self._touched_list, accounts)
        self._rows = self._words.view(self.layout.dtype)[:, 0]

    def alone(self, number: int) -> "Accounts":
        """A copy of one account, to try things on."""
        copied = Accounts(self.layout, self._words[number], accounts=1)
        copied._dossiers[copied.enter(self.key(number))] = encode_dossier(self.dossier(number))
        return copied

    # -- rows ----------------------------------------------------------------------------------------------------------

    def row(self, number: int) -> Row:
        """The account's row: a view, changed in place."""
        row: Row = self._rows[number]
        return row

    def set_deadline(self, number: int, at_ms: int) -> None:
        """Nothing changes for the account before `at_ms` unless something arrives; kept in the row and in a column of its own."""
        self._words[number, self._deadline_word] = at_ms
        self._deadlines[number] = at_ms

    def earliest_ms(self) -> int:
        """The least deadline of all accounts, UNBOUNDED if there is none."""
        return int(self._deadlines[: len(self)].min(initial=UNBOUNDED))

    def due(self, until_ms: int) -> list[int]:
        """The accounts whose deadline is at most `until_ms`, by deadline, then key: one scan of the deadline column."""
        late = np.flatnonzero(self._deadlines[: len(self)] <= until_ms)
        found = zip(self._deadlines[late].tolist(), map(self.key, late.tolist()), late.tolist(), strict=True)
        return [number for _, _, number in sorted(found)]

    def touch(self, number: int) -> None:
        """The row has changed."""
        if not self._touched[number]:
            self._touched[number] = 1
            self._touched_list[self._touched_count[0]] = number
            self._touched_count += 1

    # -- dossiers ------------------------------------------------------------------------------------------------------

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

    # -- the changelog -------------------------------------------------------------------------------------------------

    def take_changes(self) -> list[tuple[bytes, bytes]]:
        """The changelog records of what was touched, in order of first touch; the layout's own record comes first, once."""
        numbers = self._touched_list[: int(self._touched_count[0])]
        changes = []
        if len(numbers) and not self._layout_written:
            changes.append((changelog.layout_key(self.layout.layout_id), self.layout.encoded))
            self._layout_written = True
        changes += zip(self._row_keys(numbers), self._row_payloads(numbers), strict=True)
        for number, dossier in self._open.items():
            kept = self._dossiers[number] = encode_dossier(dossier)
            changes.append((changelog.dossier_key(self.key(number)), changelog.dossier_payload(kept)))
        self._touched[numbers] = 0
        self._touched_count[0] = 0
        self._open.clear()
        return changes

    def _row_keys(self, numbers: NDArray[np.int32]) -> list[bytes]:
        index, ends = self._index, np.empty(len(numbers), np.int64)
        sizes = index.key_begin[numbers + 1] - index.key_begin[numbers]
        into = np.empty(int(sizes.sum(dtype=np.int64)) + len(numbers), np.uint8)
        copy_keys(index.key_begin, index.keys, numbers, _ROW, into, ends)
        joined, found = into.tobytes(), ends.tolist()
        return [joined[begin:end] for begin, end in zip([0, *found], found, strict=False)]

    def _row_payloads(self, numbers: NDArray[np.int32]) -> list[bytes]:
        payloads = np.empty((len(numbers), 1 + len(self._entry)), np.int64)
        _give_rows(self._words, numbers, self._layout_word, payloads)
        joined, size = payloads.tobytes(), 8 + self.layout.dtype.itemsize
        return [joined[begin : begin + size] for begin in range(0, len(joined), size)]

    def layout_is_written(self) -> None:
        """The changelog already has this layout's record."""
        self._layout_written = True

    def restore_rows(self, keys: Sequence[bytes], payloads: Sequence[bytes]) -> None:
        """Put rows of the present layout back, as the changelog has them: its keys and payloads. Of a key's rows the last one stays."""
        size = 8 + self.layout.dtype.itemsize
        joined = b"".join(payloads)
        if len(joined) != size * len(payloads) or any(len(payload) != size for payload in payloads):
            raise changelog.ChangelogError(f"changelog row of layout {self.layout.layout_id:016x} must have {size} bytes")
        sizes = np.fromiter(map(len, keys), np.int64, len(keys))
        begins = np.cumsum(sizes) - sizes
        numbers = self._enter_all(np.frombuffer(b"".join(keys), np.uint8), begins + 1, sizes - 1)
        _take_rows(self._words, self._deadlines, self._deadline_word, numbers, np.frombuffer(joined, np.int64).reshape(len(keys), -1))

    def restore_row(self, key: bytes, written: Layout, row: bytes) -> int:
        """Put a row back as the changelog has it, whatever layout it was written under. The account's number."""
        number = self.enter(key)
        self.layout.copy_common(np.frombuffer(row, written.dtype), written, self._rows[number : number + 1])
        self._deadlines[number] = int(self.row(number)["account.deadline_ms"])
        return number

    def restore_dossier(self, key: bytes, encoded: bytes) -> None:
        """Put a dossier back. A dossier is only ever written together with its row."""
        self._dossiers[self.enter(key)] = encoded
