"""Laws of reading in bulk: columns say what the client's own messages say, whatever lies in a topic."""

import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from agents import clients
from agents.bulk_consumer import BulkConsumer, Place, Report
from agents.embedded.broker import Broker
from agents.settings import load_settings
from benchmarks.processes import rss_bytes
from schemas.errors import SettingsError
from streams.batches import RecordBatch
from streams.intake import RawRecord
from tests.deployments import Deployment
from tests.waiting import eventually

HEADERS: Sequence[list[tuple[str, bytes | None]]] = ([], [("a", b"1")], [("a", b"1"), ("a", b""), ("kürzel", None)])
KEYS: Sequence[bytes | None] = (None, b"", b"k", b"k" * 300)
PAYLOADS: Sequence[bytes | None] = (None, b"", b"p", b"\0" * 9)
LARGE = 900_000
MANY, PASSES, PAYLOAD_BYTES = 20_000, 20, 1_000


@pytest.fixture
def consumer(deployment: Deployment) -> Iterator[BulkConsumer]:
    with clients.bulk_consumer(deployment.settings) as made:
        yield made


def place(deployment: Deployment, topic: str, offset: int = 0, number: int | None = None) -> TopicPartition:
    return TopicPartition(deployment.settings.topic_name(topic), deployment.number if number is None else number, offset)


def written(deployment: Deployment) -> None:
    """Everything that a topic can hold: with and without keys, payloads and headers; large; aborted and committed; on two partitions."""
    producer = clients.transactional_producer(deployment.settings, f"{deployment.settings.topic_prefix}odd")
    producer.init_transactions(20)
    for commits in (True, False, True):
        producer.begin_transaction()
        _produce(deployment, producer, commits)
        (producer.commit_transaction if commits else producer.abort_transaction)(20)
    deployment.append("orders", *(f"plain-{number}" for number in range(60)))
    for topic in ("interactions", "orders"):
        deployment.committed(topic)


def _produce(deployment: Deployment, producer: Producer, commits: bool) -> None:
    name, random = deployment.settings.topic_name("interactions"), Random(7)
    for number in range(2):
        for key in KEYS:
            for payload in PAYLOADS:
                for headers in HEADERS:
                    producer.produce(name, payload, key, partition=number, headers=headers)
        producer.produce(name, random.randbytes(LARGE), b"large" if commits else b"aborted", partition=number)
        assert producer.flush(20) == 0


def by_the_client(deployment: Deployment, places: list[TopicPartition]) -> tuple[dict[Place, list[RawRecord]], dict[Place, int]]:
    """Records and ends as confluent-kafka's own consumer says them."""
    reader: Consumer = clients.reading_consumer(deployment.settings)
    reader.assign(places)
    records: dict[Place, list[RawRecord]] = {}
    ends: dict[Place, int] = {}

    def done() -> bool:
        for message in reader.consume(1_000, 0.2):
            where = message.topic() or "", message.partition() or 0
            if (error := message.error()) is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                ends[where] = message.offset() or 0
            else:
                headers: Any = tuple(message.headers() or ())
                raw = RawRecord(where[0], where[1], message.offset() or 0, message.timestamp()[1], message.key(), message.value(), headers)
                records.setdefault(where, []).append(raw)
        return len(ends) == len(places)

    eventually(done)
    reader.close()
    return records, ends


def in_bulk(
    consumer: BulkConsumer, places: list[TopicPartition], limit: int
) -> tuple[dict[Place, list[RawRecord]], dict[Place, int], list[Report]]:
    """The same from columns, and what else was reported."""
    consumer.assign(places)
    records: dict[Place, list[RawRecord]] = {}
    ends: dict[Place, int] = {}
    others: list[Report] = []

    def done() -> bool:
        taken = consumer.take(limit, 0.2)
        assert sum(chunk.size for chunk in taken.chunks.values()) + len(taken.reports) <= limit
        for where, chunk in taken.chunks.items():
            batch = RecordBatch(where[1], (where[0],), chunk.offset.astype("u1") * 0, *chunk)
            records.setdefault(where, []).extend(batch)
        for report in taken.reports:
            if report.error.code() == KafkaError._PARTITION_EOF:
                ends[report.topic, report.partition] = report.offset
            else:
                others.append(report)
        return len(ends) == len(places)

    eventually(done)
    return records, ends, others


@pytest.mark.parametrize("limit", [1, 7, 20_000])
def test_columns_say_what_the_clients_messages_say(deployment: Deployment, consumer: BulkConsumer, limit: int) -> None:
    written(deployment)
    places = [place(deployment, "interactions", 0, 0), place(deployment, "interactions", 0, 1), place(deployment, "orders")]
    records, ends = by_the_client(deployment, places)
    assert in_bulk(consumer, places, limit) == (records, ends, [])
    found = records[places[0].topic, 0]
    assert {raw.headers for raw in found} == {tuple(headers) for headers in HEADERS}
    assert {raw.key for raw in found} == {*KEYS, b"large"}
    assert ends[places[0].topic, 0] > found[-1].offset + 1, "the end counts the marker of a transaction"


