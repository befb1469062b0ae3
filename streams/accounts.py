"""The accounts of one partition: rows and dossiers in little memory, and what changed since last asked.

A row is lent to the fold and changed in place; the caller that lends it says so with `touch`, and `take_changes` gives
the changelog records of everything touched since the last call, each account once. One row is lent at a time: it is packed
again, and its view is void, as soon as another row, the memory or the changes are asked for.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import changelog
from schemas.gathering import gathered
from schemas.pieces import Pieces
from streams import packed_rows
from streams.account_index import FIRST_ACCOUNTS, AccountIndex, grown
from streams.account_memory import Memory
from streams.columns import Layout
from streams.dossier import Dossier, decode_dossier, encode_dossier
from streams.hashing import Bytes
from streams.kinds import Row
from streams.lone_account import LoneAccount
from streams.masked_rows import Words
from streams.packed_dossiers import Dossiers
from streams.packed_rows import Packed, Taking, keep_row, swap_row, take_rows
from streams.units import UNBOUNDED

Numbers = NDArray[np.int64]

_NOBODY = -1


class Accounts:
    """Rows and dossiers by account key (UTF-8 bytes)."""

    def __init__(self, layout: Layout, accounts: int = FIRST_ACCOUNTS) -> None:
        """`accounts`: how many there is room for before memory has to grow."""
        self._index = AccountIndex(accounts)
        self.lay_out(layout, packed_rows.empty(layout.start, accounts))
        self._deadlines: Words = np.zeros(accounts, np.int64)
        self._touched = np.zeros(accounts, np.uint8)
        self._touched_list = np.zeros(accounts, np.int32)
        self._touched_count = np.zeros(1, np.int64)
        self._dossiers = Dossiers(accounts)
        self._open: dict[int, Dossier] = {}
        self._erased: set[bytes] = set()

    def lay_out(self, layout: Layout, rows: Packed) -> None:
        """The accounts have these rows, of this layout."""
        self.layout, self._packed, self._lent, self._layout_written = layout, rows, _NOBODY, False
        self._lent_words: Words = layout.start.copy()
        self._lent_row: NDArray[Any] = self._lent_words.view(layout.dtype)
        self._layout_word = int(np.frombuffer(layout.layout_id.to_bytes(8, "big"), np.int64)[0])
        self._deadline_word = layout.offset("account.deadline_ms") // 8

    def __len__(self) -> int:
        return self._index.count - len(self._index.forgotten)

    def __iter__(self) -> Iterator[bytes]:
        """Every account's key, in order of first sight."""
        return iter(self._index)

    @property
    def numbers(self) -> int:
        """How many numbers were given: accounts, and those that were erased since, whose rows are the template and count for nobody."""
        return self._index.count

    def memory(self) -> Memory:
        """The arrays for compiled code."""
        self._settle()
        beside = self._deadlines, self._touched, self._touched_list, self._touched_count
        return Memory(self._packed, *beside, self._index.table, self._index.key_begin, self._index.keys)

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
        if self._index.count > len(self._deadlines):
            self._grow(self._index.count)
        self._deadlines[known : self._index.count] = UNBOUNDED
        return numbers

    def _grow(self, accounts: int) -> None:
        self._packed = self._packed._replace(place=grown(self._packed.place, accounts), room=grown(self._packed.room, accounts))
        self._deadlines, self._touched = grown(self._deadlines, accounts), grown(self._touched, accounts)
        self._touched_list = grown(self._touched_list, accounts)
        self._dossiers.grow(accounts)

    def erase(self, key: bytes) -> None:
        """Forget an account: its row, its dossier, its key; `take_changes` says so. One that was never seen is forgotten already."""
        self._erased.add(key)
        self.restore_erased(key)

    def restore_erased(self, key: bytes) -> None:
        """As the changelog says: the account was erased."""
        if (number := self.find(key)) is None:
            return
        self._lend(number)[:] = self.layout.start
        self._settle()
        self._deadlines[number] = UNBOUNDED
        self._touched[number] = 0
        self._dossiers.drop(number)
        self._open.pop(number, None)
        self._index.forget(number)

    def restore_erased_dossier(self, key: bytes) -> None:
        """The account has no dossier; one of which no row was written is no account."""
        if (number := self.find(key)) is not None:
            self._dossiers.drop(number)
            if not int(self.row(number)["account.records"]):
                self.restore_erased(key)

    def alone(self, number: int) -> LoneAccount:
        """A copy of one account, to try things on."""
        return LoneAccount(self.key(number), self._lend(number).copy().view(self.layout.dtype), self.dossier(number))

    # -- rows ----------------------------------------------------------------------------------------------------------

    def row(self, number: int) -> Row:
        """The account's row, lent: a view, changed in place."""
        self._lend(number)
        row: Row = self._lent_row[0]
        return row

    def _lend(self, number: int) -> Words:
        if number != self._lent:
            if not swap_row(self._packed, self._lent, self._lent_words, number):
                self.make_room()
                swap_row(self._packed, self._lent, self._lent_words, number)
            self._lent = number
        return self._lent_words

    def _settle(self) -> None:
        """The row that was lent is taken back."""
        if self._lent == _NOBODY:
            return
        if not keep_row(self._packed, self._lent, self._lent_words):
            self.make_room()
            keep_row(self._packed, self._lent, self._lent_words)
        self._lent = _NOBODY

    def make_room(self) -> None:
        """Room for one more row that has outgrown its place, and more."""
        self._make_room(packed_rows.longest(self._packed))

    def _make_room(self, words: int) -> None:
        self._packed = packed_rows.spacious(self._packed, self._index.count, words)

    def set_deadline(self, number: int, at_ms: int) -> None:
        """Nothing changes for the account before `at_ms` unless something arrives; kept in the row and in a column of its own."""
        self._lend(number)[self._deadline_word] = at_ms
        self._deadlines[number] = at_ms

    def earliest_ms(self) -> int:
        """The least deadline of all accounts, UNBOUNDED if there is none."""
        return int(self._deadlines[: self._index.count].min(initial=UNBOUNDED))

    def late(self, until_ms: int) -> NDArray[np.int64]:
        """The accounts whose deadline is at most `until_ms`: one scan of the deadline column."""
        return np.flatnonzero(self._deadlines[: self._index.count] <= until_ms)

    def count_late(self, until_ms: int) -> int:
        """How many these are."""
        return int(np.count_nonzero(self._deadlines[: self._index.count] <= until_ms))

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

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records of what was touched, in order of first touch; the layout's own record comes first, once.

        Erased accounts come last, unless they have come back: a key is there once.
        """
        self._settle()
        numbers = self._touched_list[: int(self._touched_count[0])]
        numbers = numbers[self._touched[numbers] == 1] if self._erased else numbers
        changes = list[tuple[bytes, bytes | None]]()
        if len(numbers) and not self._layout_written:
            changes.append((changelog.layout_key(self.layout.layout_id), self.layout.encoded))
            self._layout_written = True
        rows = packed_rows.payloads(self._packed, numbers, self._layout_word)
        changes += zip(self._index.prefixed(numbers, changelog.ROW_PREFIX), rows, strict=True)
        opened, erased = {number: encode_dossier(dossier) for number, dossier in self._open.items()}, sorted(self._erased)
        changes += ((changelog.dossier_key(self.key(number)), changelog.dossier_payload(encoded)) for number, encoded in opened.items())
        self._keep_changes(opened)
        return changes + self._gone(erased, opened)

    def _gone(self, erased: list[bytes], opened: Container[int | None]) -> list[tuple[bytes, bytes | None]]:
        """What deletes the erased accounts; of one that came back, the dossier that it does not have again."""
        numbers = [(key, self.find(key)) for key in erased]
        gone: list[tuple[bytes, bytes | None]] = [(changelog.row_key(key), None) for key, number in numbers if number is None]
        return gone + [(changelog.dossier_key(key), None) for key, number in numbers if number not in opened]

    def keep_changes(self) -> None:
        """Everything touched is kept; the next `take_changes` says nothing of it."""
        self._keep_changes({number: encode_dossier(dossier) for number, dossier in self._open.items()})

    def _keep_changes(self, opened: Mapping[int, bytes]) -> None:
        for number, encoded in opened.items():
            self._dossiers.put(number, encoded)
        self._open.clear()
        self._erased.clear()
        self._touched[self._touched_list[: int(self._touched_count[0])]] = 0
        self._touched_count[0] = 0

    def layout_is_written(self) -> None:
        """The changelog already has this layout's record."""
        self._layout_written = True

    def restore_rows(self, keys: Sequence[bytes | None], payloads: Sequence[bytes | None]) -> None:
        """Put rows of the present layout back, as the changelog has them: its keys and payloads. Of a key's rows the last one stays."""
        self._put_back(keys, payloads, self._take)

    def _take(self, packed: Packed, numbers: Words, words: Words, ends: Words) -> int:
        return take_rows(packed, numbers, words, ends, self._deadline_word, self._deadlines)

    def restore_older(self, keys: Sequence[bytes | None], payloads: Sequence[bytes | None], taking: Taking) -> Words:
        """Put back rows that `taking` makes of others, with their deadline left open. The accounts' numbers."""
        numbers = self._put_back(keys, payloads, taking)  # by then the column may be another one, that has grown
        self._deadlines[numbers] = UNBOUNDED
        return numbers

    def _put_back(self, keys: Sequence[bytes | None], payloads: Sequence[bytes | None], taking: Taking) -> Words:
        self._settle()
        (words, ends), numbers, stopped = packed_rows.end_to_end(Pieces.of(payloads)), self._enter_keys(keys), -1
        while (taken := taking(self._packed, numbers, words, ends)) < len(keys):
            if taken == stopped:
                layout_id = changelog.row_of(payloads[taken] or b"")[0]
                raise changelog.ChangelogError(f"changelog row {keys[taken]!r:.80} must be a row of layout {layout_id:016x}")
            stopped, many = taken, int(self._packed.end[0])  # as many again will come: every move in new memory is a copy of all
            self._make_room(many + len(words) + (packed_rows.SLACK + packed_rows.STEP) * len(keys) + packed_rows.longest(self._packed))
        return numbers

    def restore_dossiers(self, keys: Sequence[bytes | None], payloads: Sequence[bytes | None]) -> None:
        """Put dossiers back, as the changelog has them: its keys and payloads. A dossier is only ever written together with its row."""
        dossiers = Pieces.of(payloads)
        if (other := dossiers.first_not(changelog.DOSSIER_FORMAT, least=2)) is not None:
            raise changelog.ChangelogError(f"changelog dossier {keys[other]!r:.80} must be of format {changelog.DOSSIER_FORMAT}")
        self._dossiers.put_all(self._enter_keys(keys), gathered(dossiers), np.cumsum(dossiers.sizes))

    def _enter_keys(self, keys: Sequence[bytes | None]) -> Words:
        """The numbers of accounts by the changelog's keys."""
        return self._enter_all((pieces := Pieces.of(keys)).buffer, pieces.begins + 1, pieces.sizes - 1)

    def restored(self) -> None:
        """Everything is back: memory grows slowly from here."""
        self._settle()
        self._dossiers.restored()
        self._packed = packed_rows.bounded(self._packed)
