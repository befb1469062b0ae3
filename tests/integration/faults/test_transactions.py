"""Transactions that are not ours: inputs written in transactions, some of them aborted; one left open on an input, and on the changelog."""

import threading
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import KafkaError, Message

from agents import clients
from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.generating.poison import Framed
from agents.unit_of_work import CHANGELOG
from schemas.changelog import row_key
from schemas.codec import Codec
from tests.builders import interaction
from tests.integration.faults.scene import PARTITIONS, Load, Mortal, Scene
from tests.waiting import eventually

ABORTED_SHARE = 0.3
RECORDS_AT_ONCE = 40


class Transactions(Load):
    """The load in transactions, of which a share is aborted: those records must leave no trace. `sent` counts what was committed."""

    def __init__(self, scene: Scene, seed: int = 1) -> None:
        super().__init__(scene.settings, rate=1.0, seed=seed)
        self._settings, self._chance = scene.settings, Random(seed)
        self._producer = clients.transactional_producer(scene.settings, f"{scene.settings.topic_prefix}source-{seed}")
        self._committed = 0
        self.aborts = 0
        self._thread = threading.Thread(target=self._feed, daemon=True)

    @property
    def sent(self) -> int:
        return self._committed

    def _feed(self) -> None:
        self._producer.init_transactions(30)
        records = self._records()
        births = [next(records) for _ in self._lives.accounts]
        self._transaction(births, abort=False)
        while not self._stop.is_set():
            self._transaction([next(records) for _ in range(RECORDS_AT_ONCE)], abort=self._chance.random() < ABORTED_SHARE)

    def _transaction(self, records: list[Framed], *, abort: bool) -> None:
        self._producer.begin_transaction()
        for record in records:
            number = -1 if record.partition is None else record.partition
            self._producer.produce(self._settings.topic_name(record.topic), record.payload, record.key, number)
        self._producer.flush(30)  # an abort throws away what was not sent; here it must be in the log
        if abort:
            self._producer.abort_transaction(30)
            self.aborts += 1
        else:
            self._producer.commit_transaction(30)
            self._committed += len(records)


class Stranger:
    """A transaction of nobody's with one record in every partition of a topic, sent and left open."""

    def __init__(self, scene: Scene, topic: str, key: bytes, payload: bytes) -> None:
        self.offsets: dict[int, int] = {}
        self.producer = clients.transactional_producer(scene.settings, f"{scene.settings.topic_prefix}stranger-{topic}")
        self.producer.init_transactions(30)
        self.producer.begin_transaction()
        for number in range(PARTITIONS):
            self.producer.produce(scene.settings.topic_name(topic), payload, key, number, on_delivery=self._delivered)
        assert self.producer.flush(30) == 0

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        self.offsets[message.partition() or 0] = message.offset() or 0


@pytest.mark.faults
def test_transactions_of_others_neither_slip_through_nor_get_lost(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    with Mortal(scene.settings, tmp_path / "worker.log") as worker, Transactions(scene) as load:
        worker.await_lanes(PARTITIONS)
        load.await_more(3_000)
        on_input = Stranger(scene, "interactions", b"stranger", Codec().encode(interaction("stranger", at=wall_clock())))
        load.await_more(1_000)
        scene.await_folded()  # as far as anybody may read
        reached = scene.reached("interactions")
        assert reached.keys() == on_input.offsets.keys()
        assert all(reached[number] <= offset for number, offset in on_input.offsets.items())
        on_input.producer.commit_transaction(30)

        on_changelog = Stranger(scene, CHANGELOG, row_key(b"stranger"), b"no row")
        worker.kill()
        eventually(lambda: worker.metric("tierstream_restored_records_total") > 0, 60, "a restore")
        assert worker.lanes() == set(), "a restore that has not seen its end is not ready"
        on_changelog.producer.abort_transaction(30)
        worker.await_lanes(PARTITIONS)
        load.await_more(1_000)
        sent = load.stop() + PARTITIONS
        assert load.aborts > 0
        scene.await_folded()
        assert worker.stop() == 0
    scene.assert_exact(sent)
