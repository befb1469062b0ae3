"""The newest records of a partition, without reading all of it."""

from collections.abc import Sequence

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # re-exported unmarked

from agents import clients
from agents.doctor.findings import Ground
from agents.messages import parted, there

_ANSWER_S = 10.0
_AT_ONCE = 1_000
_WAIT_S = 0.5
_EARLIEST, _LATEST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]


def bounds(ground: Ground, topics: Sequence[str]) -> dict[tuple[str, int], tuple[int, int]]:
    """The first offset and the last stable offset of every partition of these topics (logical names)."""
    settings = ground.settings
    places = {
        (topic, number): TopicPartition(settings.topic_name(topic), number) for topic in topics for number in range(settings.partitions)
    }
    begins, ends = (_offsets(ground, list(places.values()), which) for which in (_EARLIEST, _LATEST))
    return {key: (begins[place.topic, place.partition], ends[place.topic, place.partition]) for key, place in places.items()}


def _offsets(ground: Ground, places: list[TopicPartition], which: OffsetSpec) -> dict[tuple[str, int], int]:
    committed = IsolationLevel.READ_COMMITTED
    answers = ground.admin.list_offsets(dict.fromkeys(places, which), isolation_level=committed, request_timeout=_ANSWER_S)
    try:
        return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
    except KafkaException as failed:
        raise clients.unreachable(ground.settings, failed) from failed


def newest(ground: Ground, topics: Sequence[str], count: int) -> dict[tuple[str, int], list[Message]]:
    """What lies in the last `count` offsets of every partition of these topics (logical names)."""
    wanted = {key: (max(begin, end - count), end) for key, (begin, end) in bounds(ground, topics).items() if end > begin}
    logical = {ground.settings.topic_name(topic): topic for topic in topics}
    found: dict[tuple[str, int], list[Message]] = {key: [] for key in wanted}
    left = set(wanted)
    consumer = clients.reading_consumer(ground.settings)
    try:
        consumer.assign([TopicPartition(ground.settings.topic_name(topic), n, begin) for (topic, n), (begin, _) in wanted.items()])
        while left:
            records, reports = parted(there(consumer, _AT_ONCE, _WAIT_S))
            for record in records:
                found[_key(record, logical)].append(record)
            left -= {_key(report, logical) for report in reports if _is_end(report)}
            left -= {key for key in left if found[key] and (found[key][-1].offset() or 0) + 1 >= wanted[key][1]}
    finally:
        consumer.close()
    return found


def _key(message: Message, logical: dict[str, str]) -> tuple[str, int]:
    return logical[message.topic() or ""], message.partition() or 0


def _is_end(report: Message) -> bool:
    """Whether the partition's end is reported. Raises KafkaException for what librdkafka does not mend by itself."""
    error = report.error()
    assert error is not None, "a report is an error"
    if error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise KafkaException(error)
    return error.code() == KafkaError._PARTITION_EOF
