"""Laws of commands: carried out once and answered; refused with the reason, and then nothing has changed; erased is as never seen."""

from typing import Any
from unittest.mock import patch

import pytest

from schemas import changelog
from schemas.changelog import ChangelogError
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from schemas.records import Action, Event
from streams.account import Fate
from streams.batches import RecordBatch
from streams.columns import Column, laid_out
from streams.commands import KINDS, REMEMBERED
from streams.cycle import fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from streams.partitioning import partition_for
from streams.policy import load_policy
from tests.builders import DAY, HOUR, NOON, command, interaction, order, prediction, profile, risk
from tests.folding import SHIPPED, TOPIC_OF, Folding, bytes_of, restored, shipped

LIVE = shipped("sabc-live")


def lived(account: str = "acme", at: int = NOON) -> list[Event]:
    """A hot account with a risk, an owner and a clock that runs."""
    return [
        profile(account, at, industry="finance", size="large", region="core", name="Acme", owner_id="kim"),
        prediction(account, 95.0, at),
        *(interaction(account, "PRICE_INQUIRY", at + n * HOUR, contact_id=f"c-{n}") for n in range(5)),
        risk(account, at=at + 6 * HOUR),
    ]


def erasure(account: str = "acme", at: int = NOON + DAY, **more: Any) -> Event:
    return command(account, "ERASE", at, **more)


def answers(f: Folding) -> list[tuple[str, str, str]]:
    return [(action.kind, action.name, action.reason) for action in f.records("actions") if action.kind in ("DONE", "REFUSED")]


def test_an_erased_account_is_forgotten_and_the_command_answered() -> None:
    f = Folding(LIVE)
    f.fold(*lived(), *lived("other"))
    f.keep()
    f.fold(erasure())
    assert f.partition.view("acme") is None
    assert (len(f.partition), f.partition.account_ids()) == (1, ["other"])
    assert answers(f) == [("DONE", "ERASE", "the account is erased")]
    assert [(output.key, output.record) for output in f.outputs if output.record is None] == [(b"acme", None)]
    assert [(key, payload) for key, payload in f.keep() if b"acme" in key] == [(b"racme", None), (b"dacme", None)]


def test_nothing_of_an_erased_account_is_left_in_memory() -> None:
    f = Folding(LIVE)
    f.fold(*lived("the-name-to-forget"))
    f.keep()
    f.fold(erasure("the-name-to-forget"))
    accounts = f.partition._accounts
    memory = accounts.memory()
    assert b"the-name-to-forget" not in memory.keys.tobytes()
    assert not accounts._dossiers._packed.memory.any()
    assert (len(accounts._dossiers), accounts._open) == (0, {})
    assert f.partition.is_due(NOON + 1_000 * DAY) is False


def test_a_later_record_starts_another_generation_as_if_the_account_had_never_been() -> None:
    f, fresh = Folding(LIVE), Folding(LIVE)
    f.fold(*lived())
    before = f.view()["generation"]
    f.fold(erasure())
    fresh._offsets = dict(f._offsets)
    later = lived(at=NOON + 2 * DAY)
    assert bytes_of(f.fold(*later)) == bytes_of(fresh.fold(*later))
    assert f.published[-1].generation != before
    assert next(each.sequence for each in f.published if each.generation != before) == 1
    assert f.view() == fresh.view()


def test_a_command_is_carried_out_once_however_often_it_comes() -> None:
    f = Folding(LIVE)
    once = erasure(event_id="erase-1")
    f.fold(*lived(), once, *lived(at=NOON + 2 * DAY))
    assert f.fate(once) is Fate.REPEATED
    assert f.partition.view("acme") is not None
    f.keep()
    f.partition = restored(f.changelog, LIVE)
    assert f.fate(once) is Fate.REPEATED
    assert f.partition.view("acme") is not None
    assert f.fate(erasure(event_id="erase-2", at=NOON + 3 * DAY)) is Fate.FOLDED
    assert f.partition.view("acme") is None


def test_the_memory_of_commands_is_bounded() -> None:
    f = Folding(LIVE)
    f.fold(*(erasure(event_id=f"c-{n}") for n in range(REMEMBERED + 1)))
    assert f.fate(erasure(event_id=f"c-{REMEMBERED}")) is Fate.REPEATED
    assert f.fate(erasure(event_id="c-0")) is Fate.FOLDED
    ((_, payload),) = [(key, payload) for key, payload in f.keep() if key == changelog.COMMANDS_KEY]
    assert payload is not None
    assert len(changelog.commands_of(payload)) == REMEMBERED


def test_what_cannot_be_done_is_refused_with_the_reason_and_changes_nothing() -> None:
    f = Folding(LIVE)
    f.fold(*lived())
    before, published = f.view(), len(f.published)
    f.keep()
    f.fold(erasure("nobody"), command(kind="MERGE", at=NOON + DAY))
    assert answers(f) == [
        ("REFUSED", "ERASE", "there is no such account"),
        ("REFUSED", "MERGE", f"MERGE is not carried out by this version, which knows {', '.join(KINDS)}"),
    ]
    assert (f.view(), len(f.published)) == (before, published)
    assert [key for key, _ in f.keep()] == [changelog.COMMANDS_KEY]


def test_answers_say_nothing_of_people_and_have_ids_of_their_own() -> None:
    f = Folding(LIVE)
    f.fold(*lived(), erasure(requested_by="Zhang Wei", reason="asked by Zhang Wei"), erasure())
    done, refused = [action for action in f.records("actions") if action.kind in ("DONE", "REFUSED")]
    assert isinstance(done, Action)
    assert "Zhang" not in repr(done)
    assert done.cause.event_id
    assert done.action_id != refused.action_id