def test_other_partitions_are_read_from_where_it_is_told(deployment: Deployment, consumer: BulkConsumer) -> None:
    deployment.append("orders", *"abcdef")
    deployment.append("interactions", "x")
    records, _, _ = in_bulk(consumer, [place(deployment, "orders", 4)], 2)
    assert [raw.key for raws in records.values() for raw in raws] == [b"e", b"f"]
    records, _, _ = in_bulk(consumer, [place(deployment, "interactions")], 100)
    assert [raw.key for raws in records.values() for raw in raws] == [b"x"]
    consumer.unassign()
    deployment.append("interactions", "y")
    assert consumer.take(10, 0.3) == ({}, [])


def test_a_paused_partition_gives_nothing_until_it_is_resumed(deployment: Deployment, consumer: BulkConsumer) -> None:
    in_bulk(consumer, [place(deployment, "orders")], 100)
    consumer.pause([place(deployment, "orders")])
    deployment.append("orders", "a")
    assert consumer.take(10, 0.5) == ({}, [])
    consumer.resume([place(deployment, "orders")])
    eventually(lambda: consumer.take(10, 0.2).chunks)


def test_a_position_that_is_gone_is_reported(deployment: Deployment, consumer: BulkConsumer) -> None:
    deployment.append("orders", "a")
    gone = place(deployment, "orders", 9)
    consumer.assign([gone])
    (report,) = eventually(lambda: consumer.take(10, 0.2).reports)
    assert (report.topic, report.partition, report.error.code()) == (gone.topic, gone.partition, KafkaError._AUTO_OFFSET_RESET)
    assert "out of range" in report.error.str()


def test_watermarks_are_asked_of_the_broker_and_a_failure_is_the_clients(deployment: Deployment, consumer: BulkConsumer) -> None:
    deployment.append("orders", "a", "b")
    assert consumer.get_watermark_offsets(place(deployment, "orders"), 10.0) == (0, 2)
    with pytest.raises(KafkaException) as failed:
        consumer.get_watermark_offsets(TopicPartition("nowhere", 0), 5.0)
    assert failed.value.args[0].code() in (KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)


def test_a_consumer_that_is_closed_says_so(deployment: Deployment) -> None:
    consumer = clients.bulk_consumer(deployment.settings)
    consumer.close()
    consumer.close()
    for call in (lambda: consumer.take(1, 0), consumer.unassign, lambda: consumer.pause([])):
        with pytest.raises(RuntimeError, match="is closed"):
            call()


def test_a_refused_option_is_named_and_its_value_is_not(kafka: Broker) -> None:
    settings = load_settings({"bootstrap_servers": kafka.bootstrap, "kafka": {"sasl.mechanism": "PLAIN", "no.such": "hunter2"}})
    with pytest.raises(SettingsError, match=r"refuses the options: No such configuration property: \"no.such\""):
        clients.bulk_consumer(settings)
    settings = load_settings({"bootstrap_servers": kafka.bootstrap, "kafka": {"security.protocol": "hunter2"}})
    with pytest.raises(SettingsError, match=r"security.protocol") as refused:
        clients.bulk_consumer(settings)
    assert "hunter2" not in str(refused.value)


def test_the_clients_complaints_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    nobody = load_settings({"bootstrap_servers": "127.0.0.1:1"})
    with clients.bulk_consumer(nobody) as consumer:
        consumer.assign([TopicPartition("orders", 0, 0)])
        eventually(lambda: consumer.take(1, 0.2) and "kafka client: _TRANSPORT" in caplog.text)


@pytest.mark.faults
@pytest.mark.alone
def test_messages_are_given_back(deployment: Deployment, consumer: BulkConsumer) -> None:
    payload = Random(7).randbytes(PAYLOAD_BYTES)
    deployment.append("orders", *(f"{number}" for number in range(MANY)), payload=payload)
    own = int(Path("/proc/self").resolve().name)
    sizes = []
    for _ in range(PASSES):
        records, _, _ = in_bulk(consumer, [place(deployment, "orders")], 5_000)
        assert sum(map(len, records.values())) == MANY
        del records
        gc.collect()
        sizes.append(rss_bytes(own))
    kept = sizes[-1] - sizes[PASSES // 4]
    read = MANY * PAYLOAD_BYTES * (PASSES * 3 // 4)
    print(f"memory grew by {kept / 1e6:.0f} MB while {read / 1e6:.0f} MB were read")
    assert kept < read / 5
