"""Everything that a broker holds of one deployment, read_committed from the first offset to the end, as the oracle takes it."""

from collections import defaultdict
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from tests.oracle.judging import Anomaly, Left, judged
from tests.oracle.recomputing import Logged, inputs_of


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
                "log_level": 2,
            }
        )

    def read(self, topic: str) -> dict[int, list[Any]]:
        """The messages of a topic (without prefix) by partition, each to its end."""
        consumer = self._consumer()
        found: dict[int, list[Any]] = defaultdict(list)
        left = set(range(self.partitions))
        consumer.assign([TopicPartition(self.prefix + topic, number, OFFSET_BEGINNING) for number in left])
        try:
            while left:
                messages = consumer.consume(10_000, 0.5)
                for message in messages:
                    error = message.error()
                    if error is None:
                        found[message.partition()].append(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard(message.partition())
                    elif error.fatal():
                        raise KafkaException(error)
        finally:
            consumer.close()
        return found

    def folded_to(self, decode: Any) -> dict[tuple[str, int], int]:
        """How far fold-order says each input has been folded."""
        reached: dict[tuple[str, int], int] = {}
        for number, messages in self.read(f"{self.application}-fold-order").items():
            for message in messages:
                for part in decode("FoldOrder", message.value())["ranges"]:
                    reached[part["topic"], number] = part["to_offset"]
        return reached

    def ends(self, topics: list[str]) -> dict[tuple[str, int], int]:
        """The end of every input that has anything."""
        consumer = self._consumer()
        try:
            places = [(topic, number) for topic in topics for number in range(self.partitions)]
            ends = {at: consumer.get_watermark_offsets(TopicPartition(self.prefix + at[0], at[1]), timeout=30)[1] for at in places}
        finally:
            consumer.close()
        return {at: end for at, end in ends.items() if end}

    def left(self, topics: list[str]) -> list[Left]:
        """All that lies in each partition."""
        inputs = {topic: self.read(topic) for topic in topics}
        written = {name: self.read(name) for name in ("tier-transitions", "dead-letters")}
        own = {name: self.read(f"{self.application}-{name}") for name in ("fold-order", "accounts-changelog")}
        return [
            Left(
                partition=number,
                inputs={topic: [_logged(topic, message) for message in inputs[topic][number]] for topic in topics},
                begins={},
                transitions=[(message.key(), message.value()) for message in written["tier-transitions"][number]],
                dead_letters=[(m.key(), m.value(), dict(m.headers() or [])) for m in written["dead-letters"][number]],
                orders=[message.value() for message in own["fold-order"][number]],
                changelog=[(message.key(), message.value()) for message in own["accounts-changelog"][number]],
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
