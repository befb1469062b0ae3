"""The judge is judged: a replay of offsets, planted on a real broker on purpose, is caught by its name."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents import clients
from agents.embedded.broker import Broker
from schemas.changelog import Progress, progress_key, progress_of, progress_payload
from tests.integration.faults.scene import Scene
from tests.oracle.wire import decoded
from tests.workers import Worker


def run_well(scene: Scene, log: Path, records: int = 4_000) -> int:
    """A good run to its end."""
    with Worker(scene.settings, log) as worker:
        worker.await_lanes(4)
        with scene.load(rate=2_500) as load:
            load.await_more(records)
        scene.await_folded()
        assert worker.stop() == 0
    scene.assert_exact(load.sent)
    return load.sent


def rogue(scene: Scene) -> Producer:
    """A producer of transactions that no lane knows."""
    producer = clients.transactional_producer(scene.settings, f"{scene.settings.topic_prefix}rogue")
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


def unit_of_work(scene: Scene) -> tuple[int, Any, Any]:
    """A partition, one of its transitions, and the fold-order record of the transaction that published it."""
    fold_order = scene.where.own("fold-order")
    read = scene.where.read("tier-transitions", fold_order)
    for number, transitions in read["tier-transitions"].items():
        cause = decoded("TierTransition", transitions[-1].value())["cause"]
        for order in read[fold_order][number]:
            for part in decoded("FoldOrder", order.value())["ranges"]:
                if part["topic"] == cause["topic"] and part["from_offset"] <= cause["offset"] < part["to_offset"]:
                    return number, transitions[-1], order
    raise AssertionError("there must be a transition and its transaction")


def set_back(scene: Scene, producer: Producer, *, by: int) -> None:
    """Progress on interactions, in every partition, so many records back."""
    changelog = scene.where.own("accounts-changelog")
    for number, messages in scene.where.read(changelog)[changelog].items():
        at = [progress_of(message.value()) for message in messages if message.key() == progress_key("interactions")][-1]
        back = Progress(at.next_offset - by, at.policy_digest, at.topic_id)
        producer.produce(scene.where.prefix + changelog, key=progress_key("interactions"), value=progress_payload(back), partition=number)


@pytest.mark.faults
def test_a_unit_of_work_sent_again_by_a_rogue_producer_is_caught(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    run_well(scene, tmp_path / "good.log")
    number, transition, order = unit_of_work(scene)
    producer = rogue(scene)
    for message in (transition, order):
        producer.produce(message.topic(), key=message.key(), value=message.value(), partition=number, headers=message.headers())
    set_back(scene, producer, by=1)
    producer.commit_transaction(30)
    assert {anomaly.name for anomaly in scene.verdict().anomalies} >= {"DOUBLED", "RANGE_OVERLAP", "PROGRESS_DIFFERS"}


@pytest.mark.faults
def test_progress_set_back_makes_a_worker_fold_again_and_is_caught(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    run_well(scene, tmp_path / "good.log")
    producer = rogue(scene)
    set_back(scene, producer, by=300)
    producer.commit_transaction(30)
    with Worker(scene.settings, tmp_path / "misled.log") as worker:
        worker.await_lanes(4)
        scene.await_folded()
        assert worker.stop() == 0
    assert {anomaly.name for anomaly in scene.verdict().anomalies} >= {"RANGE_OVERLAP", "STATE_DIFFERS"}
