"""A topic from its start to its end, committed records only: for audits, replays and everything else that reads and leaves.

Rules: the end is where the topic ended when the reading began, so that a reader of a live topic comes to an end too; it is
known by offsets or by the broker's end-of-partition report, which counts transaction markers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from agents import clients
from agents.messages import parted, there
from agents.offsets import EARLIEST, LATEST, offsets_of
from agents.settings import Settings
from schemas.errors import SettingsError
from streams.batches import Chunk
from streams.intake import RawRecord

FETCHED_AT_ONCE = 5_000
WAIT_S = 0.2
_ENDING = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.TOPIC_AUTHORIZATION_FAILED})


def partitions_of(settings: Settings, topic: str) -> int:
    """How many partitions a topic (logical name) has. Raises SettingsError if it is missing."""
    name = settings.topic_name(topic)
    try:
        found = clients.admin_client(settings).list_topics(timeout=settings.broker_timeout_s).topics.get(name)
    except KafkaException as failed:
        raise clients.unreachable(settings, failed) from failed
    if found is None or not found.partitions:
        raise SettingsError(f"topic {name} is missing: create it with `tierstream topics create`")
    return len(found.partitions)


def end_of(settings: Settings, topic: str, number: int) -> int:
    """The last stable offset of one partition of a topic (logical name)."""
    place = TopicPartition(settings.topic_name(topic), number)
    return _offsets(clients.admin_client(settings), [place], LATEST, settings)[number]


def beginning_of(settings: Settings, topic: str, number: int) -> int:
    """The first offset that one partition of a topic (logical name) still has."""
    place = TopicPartition(settings.topic_name(topic), number)
    return _offsets(clients.admin_client(settings), [place], EARLIEST, settings)[number]


def committed_messages(
    settings: Settings, topic: str, *, partitions: Sequence[int] | None = None, on_total: Callable[[int], None] | None = None,
    newest: int | None = None, since: int = 0,
) -> Iterator[Any]:  # fmt: skip
    """The client's messages of a topic, in order within each partition. `on_total` is told how many offsets lie ahead.

    `newest`: only what lies in so many last offsets of each partition. `since`: only from this offset on.
    """
    numbers = range(partitions_of(settings, topic)) if partitions is None else partitions
    for records in _committed(settings, topic, numbers, on_total or (lambda _: None), newest, since):
        yield from records


def committed_chunks(settings: Settings, topic: str, number: int, since: int = 0) -> Iterator[Chunk]:
    """One partition of the logical topic, from this offset on, as columns."""
    place = TopicPartition(settings.topic_name(topic), number)
    begins, ends = _bounds(settings, [place])
    at, end = max(begins[number], since), ends[number]
    if at >= end:
        return
    with clients.bulk_consumer(settings) as consumer:
        consumer.assign([TopicPartition(place.topic, number, at)])
        while at < end:
            taken = consumer.take(FETCHED_AT_ONCE, WAIT_S)
            for chunk in taken.chunks.values():
                yield chunk.part(0, int(np.searchsorted(chunk.offset, end)))
                at = int(chunk.offset[-1]) + 1
            for report in taken.reports:
                at = max(at, _reached(report.error, report.offset) or 0)


def _reached(error: KafkaError, offset: int) -> int | None:
    """How far a report says that its partition was read, if it does. What librdkafka does not mend itself is raised."""
    if error.code() == KafkaError._PARTITION_EOF:
        return offset
    if error.fatal() or error.code() in _ENDING:
        raise KafkaException(error)
    return None  # a leader moved, a broker restarts


def _committed(
    settings: Settings, topic: str, numbers: Sequence[int], on_total: Callable[[int], None], newest: int | None = None, since: int = 0
) -> Iterator[list[Message]]:
    name = settings.topic_name(topic)
    begins, ends = _bounds(settings, [TopicPartition(name, number) for number in numbers])
    begins = {number: max(begin, since, 0 if newest is None else ends[number] - newest) for number, begin in begins.items()}
    left = {number for number, end in ends.items() if end > begins[number]}
    on_total(sum(ends[number] - begins[number] for number in left))
    consumer = clients.reading_consumer(settings)
    try:
        # By offset and not by the word "beginning", which costs a fresh consumer half a second to look up.
        consumer.assign([TopicPartition(name, number, begins[number]) for number in left])
        while left:
            yield _taken(there(consumer, FETCHED_AT_ONCE, WAIT_S), ends, left)
    finally:
        consumer.close()


def consumer_from(settings: Settings, topic: str, offsets: Mapping[int, int]) -> Any:
    """A consumer of the logical topic, from these offsets on: for what comes from now on. The caller closes it."""
    consumer = clients.reading_consumer(settings)
    consumer.assign([TopicPartition(settings.topic_name(topic), number, offset) for number, offset in offsets.items()])
    return consumer


def committed_records(settings: Settings, topic: str, *, partitions: Sequence[int] | None = None, since: int = 0) -> Iterator[RawRecord]:
    """The same as raw records of the logical topic, from this offset on."""
    for message in committed_messages(settings, topic, partitions=partitions, since=since):
        yield RawRecord(topic, message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value())


def _taken(messages: list[Message], ends: Mapping[int, int], left: set[int]) -> list[Message]:
    """The records that lie before the end of their partition; strikes the partitions off `left` whose ends are reached."""
    records, reports = parted(messages)
    reached: dict[int, int] = {record.partition(): record.offset() + 1 for record in records}  # type: ignore[operator,misc]  # each lies somewhere
    for report in reports:
        if (error := report.error()) is not None:
            number, end = report.partition() or 0, _reached(error, report.offset() or 0)
            if end is not None:
                reached[number] = max(end, reached.get(number, 0))
    left.difference_update(number for number in ends if reached.get(number, 0) >= ends[number])
    if all(end <= ends[number] for number, end in reached.items()):
        return records
    return [record for record in records if record.offset() < ends[record.partition()]]  # type: ignore[operator,index]  # as above


def _bounds(settings: Settings, places: list[TopicPartition]) -> tuple[dict[int, int], dict[int, int]]:
    """The first offset and the last stable offset of each partition."""
    admin = clients.admin_client(settings)
    return _offsets(admin, places, EARLIEST, settings), _offsets(admin, places, LATEST, settings)


def _offsets(admin: AdminClient, places: list[TopicPartition], which: Any, settings: Settings) -> dict[int, int]:
    try:
        return {number: offset for (_, number), offset in offsets_of(admin, places, which).items()}
    except KafkaException as failed:
        raise clients.unreachable(settings, failed) from failed
