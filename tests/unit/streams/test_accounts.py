"""Accounts: rows stay what they are while others enter and memory moves; what is given back comes back."""

from collections.abc import Iterator

import numpy as np
import pytest

from schemas import changelog
from schemas.changelog import ChangelogError
from streams.accounts import Accounts
from streams.columns import Column, Layout, identity, laid_out, template
from streams.dossier import Dossier
from streams.units import UNBOUNDED

SAME = identity("the same")
COLUMNS = [
    Column("account.deadline_ms", "<i8", SAME, start=UNBOUNDED),
    Column("clock", "<i8", SAME, start=-1),
    Column("points", "<f8", SAME, (3,)),
    Column("wide", "<u8", SAME, (70,)),
    Column("flag", "<u1", SAME),
]


@pytest.fixture(autouse=True)
def _overflowing() -> Iterator[None]:
    """Uncompiled, numpy warns of the overflows that hashes live on."""
    with np.errstate(over="ignore"):
        yield


def layout_of(columns: list[Column]) -> Layout:
    layout = laid_out(columns)
    return layout.starting(template(layout, columns))


LAYOUT = layout_of(COLUMNS)


def filled(keys: list[bytes], accounts: int = 1) -> Accounts:
    """Accounts whose rows are told apart by their numbers."""
    made = Accounts(LAYOUT, accounts)
    for key in keys:
        number = made.enter(key)
        made.row(number)["clock"] = number
        made.row(number)["points"][number % 3] = number / 7
        made.row(number)["wide"][: number % 70] = number + 1
        made.touch(number)
    return made


def shown(accounts: Accounts) -> dict[bytes, bytes]:
    return {key: accounts.row(number).tobytes() for number, key in enumerate(accounts)}


KEYS = [b"k", b"x" * 255, *(b"acct-%d" % number for number in range(300))]


def test_growth_keeps_rows_keys_and_deadlines() -> None:
    few, many = filled(KEYS, 1), filled(KEYS, 1024)
    few.set_deadline(3, 50)
    many.set_deadline(3, 50)
    assert shown(few) == shown(many)
    assert (few.earliest_ms(), few.late(49).tolist(), few.late(50).tolist()) == (50, [], [3])
    assert [few.find(key) for key in KEYS] == list(range(len(KEYS))) == [many.find(key) for key in KEYS]
    assert few.find(b"") is few.find(b"acct-300") is None


def test_a_row_lent_again_is_as_it_was_left() -> None:
    accounts = filled(KEYS[:2])
    accounts.row(0)["flag"] = 7
    accounts.row(1)["flag"] = 8
    accounts.enter(b"third")
    assert [int(accounts.row(number)["flag"]) for number in (0, 1, 2)] == [7, 8, 0]
    assert int(accounts.row(2)["clock"]) == -1


def test_what_is_touched_is_given_once_in_order_of_first_touch() -> None:
    accounts = filled(KEYS[:5])
    accounts.take_changes()
    for number in (3, 1, 3, 4, 1):
        accounts.touch(number)
    accounts.open_dossier(1)
    assert [key for key, _ in accounts.take_changes()] == [b"r" + KEYS[3], b"r" + KEYS[1], b"r" + KEYS[4], b"d" + KEYS[1]]
    assert accounts.take_changes() == []


def test_what_was_given_makes_the_same_accounts() -> None:
    live = filled(KEYS)
    live.set_deadline(5, 77)
    rows = [(key, payload) for key, payload in live.take_changes() if changelog.is_row(key)]
    back = Accounts(LAYOUT, 1)
    back.restore_rows([key for key, _ in rows], [payload for _, payload in rows])
    back.restored()
    assert shown(back) == shown(live)
    assert (back.earliest_ms(), back.late(77).tolist()) == (77, [5])


def test_of_rows_of_one_account_the_last_stays() -> None:
    live, rows = filled([b"a"]), []
    for clock in (5, -1, 9):
        live.row(0)["clock"] = clock
        live.touch(0)
        rows += [entry for entry in live.take_changes() if changelog.is_row(entry[0])]
    back = Accounts(LAYOUT)
    back.restore_rows([key for key, _ in rows], [payload for _, payload in rows])
    assert (len(back), int(back.row(0)["clock"])) == (1, 9)


@pytest.mark.parametrize("spoil", [lambda row: row[:-1], lambda row: row + bytes(8), lambda row: row[:8], lambda row: row[:8] + bytes(8)])
def test_a_row_that_is_none_is_a_broken_invariant(spoil: object) -> None:
    assert callable(spoil)
    (_, payload) = filled([b"a"]).take_changes()[-1]
    with pytest.raises(ChangelogError, match="changelog row"):
        Accounts(LAYOUT).restore_rows([b"ra"], [spoil(payload)])


def test_an_account_alone_is_a_copy() -> None:
    accounts = filled(KEYS[:3])
    accounts.row(1)["flag"] = 5
    copied = accounts.alone(1)
    assert (copied.key(0), copied.row(0).tobytes()) == (KEYS[1], accounts.row(1).tobytes())
    copied.row(0)["flag"] = 6
    copied.open_dossier(0).risks["x"] = None  # type: ignore[assignment]
    assert (int(accounts.row(1)["flag"]), accounts.dossier(1)) == (5, Dossier())


def test_a_dossier_before_its_row_enters_the_account() -> None:
    accounts = Accounts(LAYOUT)
    accounts.restore_dossiers([b"dnew"], [b"\x01\x90"])
    (key, payload) = filled([b"new"]).take_changes()[-1]
    accounts.restore_rows([key], [payload])
    assert (len(accounts), int(accounts.row(0)["clock"])) == (1, 0)
