"""What every reader of these examples needs: where Kafka is, and a record from its bytes.

KAFKA         host:port, comma between; 127.0.0.1:9092 if not set
TOPIC_PREFIX  what the deployment puts before its topics (TIERSTREAM_TOPIC_PREFIX); nothing if not set
GROUP         the consumer group; the example's own name if not set
SCHEMAS       the folder that `tierstream schemas export` wrote; schemas-by-id if not set
"""

import json
import os
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

KAFKA = os.environ.get("KAFKA", "127.0.0.1:9092")
SCHEMAS = Path(os.environ.get("SCHEMAS", "schemas-by-id"))


def topic(name: str) -> str:
    """The topic's name on this cluster."""
    return os.environ.get("TOPIC_PREFIX", "") + name


def group(name: str) -> str:
    """The consumer group, in which Kafka remembers how far its members have come."""
    return os.environ.get("GROUP", name)


def record(payload: bytes) -> dict[str, Any]:
    """The record in a payload: a zero byte, the id of its schema in four bytes, the Avro body."""
    assert payload[0] == 0, "not in Confluent framing"
    fields: Any = fastavro.schemaless_reader(BytesIO(payload[5:]), schema(int.from_bytes(payload[1:5], "big")), None)
    return dict(fields)


@cache
def schema(number: int) -> Any:
    """The schema that an id names. Ids never change; one that is missing came with a newer version: export again."""
    return fastavro.parse_schema(json.loads((SCHEMAS / f"{number}.avsc").read_text(encoding="utf-8")))
