"""A refused record, as it stands in `dead-letters`: key and payload as they came, everything else in headers.

The headers named `__connect.errors.*` are those that Kafka Connect writes, so tools made for its dead-letter queues
read ours; those named `tierstream.*` say what Connect has no name for. Header values are UTF-8 text.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.errors import Reason

_CONNECT: Final = "__connect.errors."
_OWN: Final = "tierstream."

TOPIC: Final = _CONNECT + "topic"
PARTITION: Final = _CONNECT + "partition"
OFFSET: Final = _CONNECT + "offset"
STAGE: Final = _CONNECT + "stage"
ERROR_CLASS: Final = _CONNECT + "exception.class.name"
MESSAGE: Final = _CONNECT + "exception.message"
REASON: Final = _OWN + "reason"
SCHEMA_ID: Final = _OWN + "schema_id"
APPENDED_AT: Final = _OWN + "appended_at"

Headers = list[tuple[str, bytes]]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused record with its coordinates. `topic` is the logical name; `schema_id` None: the framing was unreadable.

    `key` and `payload` are the refused record's own, None where it had none.
    """

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    schema_id: int | None
    reason: Reason
    message: str
    key: bytes | None
    payload: bytes | None


def headers(letter: DeadLetter) -> Headers:
    """The Kafka headers of a dead letter."""
    texts = {
        TOPIC: letter.topic,
        PARTITION: str(letter.partition),
        OFFSET: str(letter.offset),
        STAGE: "VALUE_CONVERTER",
        ERROR_CLASS: "RecordRejected",
        MESSAGE: letter.message,
        REASON: letter.reason.value,
        APPENDED_AT: str(letter.appended_at_ms),
    }
    if letter.schema_id is not None:
        texts[SCHEMA_ID] = str(letter.schema_id)
    return [(name, text.encode()) for name, text in texts.items()]


def from_headers(read: Iterable[tuple[str, bytes]], key: bytes | None, payload: bytes | None) -> DeadLetter:
    """The dead letter again, from what Kafka kept of it. Headers of others are ignored.

    Raises ValueError if a header that every dead letter carries is missing or illegible.
    """
    texts = {name: text.decode() for name, text in read if name.startswith((_CONNECT, _OWN))}
    missing = [name for name in (TOPIC, PARTITION, OFFSET, APPENDED_AT, REASON, MESSAGE) if name not in texts]
    if missing:
        raise ValueError(f"dead letter lacks the header {', '.join(missing)}")
    schema_id = texts.get(SCHEMA_ID)
    return DeadLetter(
        topic=texts[TOPIC],
        partition=int(texts[PARTITION]),
        offset=int(texts[OFFSET]),
        appended_at_ms=int(texts[APPENDED_AT]),
        schema_id=None if schema_id is None else int(schema_id),
        reason=Reason(texts[REASON]),
        message=texts[MESSAGE],
        key=key,
        payload=payload,
    )
