"""Where partitions begin and end, and the newest records of each, without reading all of it."""

from collections.abc import Sequence

from confluent_kafka import IsolationLevel, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # re-exported unmarked

from agents.doctor.findings import Ground
from agents.reading import committed_messages

Place = tuple[str, int]
"""Topic and partition."""

LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_ANSWER_S = 10.0


def places(ground: Ground, topics: Sequence[str]) -> dict[Place, TopicPartition]:
    """Every partition of these topics, by logical name and number; there they have the broker's name."""
    return {(topic, n): TopicPartition(ground.settings.topic_name(topic), n) for topic in topics for n in range(ground.settings.partitions)}


def bounds(ground: Ground, topics: Sequence[str]) -> dict[Place, tuple[int, int]]:
    """The first offset and the last stable offset of every partition of these topics (logical names)."""
    there = places(ground, topics)
    begins, ends = (offsets(ground, list(there.values()), which) for which in (_EARLIEST, LATEST))
    return {key: (begins[place.topic, place.partition], ends[place.topic, place.partition]) for key, place in there.items()}


def offsets(
    ground: Ground, wanted: list[TopicPartition], which: OffsetSpec, level: IsolationLevel = IsolationLevel.READ_COMMITTED
) -> dict[Place, int]:
    """An offset of each place, by the broker's name. Raises KafkaException."""
    answers = ground.admin.list_offsets(dict.fromkeys(wanted, which), isolation_level=level, request_timeout=_ANSWER_S)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


def newest(ground: Ground, topics: Sequence[str], count: int) -> dict[Place, list[Message]]:
    """What lies in the last `count` offsets of every partition of these topics (logical names)."""
    numbers = range(ground.settings.partitions)
    found: dict[Place, list[Message]] = {(topic, number): [] for topic in topics for number in numbers}
    for topic in topics:
        for message in committed_messages(ground.settings, topic, partitions=numbers, newest=count):
            found[topic, message.partition()].append(message)
    return found
