"""What the client's messages say, as columns: no object of ours for a record."""

from typing import Any

import numpy as np
from confluent_kafka import Consumer, Message

from streams.batches import Chunk, Headers

_GATHER_S = 0.001


def there(consumer: Consumer, limit: int, wait_s: float) -> list[Message]:
    """The first message or report as soon as it comes, and what else is there by then."""
    messages = consumer.consume(1, wait_s)
    if messages and limit > 1:
        messages += consumer.consume(limit - 1, _GATHER_S)
    return messages


def parted(messages: list[Message]) -> tuple[list[Message], list[Message]]:
    """Records, and what the client has to report instead of a record; each in order."""
    if not any(error is not None for error in map(Message.error, messages)):
        return messages, []
    return [each for each in messages if each.error() is None], [each for each in messages if each.error() is not None]


def by_topic(records: list[Message]) -> dict[str, list[Message]]:
    """Records by the broker's name of their topic, each in order."""
    names: list[str] = list(map(Message.topic, records))  # type: ignore[arg-type]  # a record has a topic
    if len(set(names)) < 2:
        return dict.fromkeys(names[:1], records)
    found: dict[str, list[Message]] = {}
    for name, record in zip(names, records, strict=True):
        found.setdefault(name, []).append(record)
    return found


def chunk_of(records: list[Message]) -> Chunk:
    """The columns of records of one partition."""
    offset = np.fromiter(map(Message.offset, records), np.int64, len(records))
    appended_at_ms = np.fromiter([at_ms for _, at_ms in map(Message.timestamp, records)], np.int64, len(records))
    return Chunk(offset, appended_at_ms, list(map(Message.key, records)), list(map(Message.value, records)), _headers(records))


def _headers(records: list[Message]) -> Headers:
    """The records' headers; most producers write none."""
    found: list[Any] = list(map(Message.headers, records))
    return [tuple(each or ()) for each in found] if any(found) else None
