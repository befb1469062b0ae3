"""A topic from its start to its end, committed records only: for audits, replays and everything else that reads and leaves.

Rules: the end is where the topic ended when the reading began, so that a reader of a live topic comes to an end too; it is
known by offsets or by the broker's end-of-partition report, which counts transaction markers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # re-exported unmarked

from agents import clients
from agents.settings import Settings
from schemas.errors import SettingsError
from streams.intake import RawRecord

FETCHED_AT_ONCE = 5_000
WAIT_S = 0.2
GATHER_S = 0.001
ANSWER_S = 30.0
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


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
    return _offsets(clients.admin_client(settings), [place], _LATEST, settings)[number]


def committed_messages(
    settings: Settings, topic: str, *, partitions: Sequence[int] | None = None, on_total: Callable[[int], None] | None = None
) -> Iterator[Any]:
    """The client's messages of a topic, in order within each partition. `on_total` is told how many offsets lie ahead."""
    numbers = range(partitions_of(settings, topic)) if partitions is None else partitions
    name = settings.topic_name(topic)
    begins, ends = _bounds(settings, [TopicPartition(name, number) for number in numbers])
    left = {number for number, end in ends.items() if end > begins[number]}
    if on_total is not None:
        on_total(sum(ends[number] - begins[number] for number in left))
    consumer = clients.reading_consumer(settings)
    try:
        # By offset and not by the word "beginning", which costs a fresh consumer half a second to look up.
        consumer.assign([TopicPartition(name, number, begins[number]) for number in left])
        while left:
            messages: list[Any] = consumer.consume(1, WAIT_S)  # at once, and then what came with it
            if messages:
                messages += consumer.consume(FETCHED_AT_ONCE, GATHER_S)
            for message in messages:
                yield from _taken(message, ends, left)
    finally:
        consumer.close()


def committed_records(settings: Settings, topic: str, *, partitions: Sequence[int] | None = None) -> Iterator[RawRecord]:
    """The same as raw records of the logical topic."""
    for message in committed_messages(settings, topic, partitions=partitions):
        yield RawRecord(topic, message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value())


def _taken(message: Any, ends: dict[int, int], left: set[int]) -> Iterator[Any]:
    """The message if it lies before the end of its partition; strikes the partition off `left` once its end is reached."""
    error, number, offset = message.error(), message.partition(), message.offset()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        if error.fatal() or error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            raise KafkaException(error)
        return  # librdkafka mends the rest itself: a leader moved, a broker restarts
    if number in left and error is None and offset < ends[number]:
        yield message
    if number in left and offset + (error is None) >= ends[number]:
        left.discard(number)


def _bounds(settings: Settings, places: list[TopicPartition]) -> tuple[dict[int, int], dict[int, int]]:
    """The first offset and the last stable offset of each partition."""
    admin = clients.admin_client(settings)
    return _offsets(admin, places, _EARLIEST, settings), _offsets(admin, places, _LATEST, settings)


def _offsets(admin: AdminClient, places: list[TopicPartition], which: Any, settings: Settings) -> dict[int, int]:
    answers = admin.list_offsets(dict.fromkeys(places, which), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_S)
    try:
        return {place.partition: answer.result().offset for place, answer in answers.items()}
    except KafkaException as failed:
        raise clients.unreachable(settings, failed) from failed
