"""The client's messages for whoever looks at each: what is there, and what is no record. Who reads in bulk has `bulk_consumer.py`."""

from confluent_kafka import Consumer, Message

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
