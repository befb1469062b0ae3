"""Laws of a partition's accounts: what changed is written once, and what was written restores what was live."""

import pytest

from schemas import changelog
from schemas.changelog import ChangelogError, Kind, classify
from schemas.records import Event
from streams.partition import Partition
from streams.policy import CompiledPolicy
from tests.builders import DAY, NOON, interaction, order, prediction, profile, risk
from tests.folding import Folding, bytes_of, measured, restored, shipped


def life(account: str) -> list[Event]:
    return [
        profile(account, industry="finance", size="large", region="core", custom={"fit": 0.5}, owner_id="sdr-1"),
        interaction(account, "PRICE_INQUIRY", NOON + 1000),
        interaction(account, "VISIT", NOON + 2000, dwell_seconds=12.5),
        order(account, at=NOON + 2500),
        risk(account, at=NOON + 3000),
        prediction(account, 90.0, NOON + 4000),
        risk(account, "WITHDRAWN", NOON + 5000),
    ]


def lived(policy: CompiledPolicy, accounts: int = 3) -> Folding:
    f = Folding(policy)
    for number in range(accounts):
        f.fold(*(record for record in life(f"acct-{number}") if policy.name != "sabc" or record.__class__.__name__ != "Order"))
    f.keep()
    return f


@pytest.mark.parametrize("name", ["sabc", "demo"])
def test_a_restored_partition_shows_what_the_live_one_shows(name: str) -> None:
    live = lived(shipped(name))
    back = restored(live.changelog, live.policy)
    assert back.account_ids() == live.partition.account_ids() == ["acct-0", "acct-1", "acct-2"]
    assert [back.view(account) for account in back.account_ids()] == [live.view(account) for account in back.account_ids()]


@pytest.mark.parametrize("name", ["sabc", "demo"])
def test_a_restored_partition_goes_on_as_the_live_one_does(name: str) -> None:
    live = lived(shipped(name))
    back = Folding(live.policy)
    back.partition, back._offsets = restored(live.changelog, live.policy), dict(live._offsets)
    more = [
        risk("acct-1", at=NOON + DAY, risk_id="again"),
        prediction("acct-0", 1.0, NOON + DAY),
        interaction("acct-2", "PRICE_INQUIRY", NOON + DAY),
    ]
    assert bytes_of(live.fold(*more)) == bytes_of(back.fold(*more))
    assert live.keep() == back.keep()


def test_each_touched_account_is_written_once_with_the_layout_before_the_first_row() -> None:
    f = Folding(shipped("sabc"))
    f.fold(*life("a")[:3], *life("b")[:1], interaction("a"))
    assert [classify(key) for key, _ in f.keep()] == [Kind.LAYOUT, Kind.ROW, Kind.ROW, Kind.DOSSIER, Kind.DOSSIER, Kind.POLICY]
    assert f.keep() == []
    f.fold(interaction("b"))
    assert [key for key, _ in f.keep()] == [b"rb"]


def test_a_repeated_record_writes_nothing() -> None:
    f = Folding(shipped("sabc"))
    record = interaction()
    f.fold(record)
    f.keep()
    f.fold(record)
    assert f.keep() == []


def test_a_restored_partition_does_not_write_its_layout_again() -> None:
    live = lived(shipped("sabc"))
    back = restored(live.changelog, live.policy)
    record = interaction("acct-0", at=NOON + DAY)
    back.fold(live.placed(record), record, "LIVE", NOON)
    assert [key for key, _ in back.take_changes()] == [b"racct-0"]


def test_rows_of_another_layout_keep_what_means_the_same() -> None:
    old = Folding(measured({"from": "interactions", "points": {"DOWNLOAD": 30}}, max_ahead="5m"))
    old.fold(interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD"))
    old.keep()
    faded = measured({"from": "interactions", "points": {"DOWNLOAD": 30}, "half_life": "30d"})
    moved = restored(old.changelog, faded)
    view = moved.view("acme")
    assert view is not None
    assert (view["records"], view["clock_at"], view["generation"]) == (2, NOON, "interactions:0:0")
    assert view["schemes"]["abc"]["published"] == "B"
    assert moved.view("acme")["contributions"] == []  # type: ignore[index]


def test_what_the_changelog_cannot_hold_is_a_broken_invariant() -> None:
    partition = Folding(shipped("sabc")).partition
    with pytest.raises(ChangelogError, match="names layout 0000000000000005"):
        partition.restore(b"ra", changelog.row_payload(5, b"x"))
    with pytest.raises(ChangelogError, match="is not the partition's"):
        partition.restore(changelog.progress_key("orders"), b"{}")


def test_an_account_never_seen_has_no_view() -> None:
    assert Folding(shipped("sabc")).partition.view("nobody") is None


def test_rows_of_another_layout_among_those_of_the_present_one_take_effect_in_their_order() -> None:
    old = Folding(measured({"from": "interactions", "points": {"DOWNLOAD": 30}, "half_life": "30d"}, max_ahead="5m"))
    new = Folding(measured({"from": "interactions", "points": {"DOWNLOAD": 30}}))
    for folding, records in ((old, {"a": 1, "b": 2, "c": 3}), (new, {"a": 4, "b": 5, "d": 6})):
        for account, times in records.items():
            folding.fold(*(interaction(account, "DOWNLOAD", NOON + DAY * turn) for turn in range(times)))
        folding.keep()
    older, newer = list(old.changelog.items()), list(new.changelog.items())
    a_old, b_old, c_old = (entry for entry in older if changelog.is_row(entry[0]))
    a_new, b_new, d_new = (entry for entry in newer if changelog.is_row(entry[0]))
    layouts = [entry for entry in [*older, *newer] if not changelog.is_row(entry[0])]
    partition = Partition(0, None, "test", new.policy)
    partition.restore_batch([*layouts, a_old, a_new, b_new, c_old, b_old, d_new])
    partition.restored()
    views = {account: partition.view(account) for account in partition.account_ids()}
    assert {account: view["records"] for account, view in views.items() if view} == {"a": 4, "b": 2, "c": 3, "d": 6}


def test_one_by_one_and_in_bulk_is_the_same() -> None:
    live = Folding(shipped("sabc-live"))
    for number in range(30):
        live.fold(*(interaction(f"a{number}", "DOWNLOAD", NOON + turn * DAY) for turn in range(number % 12)))
    live.keep()
    single, bulk = (Partition(0, None, "test", live.policy) for _ in range(2))
    for key, payload in live.changelog.items():
        single.restore(key, payload)
    bulk.restore_batch(list(live.changelog.items()))
    assert [single.view(account) for account in single.account_ids()] == [bulk.view(account) for account in bulk.account_ids()]
    assert [live.view(account) for account in bulk.account_ids()] == [bulk.view(account) for account in bulk.account_ids()]
