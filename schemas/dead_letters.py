"""A refused record, as it stands in `dead-letters`: key, payload and headers as they came, and behind them what is said of it.

What is said is a block of headers that begins with `__connect.errors.topic`, so the record's own headers are those before the last
header of that name, whatever they are called. The headers named `__connect.errors.*` are those that Kafka Connect writes, so tools
made for its dead-letter queues read ours; those named `tierstream.*` say what Connect has no name for. Our values are UTF-8 text.
The block ends with the refusal as a CloudEvent, which is known by the place of what was refused.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas import cloud_events
from schemas.errors import Reason

_CONNECT: Final = "__connect.errors."
_OWN: Final = "tierstream."

TOPIC: Final = _CONNECT + "topic"
PARTITION: Final = _CONNECT + "partition"
OFFSET: Final = _CONNECT + "offset"
CONNECTOR: Final = _CONNECT + "connector.name"
TASK: Final = _CONNECT + "task.id"
STAGE: Final = _CONNECT + "stage"
CLASS: Final = _CONNECT + "class.name"
ERROR_CLASS: Final = _CONNECT + "exception.class.name"
MESSAGE: Final = _CONNECT + "exception.message"
REASON: Final = _OWN + "reason"
SCHEMA_ID: Final = _OWN + "schema_id"
APPENDED_AT: Final = _OWN + "appended_at"

RETURN: Final = _OWN + "return_of"
"""On a record that was put back: the place of its letter, `PARTITION:OFFSET` of `dead-letters`."""

ForeignHeaders = tuple[tuple[str, bytes | None], ...]
"""Headers as somebody else wrote them: a value may be missing."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused record with its coordinates. `topic` is the logical name; `schema_id` None: the framing was unreadable.

    `key`, `payload` and `headers` are the refused record's own, None and empty where it had none.
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
    headers: ForeignHeaders = ()

    @property
    def return_of(self) -> str | None:
        """The place of the letter that this record was put back from, None if it came from its producer."""
        return next((text.decode(errors="replace") for name, text in reversed(self.headers) if name == RETURN and text is not None), None)


def headers(letter: DeadLetter, application: str) -> list[tuple[str, bytes | None]]:
    """The Kafka headers of a dead letter: the record's own, then the block about it. `application` refused it."""
    texts = {
        TOPIC: letter.topic,
        PARTITION: str(letter.partition),
        OFFSET: str(letter.offset),
        CONNECTOR: application,
        TASK: str(letter.partition),
        STAGE: "VALUE_CONVERTER",
        CLASS: "tierstream",
        ERROR_CLASS: "RecordRejected",
        MESSAGE: letter.message,
        REASON: letter.reason.value,
        APPENDED_AT: str(letter.appended_at_ms),
    }
    if letter.schema_id is not None:
        texts[SCHEMA_ID] = str(letter.schema_id)
    return [*letter.headers, *((name, text.encode()) for name, text in texts.items()), *_announced(letter, application)]


def _announced(letter: DeadLetter, application: str) -> list[tuple[str, bytes]]:
    """The refusal as a CloudEvent; what the payload is, its producer may have said."""
    return cloud_events.headers(
        type="tierstream.dead-letter.v1",
        source=f"/tierstream/{application}",
        id=f"{letter.topic}/{letter.partition}/{letter.offset}",
        subject=_legible(letter.key),
        time_ms=letter.appended_at_ms,
        content_type=None,
    )


def _legible(key: bytes | None) -> str | None:
    """The key as text, None where it is none: what is no UTF-8 cannot be an attribute."""
    try:
        return key.decode() if key else None
    except UnicodeDecodeError:
        return None


def from_headers(read: Iterable[tuple[str, bytes | None]], key: bytes | None, payload: bytes | None) -> DeadLetter:
    """The dead letter again, from what Kafka kept of it.

    Raises ValueError if a header that every dead letter carries is missing or illegible.
    """
    every = tuple(read)
    begin = max((place for place, (name, _) in enumerate(every) if name == TOPIC), default=len(every))
    texts = {name: text.decode() for name, text in every[begin:] if text is not None and name.startswith((_CONNECT, _OWN))}
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
        headers=every[:begin],
    )


def headers_to_return(letter: DeadLetter, place: str) -> list[tuple[str, bytes | None]]:
    """The headers with which the record is put back: its own, and the letter's place instead of any earlier one's."""
    return [*(each for each in letter.headers if each[0] != RETURN), (RETURN, place.encode())]
