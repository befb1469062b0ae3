"""Laws of the unit of work on a real broker: all or nothing, once, and only by the owner."""

import time
from collections import Counter
from contextlib import nullcontext
from random import Random
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from agents.counters import LaneCounters
from agents.kafka_errors import translated
from agents.kafka_log import KafkaLog
from agents.partition_log import AbortRequired, Fatal, Fenced, Headed
from agents.resting import REST_S
from agents.unit_of_work import CHANGELOG, Content, UnitOfWork, content
from schemas import cloud_events, dead_letters
from schemas.codec import Codec
from schemas.instants import from_iso
from schemas.records import FoldOrder
from streams.account import Output
from streams.cycle import Folded
from tests.builders import transition
from tests.deployments import INPUTS, Deployment, recovered, step_until
from tests.waiting import eventually


@pytest.fixture
def log(deployment: Deployment) -> KafkaLog:
    log = deployment.log()
    log.open()
    return log


def test_nothing_of_a_transaction_is_seen_before_its_commit_and_all_after(deployment: Deployment, log: KafkaLog) -> None:
    log.begin()
    log.send(CHANGELOG, [(b"ra", b"1"), (b"rb", None)])
    log.send_headed("dead-letters", [Headed(None, None, [("why", b"test")])])
    assert log._producer.flush(20) == 0
    assert deployment.committed(CHANGELOG, settled=False) == []
    log.commit()
    assert [(m.key(), m.value()) for m in deployment.committed(CHANGELOG)] == [(b"ra", b"1"), (b"rb", None)]
    (letter,) = deployment.committed("dead-letters")
    assert (letter.key(), letter.value(), letter.headers(), letter.partition()) == (None, None, [("why", b"test")], deployment.number)


def test_the_broker_is_let_be_after_a_commit_even_if_there_is_something_to_read(deployment: Deployment, log: KafkaLog) -> None:
    deployment.append("orders", "a")
    log.start(dict.fromkeys(INPUTS, 0))
    eventually(lambda: log.fetch(100, 0.2).chunks or None, what="the first record")
    deployment.append("orders", "b")
    log.begin()
    log.send(CHANGELOG, [(b"ra", b"1")])
    log.commit()
    committed_at_s = time.perf_counter()
    assert log.fetch(100, 0) is not None, "who may not wait does not rest"
    log.fetch(100, 1.0)
    assert time.perf_counter() - committed_at_s >= 0.9 * REST_S


def test_an_aborted_transaction_leaves_nothing_to_read(deployment: Deployment, log: KafkaLog) -> None:
    log.begin()
    log.send(CHANGELOG, [(b"ra", b"1")])
    log.abort()
    assert deployment.committed(CHANGELOG) == []


class AbortsOnce(KafkaLog):
    """A log whose first commit finds, after everything has reached the broker, that the transaction must be aborted."""

    aborted = False

    def commit(self) -> None:
        if not self.aborted:
            assert self._producer.flush(20) == 0
            self.aborted = True
            raise AbortRequired("told to abort")
        super().commit()


def test_content_that_was_aborted_and_sent_again_is_there_once(deployment: Deployment) -> None:
    log = AbortsOnce(deployment.settings, deployment.number, INPUTS, deployment.log()._admin)
    log.open()
    records = Content({CHANGELOG: [(b"ra", b"1")]}, {"dead-letters": [Headed(b"a", b"x", [])]})
    counters = LaneCounters()
    work = UnitOfWork(log, counters, nullcontext())
    work.commit(records, work.send(records))
    assert [(m.key(), m.value()) for m in deployment.committed(CHANGELOG)] == [(b"ra", b"1")]
    assert len(deployment.committed("dead-letters")) == 1
    assert deployment.end(CHANGELOG) == 4, "the aborted copy, its marker, the committed copy, its marker"
    assert (counters.aborts, counters.commits) == (1, 1)


def test_a_zombie_is_fenced_and_its_open_transaction_is_undone(deployment: Deployment, log: KafkaLog) -> None:
    log.begin()
    log.send(CHANGELOG, [(b"ra", b"of the zombie")])
    successor = deployment.log()
    successor.open()
    with pytest.raises(Fenced):
        log.commit()
    with pytest.raises((Fenced, Fatal)):
        log.begin()
    successor.begin()
    successor.send(CHANGELOG, [(b"ra", b"of the successor")])
    successor.commit()
    assert [m.value() for m in deployment.committed(CHANGELOG)] == [b"of the successor"]


def test_two_deployments_on_one_broker_do_not_fence_each_other(kafka: Any, deployment: Deployment, log: KafkaLog) -> None:
    other = Deployment(kafka.bootstrap, deployment.settings.topic_prefix + "other-")
    other.log().open()
    log.begin()
    log.send(CHANGELOG, [(b"ra", b"1")])
    log.commit()
    assert len(deployment.committed(CHANGELOG)) == 1


