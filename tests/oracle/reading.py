"""Everything that a broker holds of one deployment, read_committed from the first offset to the end, as the oracle takes it."""

from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from tests.oracle.judging import Anomaly, Left, judged
from tests.oracle.recomputing import Logged, inputs_of
from tests.oracle.wire import decoded


class Deployment:
    """Where a deployment lies: broker, topic prefix, application id, partition count."""

    def __init__(self, bootstrap: str, prefix: str, application: str, partitions: int) -> None:
        self.bootstrap, self.prefix, self.application, self.partitions = bootstrap, prefix, application, partitions

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "oracle-unused",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "fetch.queue.backoff.ms": 5,
                "log_level": 2,
            }
        )

    def read(self, *topics: str) -> dict[str, dict[int, list[Any]]]:
        """The messages of topics (without prefix) by partition, each to the end it has now."""
        consumer = self._consumer()
        found: dict[str, dict[int, list[Any]]] = {topic: {number: [] for number in range(self.partitions)} for topic in topics}
        left = {(self.prefix + topic, number) for topic in topics for number in range(self.partitions)}
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for name, number in left])
        try:
            while left:
                for message in consumer.consume(1, 0.5) + consumer.consume(10_000, 0.01):
                    error, name = message.error(), message.topic()
                    if error is None:
                        found[name.removeprefix(self.prefix)][message.partition()].append(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard((name, message.partition()))
                    elif error.fatal():
                        raise KafkaException(error)
        finally:
            consumer.close()
        return found

    def own(self, name: str) -> str:
        """A topic that belongs to the application."""
        return f"{self.application}-{name}"

    def behind(self, topics: list[str]) -> dict[tuple[str, int], int]:
        """How many records of each input fold-order does not cover yet; empty when all is folded."""
        fold_order = self.own("fold-order")
        read = self.read(fold_order, *topics)
        ends = {(topic, number): messages[-1].offset() + 1 for topic in topics for number, messages in read[topic].items() if messages}
        reached: dict[tuple[str, int], int] = {}
        for number, messages in read[fold_order].items():
            for message in messages:
                reached |= {(part["topic"], number): part["to_offset"] for part in decoded("FoldOrder", message.value())["ranges"]}
        return {at: end - reached.get(at, 0) for at, end in ends.items() if reached.get(at, 0) < end}

    def left(self, topics: list[str]) -> list[Left]:
        """All that lies in each partition."""
        transitions, dead, orders, changelog = "tier-transitions", "dead-letters", self.own("fold-order"), self.own("accounts-changelog")
        read = self.read(*topics, transitions, dead, orders, changelog, "account-tiers", "actions")
        return [
            Left(
                partition=number,
                inputs={topic: [_logged(topic, message) for message in read[topic][number]] for topic in topics},
                begins={},
                transitions=[(message.key(), message.value()) for message in read[transitions][number]],
                dead_letters=[(m.key(), m.value(), dict(m.headers() or [])) for m in read[dead][number]],
                orders=[message.value() for message in read[orders][number]],
                changelog=[(message.key(), message.value()) for message in read[changelog][number]],
                standings=[(message.key(), message.value()) for message in read["account-tiers"][number]],
                actions=[(message.key(), message.value()) for message in read["actions"][number]],
            )
            for number in range(self.partitions)
        ]

    def judged(self, policy: dict[str, Any]) -> tuple[list[Anomaly], list[Left]]:
        """Every anomaly of every partition, and what was judged."""
        partitions = self.left(inputs_of(policy))
        anomalies = [each for left in partitions for each in judged(left, policy, self.application, self.partitions)]
        return anomalies, partitions


def _logged(topic: str, message: Any) -> Logged:
    return Logged(topic, message.offset(), message.timestamp()[1], message.key(), message.value())
