"""The official CloudEvents SDK: routes whatever is published by type and subject, without knowing a schema.

python router.py tier-transitions hot-leads
"""

import sys

import records
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from confluent_kafka import Consumer


def run(names: list[str]) -> None:
    """Until somebody stops it."""
    consumer = Consumer(
        {
            "bootstrap.servers": records.KAFKA,
            "group.id": records.group("router"),
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([records.topic(name) for name in names])
    while True:
        message = consumer.poll(1.0)
        if message is None or message.error() or message.value() is None:  # a tombstone is no event
            continue
        headers = {name: value for name, value in message.headers() or [] if value is not None}
        event = from_binary_event(KafkaMessage(headers=headers, key=message.key(), value=message.value()))
        print(event.get_type(), event.get_source(), event.get_id(), event.get_subject(), event.get_time(), flush=True)


if __name__ == "__main__":
    run(sys.argv[1:])
