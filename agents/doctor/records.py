"""Do producers write what can be folded? The newest records of every input, judged as the fold would judge them."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Message

from agents.doctor.findings import Finding, Ground, fine, wrong
from agents.doctor.tails import newest
from agents.registry import codec_for
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from schemas.records import Event
from streams import intake

SAMPLE = 200

_MENDS: dict[Reason, tuple[str, str]] = {
    Reason.WRONG_PARTITION: ("partitioner", "the producer must use murmur2 (Java: the default; librdkafka: partitioner=murmur2_random)"),
    Reason.UNKNOWN_SCHEMA: (
        "schemas",
        "write with the ids of schemas/avro/catalogue.json, or set the registry (TIERSTREAM_REGISTRY_URL)",
    ),
    Reason.UNDECODABLE: ("schemas", "write Avro in Confluent framing: a zero byte, four bytes of schema id, the record"),
    Reason.WRONG_RECORD: ("schemas", "produce each record to the topic that carries it"),
    Reason.MISSING_KEY: ("keys", "key every record with its account_id in UTF-8"),
    Reason.FOREIGN_KEY: ("keys", "write the key as plain UTF-8, without Avro or JSON around it"),
    Reason.KEY_MISMATCH: ("keys", "key every record with its own account_id"),
    Reason.TOO_FAR_AHEAD: ("producers' clocks", "synchronise the producer's clock, or correct its time zone"),
}
_OTHERS = ("records", "see docs/operations.md, Dead letters")


class Refusal(NamedTuple):
    """Refused records of one input for one reason, and the first of them."""

    topic: str
    reason: Reason
    number: int
    offset: int
    said: str


def sampled(ground: Ground) -> Iterator[Finding]:
    """A finding for each input and reason."""
    refused: Counter[tuple[str, Reason]] = Counter()
    first: dict[tuple[str, Reason], Refusal] = {}
    read, codec = 0, codec_for(ground.settings)
    for (topic, number), messages in newest(ground, ground.inputs, SAMPLE).items():
        for message in messages:
            read += 1
            refusal = _refusal(ground, codec, topic, number, message)
            if refusal is not None:
                refused[topic, refusal.reason] += 1
                first.setdefault((topic, refusal.reason), refusal)
    yield from [_finding(ground, first[each], count) for each, count in sorted(refused.items())] or [_no_refusal(read)]


def _no_refusal(read: int) -> Finding:
    return fine("records", f"the newest {read:,} can be folded" if read else "there are none yet")


def _finding(ground: Ground, refusal: Refusal, count: int) -> Finding:
    check, mend = _MENDS.get(refusal.reason, _OTHERS)
    place = f"{ground.settings.topic_name(refusal.topic)}:{refusal.number}:{refusal.offset}"
    return wrong(
        check, f"{count:,} of the newest records of {refusal.topic} are refused, {refusal.reason.value}, as {place}: {refusal.said}", mend
    )


def _refusal(ground: Ground, codec: Codec, topic: str, number: int, message: Message) -> Refusal | None:
    """Why a record would be refused."""
    offset, appended_at_ms = message.offset() or 0, message.timestamp()[1]
    try:
        record = codec.decode(topic, message.value())
        if isinstance(record, Event):
            if ground.policy is not None:
                intake.check_ahead(record, appended_at_ms, ground.policy.max_ahead_ms)
            key = intake.check_key(message.key(), record)
            intake.check_partition(key, number, ground.settings.partitions)
    except RecordRejected as rejected:
        return Refusal(topic, rejected.reason, number, offset, str(rejected))
    return None
