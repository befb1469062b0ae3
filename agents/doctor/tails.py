"""Where partitions begin and end, and the newest records of each, without reading all of it."""

from collections.abc import Sequence

from confluent_kafka import Message, TopicPartition

from agents.doctor.findings import Ground
from agents.offsets import EARLIEST, LATEST, offsets_of
from agents.reading import committed_messages

Place = tuple[str, int]
"""Topic and partition."""


def places(ground: Ground, topics: Sequence[str]) -> dict[Place, TopicPartition]:
    """Every partition of these topics, by logical name and number; there they have the broker's name."""
    return {(topic, n): TopicPartition(ground.settings.topic_name(topic), n) for topic in topics for n in range(ground.settings.partitions)}


def bounds(ground: Ground, topics: Sequence[str]) -> dict[Place, tuple[int, int]]:
    """The first offset and the last stable offset of every partition of these topics (logical names)."""
    there = places(ground, topics)
    begins, ends = (offsets_of(ground.admin, there.values(), which) for which in (EARLIEST, LATEST))
    return {key: (begins[place.topic, place.partition], ends[place.topic, place.partition]) for key, place in there.items()}


def newest(ground: Ground, topics: Sequence[str], count: int) -> dict[Place, list[Message]]:
    """What lies in the last `count` offsets of every partition of these topics (logical names)."""
    numbers = range(ground.settings.partitions)
    found: dict[Place, list[Message]] = {(topic, number): [] for topic in topics for number in numbers}
    for topic in topics:
        for message in committed_messages(ground.settings, topic, partitions=numbers, newest=count):
            found[topic, message.partition()].append(message)
    return found
