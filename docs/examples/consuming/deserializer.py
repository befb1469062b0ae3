"""Confluent's own AvroDeserializer, with a schema registry where there is one (REGISTRY=http://host:port) or the exported schemas.

Prints each transition's account, sequence and tier up to the end of the topic.

    python deserializer.py
"""

import os
from typing import Any

import records
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer


class ExportedSchemas:
    """What AvroDeserializer asks of a registry, from the folder of exported schemas."""

    def get_schema(self, number: int, *_asked_how: str | None) -> Schema:
        """The schema that an id names."""
        return Schema((records.SCHEMAS / f"{number}.avsc").read_text(encoding="utf-8"), "AVRO")

    def config(self) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}


def run() -> None:
    """To the ends of all partitions."""
    registry = os.environ.get("REGISTRY")
    read = AvroDeserializer(SchemaRegistryClient({"url": registry}) if registry else ExportedSchemas())
    consumer = Consumer(
        {
            "bootstrap.servers": records.KAFKA,
            "group.id": "deserializer",  # not used: partitions are assigned
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    name = records.topic("tier-transitions")
    left = set(consumer.list_topics(name, 10).topics[name].partitions)
    consumer.assign([TopicPartition(name, number, 0) for number in left])
    while left:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            left.discard(message.partition())
            continue
        transition = read(message.value(), None)
        print(transition["account_id"], transition["sequence"], transition["to_tier"], flush=True)
    consumer.close()


if __name__ == "__main__":
    run()
