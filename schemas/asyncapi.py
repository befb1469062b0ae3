"""The public topics as an AsyncAPI 3.0 document: what may be written to tierstream and what it publishes, for tools and for people.

Said from the engine's side: it receives the inputs and sends the outputs. Everything comes from the topic catalogue and the schema
catalogue; payloads are the Avro schemas that records are written in today, with the ids that stand in front of them without a registry.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas import catalogue, dead_letters
from schemas.cloud_events import CONTENT_TYPE
from schemas.topics import TOPICS, Role, Topic

VERSION: Final = "3.0.0"
_AVRO: Final = "application/vnd.apache.avro+json;version=1.9.0"
_BINDING: Final = "0.5.0"
_CLOUD_EVENT: Final = {
    "ce_specversion": "Always 1.0.",
    "ce_type": "What happened, such as tierstream.tier-transition.v1.",
    "ce_source": "/tierstream/ and the application id of the engine.",
    "ce_id": "With ce_source the event's name, the same however often it is computed: act once by it.",
    "ce_subject": "The account.",
    "ce_time": "When it is true, in event time.",
}
_REFUSED: Final = {
    dead_letters.TOPIC: "The refused record's topic; with partition and offset its place.",
    dead_letters.PARTITION: "Its partition.",
    dead_letters.OFFSET: "Its offset.",
    dead_letters.REASON: "Why, as one of the reasons of docs/operations.md.",
    dead_letters.MESSAGE: "Why, as a sentence.",
    dead_letters.APPENDED_AT: "When Kafka had it, in epoch milliseconds.",
}
_ROLES: Final = {Role.INPUT: ("receive", "producers write"), Role.OUTPUT: ("send", "consumers read with isolation.level=read_committed")}


def document(
    version: str, servers: str, partitions: int, replicas: int, name_of: Callable[[str], str] = lambda name: name
) -> dict[str, Any]:
    """The document of one deployment. `servers`: host:port, comma between; `version`: the application's; `name_of`: a topic's there."""
    public = [topic for topic in TOPICS.values() if topic.role in _ROLES]
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "tierstream",
            "version": version,
            "description": "Live, exact, explained account tiers on Kafka. How to read them: docs/consuming.md.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {f"kafka{number or ''}": {"host": host, "protocol": "kafka"} for number, host in enumerate(servers.split(","))},
        "channels": {topic.name: _channel(topic, name_of(topic.name), partitions, replicas) for topic in public},
        "operations": {_operation_name(topic): _operation(topic) for topic in public},
        "components": {"messages": {_message_name(topic): _message(topic) for topic in public}, "messageTraits": _traits()},
    }


def _channel(topic: Topic, address: str, partitions: int, replicas: int) -> dict[str, Any]:
    configuration: dict[str, Any] = dict(topic.config())
    configuration["cleanup.policy"] = [topic.cleanup]
    numbers = {"retention.ms": topic.retention_ms, "max.message.bytes": topic.max_message_bytes}
    return {
        "address": address,
        "description": f"{topic.doc} The key is {topic.key}; {_ROLES[topic.role][1]}.",
        "messages": {_message_name(topic): {"$ref": f"#/components/messages/{_message_name(topic)}"}},
        "bindings": {
            "kafka": {
                "topic": address,
                "partitions": partitions if topic.co_partitioned else 1,
                "replicas": replicas,
                "topicConfiguration": configuration | numbers,
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation_name(topic: Topic) -> str:
    return f"{_ROLES[topic.role][0]}-{topic.name}"


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": _ROLES[topic.role][0],
        "channel": {"$ref": channel},
        "summary": topic.doc,
        "messages": [{"$ref": f"{channel}/messages/{_message_name(topic)}"}],
    }


def _message_name(topic: Topic) -> str:
    return topic.record.__name__ if topic.record is not None else "DeadLetter"


def _message(topic: Topic) -> dict[str, Any]:
    if topic.record is None:
        return _refused(topic)
    schema = catalogue.shipped().followed(topic.record.__name__)
    said: dict[str, Any] = {
        "name": schema.record,
        "title": f"{schema.record}, version {schema.version}",
        "summary": str(schema.definition["doc"]),
        "contentType": CONTENT_TYPE,
        "payload": {"schemaFormat": _AVRO, "schema": schema.definition},
        "bindings": {"kafka": _framing(topic)},
        "x-schema-id": schema.id,
    }
    if topic.role is Role.OUTPUT:
        said["traits"] = [{"$ref": "#/components/messageTraits/cloudEvent"}]
    return said


def _framing(topic: Topic) -> dict[str, Any]:
    """Confluent framing: a zero byte and the schema's id before the Avro body."""
    key = {"type": "string", "description": topic.key}
    return {"key": key, "schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent", "bindingVersion": _BINDING}


def _refused(topic: Topic) -> dict[str, Any]:
    """A dead letter: what was refused, byte for byte, and headers about it."""
    return {
        "name": "DeadLetter",
        "title": "A refused record",
        "summary": topic.doc,
        "contentType": "application/octet-stream",
        "headers": _texts(_REFUSED | _CLOUD_EVENT, required=_REFUSED),
        "bindings": {"kafka": {"key": {"description": topic.key}, "bindingVersion": _BINDING}},
    }


def _traits() -> dict[str, Any]:
    summary = "CloudEvents 1.0 in Kafka's binary content mode. A tombstone, which has no value, is no event and has no headers."
    return {"cloudEvent": {"summary": summary, "headers": _texts(_CLOUD_EVENT, required=_CLOUD_EVENT)}}


def _texts(described: Mapping[str, str], required: Mapping[str, str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in described.items()}
    return {"type": "object", "properties": properties, "required": list(required)}