def test_more_than_the_queue_of_the_client_goes_through_whole_and_in_order(kafka: Any, prefix: str) -> None:
    deployment = Deployment(kafka.bootstrap, prefix, kafka={"queue.buffering.max.messages": "100"})
    log = deployment.log()
    log.open()
    log.begin()
    pairs = [(b"r%04d" % number, b"x") for number in range(1_000)]
    log.send(CHANGELOG, [*pairs])
    log.send_headed("dead-letters", [Headed(key, payload, []) for key, payload in pairs])
    log.commit()
    assert sorted(m.key() for m in deployment.committed(CHANGELOG)) == [key for key, _ in pairs]
    assert [m.key() for m in deployment.committed("dead-letters")] == [key for key, _ in pairs]


def test_a_record_larger_than_any_client_sends_ends_the_lane_with_the_reason(deployment: Deployment, log: KafkaLog) -> None:
    log.begin()
    with pytest.raises(Fatal, match="MSG_SIZE_TOO_LARGE"):
        log.send(CHANGELOG, [(b"ra", b"x" * 100_000_001)])


def test_a_record_that_only_the_broker_refuses_aborts_and_then_ends_the_lane(deployment: Deployment, log: KafkaLog) -> None:
    records = Content({CHANGELOG: [(b"ra", Random(1).randbytes(2_000_000))]}, {})
    work = UnitOfWork(log, LaneCounters(), nullcontext())
    with pytest.raises(Fatal, match="5 transactions of the same content"):
        work.commit(records, work.send(records))
    assert deployment.committed(CHANGELOG) == []


def test_a_cycle_is_one_transaction_with_rows_dead_letters_order_and_progress(deployment: Deployment) -> None:
    deployment.append("interactions", "a", "b")
    deployment.append("interactions", "c", payload=b"refuse")
    lane, tally = recovered(deployment)
    step_until(lane, tally, 3)
    assert deployment.rows() == {b"ra": b"1", b"rb": b"1"}
    (letter,) = deployment.committed("dead-letters")
    read = dead_letters.from_headers(letter.headers(), letter.key(), letter.value())
    assert (read.topic, read.partition, read.offset, read.key, read.payload) == ("interactions", deployment.number, 2, b"c", b"refuse")
    assert read.appended_at_ms > 0
    progress = deployment.progress()
    assert {topic: made.next_offset for topic, made in progress.items()} == {"interactions": 3, "orders": 0}
    assert {made.policy_digest for made in progress.values()} == {"digest-1"}
    ids = lane.log.topic_ids()
    assert {made.changelog_id for made in progress.values()} == {ids.pop(CHANGELOG)}
    assert {topic: made.topic_id for topic, made in progress.items()} == ids


def test_dead_letters_and_progress_past_them_are_committed_together_or_not_at_all(deployment: Deployment) -> None:
    deployment.append("interactions", "a", payload=b"refuse")
    zombie, _ = recovered(deployment)
    eventually(lambda: (zombie.gather(0.2), zombie.waiting())[1] == 1)
    deployment.log().open()
    with pytest.raises(Fenced):
        eventually(lambda: zombie.step(0.2))
    assert (deployment.committed("dead-letters"), deployment.progress()) == ([], {})
    successor, again = recovered(deployment)
    step_until(successor, again, 1)
    assert len(deployment.committed("dead-letters")) == 1
    assert deployment.progress()["interactions"].next_offset == 1


def test_an_output_is_keyed_encoded_and_announced_as_a_cloud_event(deployment: Deployment, log: KafkaLog) -> None:
    record = transition(account_id="acme")
    folded = Folded([Output("tier-transitions", b"acme", record)], [], [], Counter(), Counter())
    order = FoldOrder(partition=deployment.number, ranges=[], tick=None, mode="LIVE", policy_digest="d")
    records = content(folded, order, {}, Codec().encode_all, "test")
    work = UnitOfWork(log, LaneCounters(), nullcontext())
    work.commit(records, work.send(records))
    (message,) = deployment.committed("tier-transitions")
    assert (message.key(), message.partition()) == (b"acme", deployment.number)
    assert Codec().decode_as(type(record), message.value()) == record
    attributes = cloud_events.attributes(message.headers())
    assert attributes["id"] == record.transition_id
    assert attributes["subject"] == "acme"
    assert attributes["source"] == "/tierstream/test"
    assert from_iso(attributes["time"]) == record.effective_at


def test_ranges_of_a_topic_join_across_its_transaction_markers(deployment: Deployment) -> None:
    lane, tally = recovered(deployment)
    for round_number in range(3):
        source = deployment.open_transaction("interactions", "a")
        source.commit_transaction(20)
        step_until(lane, tally, round_number + 1)
    ranges = [(r.from_offset, r.to_offset) for order in deployment.fold_orders() for r in order.ranges if r.topic == "interactions"]
    assert ranges == [(0, 1), (1, 3), (3, 5)]


def test_an_unknown_error_of_the_client_is_fatal_never_repeated() -> None:
    def refused() -> None:
        raise KafkaException(KafkaError(KafkaError.INVALID_REQUEST))

    with pytest.raises(Fatal, match="INVALID_REQUEST"):
        translated(refused)
