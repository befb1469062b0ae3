"""Laws of taking a partition over, on a real broker."""

import time

import pytest

from agents import clients
from agents.counters import LaneCounters
from agents.kafka_log import KafkaLog
from agents.partition_log import PositionLost
from agents.patience import patiently
from agents.provisioning import create_topics
from agents.unit_of_work import CHANGELOG
from schemas.errors import SettingsError
from tests.deployments import INPUTS, Deployment, recovered, step_until
from tests.tallying import tallying_lane
from tests.waiting import eventually


def opened(deployment: Deployment) -> KafkaLog:
    log = deployment.log()
    log.open()
    return log


def restored(log: KafkaLog) -> list[tuple[bytes, bytes | None]]:
    return [record for batch in log.restore(patiently(log.changelog_end, time.sleep)) for record in batch]


def test_what_is_restored_is_what_was_committed(deployment: Deployment) -> None:
    keys = [f"acct-{number % 700}" for number in range(3_000)]
    deployment.append("interactions", *keys)
    first, tally = recovered(deployment, batch_records=500)
    step_until(first, tally, len(keys))
    second, again = recovered(deployment)
    assert again.counts == tally.counts
    assert len(again) == 700
    second.step(0.5)
    assert again.folded == []


def test_restore_reads_past_markers_and_aborted_records_to_the_true_end(deployment: Deployment) -> None:
    log = opened(deployment)
    for number in range(3):
        log.begin()
        log.send(CHANGELOG, [(b"r%d" % number, b"x")])
        log.commit()
        log.begin()
        log.send(CHANGELOG, [(b"r%d" % number, b"aborted")])
        log.abort()
    reading = opened(deployment)
    assert restored(reading) == [(b"r0", b"x"), (b"r1", b"x"), (b"r2", b"x")]
    assert reading.restored_to() == reading.changelog_end(), "nothing is left, though the last offsets are no records"


def test_an_empty_changelog_is_restored_at_once(deployment: Deployment) -> None:
    assert restored(opened(deployment)) == []


def test_the_new_owner_settles_the_open_transaction_of_the_old_one_before_it_restores(deployment: Deployment) -> None:
    old = opened(deployment)
    old.begin()
    old.send(CHANGELOG, [(b"ra", b"1")])
    old.commit()
    old.begin()
    old.send(CHANGELOG, [(b"ra", b"2")])
    assert old._producer.flush(20) == 0
    assert restored(opened(deployment)) == [(b"ra", b"1")]


def test_a_restore_waits_for_a_foreign_transaction_rather_than_miss_what_is_behind_it(deployment: Deployment) -> None:
    foreign = deployment.open_transaction(CHANGELOG, "rx")
    log = opened(deployment)
    log.begin()
    log.send(CHANGELOG, [(b"ra", b"1")])
    log.commit()
    reading = opened(deployment)
    batches = reading.restore(patiently(reading.changelog_end, time.sleep))
    assert [list(next(batches)) for _ in range(5)] == [[]] * 5
    foreign.abort_transaction(20)
    assert [record for batch in batches for record in batch] == [(b"ra", b"1")]


def test_a_foreign_open_transaction_on_an_input_holds_its_records_back_and_ends_agree(deployment: Deployment) -> None:
    deployment.append("interactions", "a")
    foreign = deployment.open_transaction("interactions", "b")
    deployment.append("interactions", "c")
    lane, tally = recovered(deployment)
    step_until(lane, tally, 1)
    lane.step(0.3)
    assert tally.counts == {"a": 1}
    assert lane.log.ends()["interactions"] == lane.log.positions()["interactions"] == 1
    foreign.commit_transaction(20)
    step_until(lane, tally, 3)
    assert list(tally.counts) == ["a", "b", "c"]


def test_the_position_counts_markers_once_the_end_is_reported(deployment: Deployment) -> None:
    lane, tally = recovered(deployment)
    for number in (1, 2):
        deployment.open_transaction("interactions", "a").commit_transaction(20)
        step_until(lane, tally, number)
        eventually(lambda: (lane.step(0.1), lane.log.positions() == lane.log.ends())[1])
        assert lane.log.positions() == {"interactions": 2 * number, "orders": 0}


def test_an_input_that_is_held_loses_nothing_and_reports_its_end_again(deployment: Deployment) -> None:
    keys = [f"k{number}" for number in range(2_000)]
    deployment.append("interactions", *keys)
    log = opened(deployment)
    log.start(patiently(log.begins, time.sleep))
    seen: list[int] = []
    ended: set[str] = set()

    def fetched() -> bool:
        got = log.fetch(50, 0.2)
        for chunk in got.chunks.values():
            seen.extend(chunk.offset.tolist())
        ended.update(got.ended)
        return bool(got.chunks)

    eventually(fetched)
    for _ in range(5):
        log.hold("interactions")
        assert log.fetch(50, 0.1).chunks == {}
        log.release("interactions")
        eventually(fetched)
    ended.clear()
    eventually(lambda: (fetched(), "interactions" in ended)[1])
    assert seen == list(range(2_000))


def test_a_position_that_the_log_no_longer_has_is_an_error_never_a_guess(deployment: Deployment) -> None:
    deployment.append("interactions", "a")
    log = opened(deployment)
    log.start({"interactions": 1_000_000, "orders": 0})
    with pytest.raises(PositionLost):
        eventually(lambda: log.fetch(10, 0.2).chunks)


def test_another_digest_than_the_progress_is_refused(deployment: Deployment) -> None:
    deployment.append("interactions", "a")
    lane, tally = recovered(deployment)
    step_until(lane, tally, 1)
    with pytest.raises(
        SettingsError,
        match="start without --policy to go on with the one in force, change it with `tierstream policy activate`",
    ):
        recovered(deployment, policy_digest="digest-2")


def test_a_topic_that_was_deleted_and_made_again_is_refused(deployment: Deployment) -> None:
    deployment.append("interactions", "a")
    lane, tally = recovered(deployment)
    step_until(lane, tally, 1)
    lane.log.close()
    admin, name = clients.admin_client(deployment.settings), deployment.settings.topic_name("orders")
    admin.delete_topics([name])[name].result(20)
    eventually(lambda: name not in admin.list_topics(timeout=10).topics)
    create_topics(deployment.settings)
    with pytest.raises(SettingsError, match="topic orders was deleted and made again"):
        recovered(deployment)


def test_counters_say_what_was_restored(deployment: Deployment) -> None:
    deployment.append("interactions", "a", "b")
    lane, tally = recovered(deployment)
    step_until(lane, tally, 2)
    counters = LaneCounters()
    successor, _ = tallying_lane(deployment.log(), INPUTS, counters=counters)
    successor.recover()
    assert counters.restored == 4
    assert counters.accounts == 2