def test_history_obeys_and_does_not_answer() -> None:
    f = Folding(LIVE, mode="BACKFILL")
    f.fold(*lived(), erasure(), erasure("nobody"))
    assert f.partition.view("acme") is None
    assert answers(f) == []


def test_a_command_in_the_wrong_partition_is_a_dead_letter() -> None:
    f = Folding(LIVE, partitions=4, number=(partition_for(b"acme", 4) + 1) % 4)
    with pytest.raises(RecordRejected) as refused:
        f.fold(erasure())
    assert refused.value.reason is Reason.WRONG_PARTITION


def test_erased_and_back_within_one_transaction_each_key_is_written_once() -> None:
    f = Folding(LIVE)
    f.fold(*lived(), *lived("other"))
    f.keep()
    f.fold(interaction(at=NOON + 8 * HOUR), erasure(), interaction("acme", at=NOON + 2 * DAY), interaction("other", at=NOON + 2 * DAY))
    written = [(key, payload is None) for key, payload in f.keep() if key != changelog.COMMANDS_KEY]
    assert sorted(written) == [(b"dacme", True), (b"racme", False), (b"rother", False)]
    assert restored(f.changelog, LIVE).view("acme") == f.view("acme")


@pytest.mark.parametrize("compacted", ["nothing", "rows", "all"])
def test_a_restore_does_not_bring_an_erased_account_back_however_far_compaction_is(compacted: str) -> None:
    f, log = Folding(LIVE), list[tuple[bytes, bytes | None]]()
    for records in ([*lived(), *lived("other")], [erasure()], [interaction("third", at=NOON + 2 * DAY)]):
        f.fold(*records)
        log += f.keep()
    newest = {key: place for place, (key, _) in enumerate(log)}
    kept = {"nothing": log, "rows": [entry for place, entry in enumerate(log) if entry[0][:1] != b"r" or newest[entry[0]] == place]}
    kept["all"] = [entry for place, entry in enumerate(log) if newest[entry[0]] == place and entry[1] is not None]
    back = Folding(LIVE)
    back.partition.restore_batch(kept[compacted])
    back.partition.restored()
    assert back.partition.view("acme") is None
    assert sorted(back.partition.account_ids()) == ["other", "third"]
    assert [back.view(account) for account in ("other", "third")] == [f.view(account) for account in ("other", "third")]


def test_a_dossier_left_over_by_compaction_makes_no_account() -> None:
    f = Folding(LIVE)
    f.fold(*lived())
    log = [entry for entry in f.keep() if not changelog.is_row(entry[0])]
    back = Folding(LIVE)
    back.partition.restore_batch([*log, (b"dacme", None)])
    back.partition.restored()
    assert len(back.partition) == 0


def test_only_accounts_can_be_deleted_from_a_changelog() -> None:
    with pytest.raises(ChangelogError, match="must not be deleted"):
        Folding(LIVE).partition.restore(changelog.TICK_KEY, None)


def test_orders_are_forgotten_with_their_account() -> None:
    policy = shipped("orders-rfm")
    f = Folding(policy)
    bought = order(at=NOON, order_id="o-1")
    f.fold(bought, erasure())
    assert f.fate(order(at=NOON + 2 * DAY, order_id="o-1")) is Fate.FOLDED


def test_compiled_code_folds_around_an_erasure_as_python_does() -> None:
    codec, records = Codec(), list[Event]()
    for n in range(60):
        records.append(interaction(f"a-{n % 3}", ("VISIT", "PRICE_INQUIRY", "DOWNLOAD")[n % 3], NOON + n * HOUR, event_id=f"v-{n}"))
        if n % 20 == 19:
            records.append(erasure(f"a-{n % 3}", NOON + n * HOUR, event_id=f"x-{n}"))
    placed = [RawRecord(TOPIC_OF[type(r)], 0, n, r.occurred_at, r.account_id.encode(), codec.encode(r)) for n, r in enumerate(records)]
    compiled, plain = Partition(0, None, "test", LIVE), Partition(0, None, "test", LIVE, forward=False)
    folded = [fold_cycle(p, RecordBatch.of(placed), codec, mode="LIVE", decided_at_ms=0) for p in (compiled, plain)]
    assert folded[0].outputs == folded[1].outputs
    assert dict(folded[0].changes) == dict(folded[1].changes)
    assert [compiled.view(f"a-{n}") for n in range(3)] == [plain.view(f"a-{n}") for n in range(3)]
    assert sum(folded[0].handed.values()) < len(records)  # compiled code did fold


def test_who_was_erased_is_not_looked_at_again_where_another_version_wrote_the_row() -> None:
    """Seed 145 of the simulation: its row of another layout was brought up to date, and a tick then decided nobody's account."""
    with patch("streams.policy.compiled.laid_out", lambda columns: laid_out([Column("spare", "<i8", "another"), *columns])):
        older = load_policy(next(path for path in SHIPPED if path.stem == "sabc-live"))
    f = Folding(older)
    f.fold(*lived())
    before = f.keep()
    f.fold(erasure())
    partition = Partition(0, None, "test", LIVE)
    partition.restore_batch([*before, *f.keep()])
    partition.restored()
    assert partition.fold_tick(NOON + 400 * DAY, "LIVE", NOON + 400 * DAY) == []
    assert len(partition) == 0
