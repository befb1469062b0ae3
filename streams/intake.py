"""Which records the fold may see: a raw record becomes a typed one or is rejected with its reason.

Rules, in this order: not quarantined; decodable as the topic's record; not further ahead of its append time than the policy
allows; the key is the account id in UTF-8; on the first sight of an account, murmur2 of the key names this partition.
"""

from typing import NamedTuple, Protocol

from schemas.dead_letters import ForeignHeaders
from schemas.errors import Reason, RecordRejected
from schemas.records import Event, PolicyActivated, Tick
from streams.partitioning import partition_for


class RawRecord(NamedTuple):
    """One record as it lies in an input: `topic` is the logical name, `appended_at_ms` the broker's append time.

    Its headers say nothing to the fold; a dead letter keeps them.
    """

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    key: bytes | None
    payload: bytes | None
    headers: ForeignHeaders = ()


class Decoder(Protocol):
    """The part of the codec that the fold needs."""

    def decode(self, topic: str, payload: bytes | None) -> Event | PolicyActivated | Tick:
        """The record in a payload of `topic`. Raises RecordRejected."""


def check_key(key: bytes | None, record: Event) -> bytes:
    """The record's key, which must be its account_id in UTF-8."""
    if key is None:
        raise RecordRejected(Reason.MISSING_KEY, f"key is missing: it must be the account_id {record.account_id!r} in UTF-8")
    if key != record.account_id.encode():
        try:
            text = key.decode()
        except UnicodeDecodeError as error:
            raise RecordRejected(
                Reason.FOREIGN_KEY, f"key {key[:40]!r} is not UTF-8: it must be the account_id itself, unframed"
            ) from error
        raise RecordRejected(Reason.KEY_MISMATCH, f"key {text[:80]!r} is not the record's account_id {record.account_id[:80]!r}")
    return key


def check_partition(key: bytes, partition: int, partitions: int) -> None:
    """The key must hash to the partition it lies in, as Kafka's own clients hash it."""
    expected = partition_for(key, partitions)
    if expected != partition:
        raise RecordRejected(
            Reason.WRONG_PARTITION,
            f"key {key!r} belongs in partition {expected}, not {partition}: produce with murmur2 (librdkafka: partitioner=murmur2_random)",
        )


def check_ahead(record: Event, appended_at_ms: int, max_ahead_ms: int) -> None:
    """`occurred_at` may be at most `max_ahead_ms` after the append time."""
    ahead_ms = record.occurred_at - appended_at_ms
    if ahead_ms > max_ahead_ms:
        raise RecordRejected(
            Reason.TOO_FAR_AHEAD,
            f"occurred_at must be at most {max_ahead_ms} ms ahead of the append time, got {ahead_ms} ms "
            f"({record.occurred_at} against {appended_at_ms})",
        )
