"""Rows of one layout made into rows of another, all of a partition in compiled code, or one by one after a restore.

Rules: a column with the same name, type, shape and identity keeps its content, every other starts as the new layout says, and what a plan
names besides is copied or translated. The account's clock is at least the instant of the change, every ladder has a move pending at
that instant, and the deadline is left open: nothing happens to the account until somebody decides it.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from streams import packed_rows
from streams.columns import Layout, PlacedColumn
from streams.masked_rows import Words
from streams.packed_rows import Packed, keep_row, load_row, take_row
from streams.units import UNBOUNDED

Bytes = NDArray[np.uint8]

GONE = 255
"""In a table of tiers: the new ladder has no tier of that name."""


class Plan(NamedTuple):
    """What compiled code does. `words`: (from, to, how many words), `moves`: (from, to, how many bytes); `tiers`: (from, to, row of
    `tables`); the rest are places of columns in bytes (`records`, 4 bytes) or words."""

    words: Words
    moves: Words
    tiers: Words
    tables: Bytes
    records: int
    clock: int
    deadline: int
    pending: Words


class Scratch(NamedTuple):
    """One row before and after, each as words and as bytes of the same memory."""

    before: Words
    before_bytes: Bytes
    after: Words
    after_bytes: Bytes


def plan(
    source: Layout, target: Layout, same: Iterable[tuple[str, str]], tiers: Iterable[tuple[str, str, Bytes]], pending: Iterable[str]
) -> Plan:
    """`same`: columns (from, to) copied whatever they mean; `tiers`: (from, to, table); `pending`: each ladder's column of that name."""
    theirs = {column.name: column for column in source.description.columns}
    ours = {column.name: column for column in target.description.columns}
    pairs = [(theirs[name], column) for name, column in ours.items() if name in theirs and _means_the_same(theirs[name], column)]
    pairs += [(theirs[old], ours[new]) for old, new in same if _fits(theirs.get(old), ours.get(new))]
    words, moves = _runs((old.offset, new.offset, np.dtype((new.type, new.shape)).itemsize) for old, new in pairs)
    found = [(theirs[old].offset, ours[new].offset, table) for old, new, table in tiers if old in theirs and new in ours]
    return Plan(
        np.array(words, np.int64).reshape(-1, 3),
        np.array(moves, np.int64).reshape(-1, 3),
        np.array([(old, new, row) for row, (old, new, _) in enumerate(found)], np.int64).reshape(-1, 3),
        np.array([table for _, _, table in found], np.uint8).reshape(-1, 256),
        source.offset("account.records"),
        target.offset("account.clock_ms") // 8,
        target.offset("account.deadline_ms") // 8,
        np.array([target.offset(name) // 8 for name in pending], np.int64),
    )


Moves = list[tuple[int, int, int]]


def _runs(moves: Iterable[tuple[int, int, int]]) -> tuple[Moves, Moves]:
    """What lies together moves together: whole words as words, the rest as bytes."""
    joined: Moves = []
    for old, new, size in sorted(moves, key=lambda move: move[1]):
        if joined and (joined[-1][0] + joined[-1][2], joined[-1][1] + joined[-1][2]) == (old, new):
            joined[-1] = (*joined[-1][:2], joined[-1][2] + size)
        else:
            joined.append((old, new, size))
    words = [(old // 8, new // 8, size // 8) for old, new, size in joined if old % 8 == new % 8 == 0 and size >= 8]
    rest = [(old + size // 8 * 8, new + size // 8 * 8, size % 8) for old, new, size in joined if old % 8 == new % 8 == 0 and size % 8]
    return words, rest + [(old, new, size) for old, new, size in joined if old % 8 or new % 8]


def _means_the_same(old: PlacedColumn, new: PlacedColumn) -> bool:
    return _fits(old, new) and old.identity == new.identity


def _fits(old: PlacedColumn | None, new: PlacedColumn | None) -> bool:
    return old is not None and new is not None and (old.type, old.shape) == (new.type, new.shape)


def scratch(source: Layout, target: Layout) -> Scratch:
    """Room for one row of each."""
    before, after = source.start.copy(), target.start.copy()
    return Scratch(before, before.view(np.uint8), after, after.view(np.uint8))


@compiled
def carry_row(how: Plan, row: Scratch, start: Words, since_ms: int) -> bool:
    """Make `row.after` of `row.before`; whether it stands on a tier that is gone. A row without a record stays as all rows start."""
    for word in range(len(start)):
        row.after[word] = start[word]
    known = False
    for place in range(how.records, how.records + 4):
        known = known or row.before_bytes[place] != 0
    if not known:
        return False
    for run in range(len(how.words)):
        old, new = how.words[run, 0], how.words[run, 1]
        for word in range(how.words[run, 2]):
            row.after[new + word] = row.before[old + word]
    for move in range(len(how.moves)):
        old, new = how.moves[move, 0], how.moves[move, 1]
        for place in range(how.moves[move, 2]):
            row.after_bytes[new + place] = row.before_bytes[old + place]
    gone = False
    for each in range(len(how.tiers)):
        tier = how.tables[how.tiers[each, 2], row.before_bytes[how.tiers[each, 0]]]
        gone = gone or tier == GONE
        row.after_bytes[how.tiers[each, 1]] = 0 if tier == GONE else tier
    row.after[how.clock] = max(row.after[how.clock], since_ms)
    row.after[how.deadline] = UNBOUNDED
    for each in range(len(how.pending)):
        row.after[how.pending[each]] = since_ms
    return gone


@compiled
def _carry_rows(how: Plan, row: Scratch, source: Packed, target: Packed, first: int, accounts: int, since_ms: int, gone: Bytes) -> int:
    """Every account's row from `first` on; the first one for which there is no room."""
    for number in range(first, accounts):
        load_row(source, number, row.before)
        gone[number] = carry_row(how, row, target.start, since_ms)
        if not keep_row(target, number, row.after):
            return number
    return accounts


def carried(how: Plan, row: Scratch, source: Packed, target: Layout, accounts: int, since_ms: int) -> tuple[Packed, NDArray[np.int64]]:
    """All rows laid out anew, and the accounts that stand on a tier that is gone."""
    rows, gone, done = packed_rows.empty(target.start, len(source.place)), np.zeros(accounts, np.uint8), 0
    room = int(source.end[0]) + packed_rows.longest(rows)
    while True:
        rows = packed_rows.spacious(rows, done, room)
        done = _carry_rows(how, row, source, rows, done, accounts, since_ms, gone)
        if done == accounts:
            return packed_rows.bounded(rows), np.flatnonzero(gone)
        room = int(rows.end[0]) // max(done, 1) * (accounts - done) + packed_rows.longest(rows)


@compiled
def carry_payloads(
    how: Plan, row: Scratch, start: Words, since_ms: int, payloads: Words, ends: Words, target: Packed, numbers: Words, gone: Bytes
) -> int:
    """As `take_rows`, of rows of another layout, all of which begin as `start`: each is laid out anew and becomes its account's row.

    `gone`: for each whether it stands on a tier that is gone.
    """
    for each in range(len(numbers)):
        begin = (ends[each - 1] if each else 0) + 1
        if not take_row(payloads, begin, ends[each], start, row.before):
            return each
        gone[each] = carry_row(how, row, target.start, since_ms)
        if not keep_row(target, numbers[each], row.after):
            return each
    return len(numbers)
