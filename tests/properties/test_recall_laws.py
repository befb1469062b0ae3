"""Laws of rows of other layouts: all at once in compiled code they become what each becomes by itself in Python."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import changelog
from schemas.records import Event
from streams import account, dossier
from streams.account_index import FIRST_ACCOUNTS
from streams.columns import Column, Layout, laid_out
from streams.dossier import Dossier
from streams.partition import Partition
from streams.policy import CompiledPolicy, load_policy_text
from tests.builders import DAY, NOON, interaction
from tests.folding import TOPIC_OF, Folding, shipped
from tests.properties.test_forward_laws import busy_log, python_alone
from tests.worlds import policies_with_logs

World = tuple[CompiledPolicy, list[Event]]
LaidOut = Callable[[list[Column]], Layout]
FORWARDED = ["demo", "sabc", "sabc-live"]


def means_otherwise(by: Callable[[str], bool]) -> LaidOut:
    """As another version would lay rows out: in another order, one column more, some that mean something else."""

    def layout(columns: list[Column]) -> Layout:
        other = [msgspec.structs.replace(each, identity="another") if by(each.identity) else each for each in reversed(columns)]
        return laid_out([Column("spare.word", "<i8", "another"), *other])

    return layout


@contextmanager
def one_by_one() -> Iterator[None]:
    """Rows are brought up to date in Python, each by itself."""
    with patch.object(account, "foresight", lambda _: None), python_alone():
        yield


def written(policy: CompiledPolicy, log: list[Event], layout: LaidOut) -> dict[bytes, bytes]:
    """The changelog of a version that lays its rows out so."""
    with patch("streams.policy.compiled.laid_out", layout):
        older = load_policy_text(policy.text)
    f = Folding(older)
    f.fold(*(record for record in log if TOPIC_OF[type(record)] in older.folded))
    f.keep()
    return f.changelog


def come_back(records: dict[bytes, bytes], policy: CompiledPolicy) -> tuple[list[tuple[bytes, bytes | None]], list[int]]:
    """Every account's row after a restore, and its deadline."""
    partition = Partition(0, None, "test", policy)
    partition.restore_batch(list(records.items()))
    partition.restored()
    accounts = partition.accounts
    for number in range(accounts.numbers):
        accounts.touch(number)
    return sorted(accounts.take_changes()), accounts.memory().deadlines[: accounts.numbers].tolist()


def some_meanings(columns: list[Column], picked: st.DataObject) -> Callable[[str], bool]:
    """Some meanings, those of what every account has left out."""
    every = sorted({column.identity for column in columns if not column.name.startswith(("account.", "ids."))})
    chosen = set(picked.draw(st.lists(st.sampled_from(every), unique=True)))
    return chosen.__contains__


@given(policies_with_logs(), st.data())
def test_all_at_once_is_one_by_one_over_any_policy_log_and_layout(world: World, picked: st.DataObject) -> None:
    policy, log = world
    records = written(policy, log, means_otherwise(some_meanings(policy.columns, picked)))
    fast = come_back(records, policy)
    with one_by_one():
        assert come_back(records, policy) == fast


@pytest.mark.parametrize("name", FORWARDED)
@pytest.mark.parametrize("part", ["nothing", "dimensions.", "measures.", "schemes.", "clocks."])
def test_all_at_once_is_one_by_one_for_accounts_that_have_lived(name: str, part: str) -> None:
    policy = shipped(name)
    meanings = {column.identity for column in policy.columns if column.name.startswith(part)}
    records = written(policy, busy_log(5, 1_000, 40), means_otherwise(meanings.__contains__))
    fast = come_back(records, policy)
    with one_by_one():
        assert come_back(records, policy) == fast


def test_more_come_back_than_there_was_room_for() -> None:
    policy, accounts = shipped("sabc"), 3 * FIRST_ACCOUNTS
    log: list[Event] = [interaction(f"acct-{number}", "DOWNLOAD", event_id=str(number)) for number in range(accounts)]
    back, deadlines = come_back(written(policy, log, means_otherwise(lambda _: False)), policy)
    assert len([key for key, _ in back if changelog.classify(key) is changelog.Kind.ROW]) == accounts == len(deadlines)


@pytest.mark.parametrize(("part", "opens"), [("measures.", False), ("dimensions.attributes.kept", True), ("schemes.", True)])
def test_a_dossier_is_opened_only_where_what_the_row_keeps_of_it_was_made_otherwise(part: str, opens: bool) -> None:
    policy, read = shipped("sabc"), []
    meanings = {column.identity for column in policy.columns if column.name.startswith(part)}
    records = written(policy, busy_log(5, 300, 10), means_otherwise(meanings.__contains__))
    decode = dossier.decode_dossier

    def seen(packed: bytes) -> Dossier:
        read.append(packed)
        return decode(packed)

    with patch("streams.accounts.decode_dossier", seen):
        come_back(records, policy)
    assert bool(read) == opens


def test_whoever_was_brought_up_to_date_goes_on_as_if_nothing_had_been() -> None:
    """The shipped policy, and an older version of it that counted points otherwise: the scores are those of the log folded now."""
    policy, log = shipped("sabc"), busy_log(5, 300, 10)
    meanings = {column.identity for column in policy.columns if column.name.startswith("dimensions.")}
    partition = Partition(0, None, "test", policy)
    partition.restore_batch(list(written(policy, log, means_otherwise(meanings.__contains__)).items()))
    partition.restored()
    f = Folding(policy)
    f.fold(*(record for record in log if TOPIC_OF[type(record)] in policy.folded))
    assert partition.fold_tick(NOON + 80 * DAY, "LIVE", 0) == f.partition.fold_tick(NOON + 80 * DAY, "LIVE", 0)
    assert [partition.view(who) for who in partition.account_ids()] == [f.partition.view(who) for who in partition.account_ids()]
