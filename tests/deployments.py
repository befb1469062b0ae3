"""A deployment of a test's own on the shared broker: topics under its prefix, ways to write inputs and to read what was committed."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import IsolationLevel, Producer, TopicPartition

from agents import clients
from agents.kafka_log import KafkaLog
from agents.lane import Lane
from agents.offsets import LATEST, offsets_of
from agents.provisioning import create_topics
from agents.reading import committed_messages
from agents.settings import Settings, load_settings
from agents.unit_of_work import CHANGELOG
from schemas.changelog import PROGRESS_PREFIX, Progress, progress_of, topic_of
from schemas.codec import Codec
from schemas.records import FoldOrder
from tests.tallying import Tally, tallying_lane
from tests.waiting import eventually

INPUTS = ("interactions", "orders")


class Deployment:
    """Settings with topics made, and the plain things that tests do with them. Everything is in partition `number`."""

    def __init__(self, bootstrap: str, prefix: str, number: int = 1, **settings: Any) -> None:
        self.number = number
        self.settings: Settings = load_settings({"bootstrap_servers": bootstrap, "topic_prefix": prefix, "partitions": 2, **settings})
        create_topics(self.settings)
        self._admin = clients.admin_client(self.settings)

    @classmethod
    def of(cls, settings: Settings, number: int) -> "Deployment":
        """One partition of a deployment that is there."""
        return cls(settings.bootstrap_servers, settings.topic_prefix, number, partitions=settings.partitions)

    def log(self, topics: Sequence[str] = INPUTS) -> KafkaLog:
        """A log of this partition, as a new owner makes it."""
        return KafkaLog(self.settings, self.number, topics, self._admin)

    def append(self, topic: str, *keys: str, payload: bytes = b"x") -> None:
        """Put one record for each key at the end of an input; returns when the broker has them."""
        producer = clients.idempotent_producer(self.settings)
        for key in keys:
            producer.produce(self.settings.topic_name(topic), payload, key.encode(), partition=self.number)
        assert producer.flush(20) == 0

    def open_transaction(self, topic: str, key: str, transactional_id: str = "foreign") -> Producer:
        """A foreign transaction with one record, sent and left open."""
        producer = clients.transactional_producer(self.settings, f"{self.settings.topic_prefix}{transactional_id}")
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(self.settings.topic_name(topic), b"x", key.encode(), partition=self.number)
        assert producer.flush(20) == 0
        return producer

    def committed(self, topic: str, *, settled: bool = True) -> list[Any]:
        """The committed messages of this partition of a topic, once no transaction is open on it (unless `settled` is False).

        The coordinator answers a commit before its markers are everywhere: what was just committed may be seen a moment later.
        """
        if settled:
            eventually(lambda: self.end(topic) == self.end(topic, IsolationLevel.READ_UNCOMMITTED), what=f"{topic} has no open transaction")
        return list(committed_messages(self.settings, topic, partitions=[self.number]))

    def end(self, topic: str, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED) -> int:
        """The end of this partition of a topic. Read uncommitted, it counts every record and marker ever written."""
        place = TopicPartition(self.settings.topic_name(topic), self.number)
        (offset,) = offsets_of(self._admin, [place], LATEST, isolation).values()
        return offset

    def delete_records(self, topic: str, before: int) -> None:
        """Delete the records of this partition of a topic below an offset, as an operator can."""
        (answer,) = self._admin.delete_records([TopicPartition(self.settings.topic_name(topic), self.number, before)]).values()
        answer.result(20)

    def rows(self) -> dict[bytes, bytes | None]:
        """The newest changelog record of each key, without progress."""
        return {m.key(): m.value() for m in self.committed(CHANGELOG) if not m.key().startswith(PROGRESS_PREFIX)}

    def progress(self) -> dict[str, Progress]:
        """The newest progress by topic."""
        return {topic_of(m.key()): progress_of(m.value()) for m in self.committed(CHANGELOG) if m.key().startswith(PROGRESS_PREFIX)}

    def fold_orders(self) -> list[FoldOrder]:
        """What each transaction folded."""
        return [Codec().decode_as(FoldOrder, message.value()) for message in self.committed("fold-order")]


def recovered(deployment: Deployment, **duty: Any) -> tuple[Lane, Tally]:
    """A tallying lane that has taken the partition over, and its tally."""
    lane, tally = tallying_lane(deployment.log(), INPUTS, **duty)
    lane.recover()
    return lane, tally


def step_until(lane: Lane, tally: Tally, records: int) -> None:
    """Step until so many records are folded."""

    def folded() -> bool:
        lane.step(0.2)
        return len(tally.folded) >= records

    eventually(folded)
