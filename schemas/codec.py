"""Records to and from Avro in Confluent framing: 0x00, schema id (4 bytes, big-endian), body. Alone in knowing fastavro.

Rules: instants stay integers of epoch milliseconds (the logical type is for other readers and is stripped before
parsing); a record is written in the schema its struct follows and read from any schema of the catalogue; a payload is
taken whole or not at all: everything wrong with it is a `RecordRejected`.

What fastavro takes though Avro does not define it is taken here too: overlong varints, an index counted from the end,
any non-zero byte as true.
"""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

import fastavro
import msgspec
from fastavro.read import SchemaResolutionError

from schemas import catalogue as catalogues
from schemas.catalogue import FOREIGN, Schema, SchemaCatalogue
from schemas.errors import Reason, RecordRejected
from schemas.foreign import unreadable
from schemas.limits import MAX_TEXT_BYTES, QuickChecks, breaches, quick_checks, shown
from schemas.records import Event, PolicyActivated, Tick
from schemas.shapes import holds_structs
from schemas.topics import INPUTS
from schemas.writing_programs import Unknown, program_of

_MAGIC: Final = 0
_FRAME_BYTES: Final = 5

# What fastavro raises on a body that does not fit its schema: a short read, an index past an enum or a union, text that
# is not UTF-8, a writer's symbol or branch that the reader has no place for.
_BODY_FAULTS: Final = (EOFError, IndexError, UnicodeDecodeError, SchemaResolutionError)

_INPUT_RECORDS: Final[Mapping[str, type[Event] | type[PolicyActivated] | type[Tick]]] = {
    topic.name: topic.record
    for topic in INPUTS.values()
    if topic.record is not None and issubclass(topic.record, Event | PolicyActivated | Tick)
}

Record = TypeVar("Record", bound=msgspec.Struct)


class _Reader(NamedTuple):
    """How to read one writer's schema into one record. `projection` None: writer and reader are the same schema."""

    schema_id: int
    record_type: type[msgspec.Struct]
    writer: Any
    projection: Any
    checks: QuickChecks


class _Writer(NamedTuple):
    """How to write one record. `nested`: it holds other structs. `body`, `bodies`: write one, or many, in compiled code, None where it
    cannot."""

    frame: bytes
    schema: Any
    nested: bool
    body: Callable[[msgspec.Struct], bytes | None]
    bodies: Callable[[Sequence[msgspec.Struct]], list[bytes | None]]


class Codec:
    """Encodes and decodes records. Schemas are parsed when first met. Safe to share between threads."""

    def __init__(self, catalogue: SchemaCatalogue | None = None, *, compiled: bool = False) -> None:
        """`compiled`: flat records too are written in compiled code, which has to be loaded; nested ones always are."""
        self.catalogue = self._catalogue = catalogue or catalogues.shipped()
        self._compiled = compiled
        self._readers: dict[tuple[type[msgspec.Struct], bytes], _Reader] = {}
        self._writers: dict[type[msgspec.Struct], _Writer] = {}

    def encode(self, record: msgspec.Struct) -> bytes:
        """The framed payload of a record. The record is trusted: limits are checked where records come in."""
        writer = self._writers.get(type(record)) or self._writer(type(record))
        return _framed(writer, record, writer.body(record))

    def encode_all(self, records: Sequence[msgspec.Struct]) -> list[bytes]:
        """As `encode`, for each of them; those of one type are written together."""
        places: dict[type[msgspec.Struct], list[int]] = {}
        for place, record in enumerate(records):
            places.setdefault(type(record), []).append(place)
        payloads = [b""] * len(records)
        for record_type, of_type in places.items():
            writer = self._writers.get(record_type) or self._writer(record_type)
            for place, body in zip(of_type, writer.bodies([records[place] for place in of_type]), strict=True):
                payloads[place] = _framed(writer, records[place], body)
        return payloads

    def decode(self, topic: str, payload: bytes | None) -> Event | PolicyActivated | Tick:
        """The record in a payload of an input topic (logical name). Raises RecordRejected."""
        return self.decode_as(_INPUT_RECORDS[topic], payload)

    def decode_as(self, record_type: type[Record], payload: bytes | None) -> Record:
        """The record of that type, input or output, in a payload. Raises RecordRejected."""
        if not payload:
            raise RecordRejected(Reason.UNDECODABLE, f"record must have a payload, got {'none' if payload is None else '0 bytes'}")
        reader = self._readers.get((record_type, payload[:_FRAME_BYTES])) or self._reader(record_type, payload)
        body = BytesIO(payload)
        body.seek(_FRAME_BYTES)
        try:
            fields: Any = fastavro.schemaless_reader(body, reader.writer, reader.projection)
        except _BODY_FAULTS as fault:
            said = str(fault).replace(repr(body), "the payload")  # no address: equal payloads are refused in equal words
            raise _undecodable(reader, f"does not fit its schema: {type(fault).__name__}: {shown(said)}") from fault
        if body.tell() != len(payload):
            raise _undecodable(reader, f"must end with its last field, got {len(payload) - body.tell()} bytes more")
        if len(payload) > MAX_TEXT_BYTES:
            _refuse_breaches(reader, fields)
        for name, fits in reader.checks:
            if not fits(fields[name]):
                _refuse_breaches(reader, fields)
        return msgspec.convert(fields, record_type)

    def _reader(self, record_type: type[msgspec.Struct], payload: bytes) -> _Reader:
        if len(payload) < _FRAME_BYTES or payload[0] != _MAGIC:
            raise RecordRejected(
                Reason.UNDECODABLE, f"payload must start with byte 0 and a schema id of 4 bytes, got {payload[:_FRAME_BYTES].hex(' ')}"
            )
        schema_id = int.from_bytes(payload[1:_FRAME_BYTES], "big")
        name = record_type.__name__
        written = self._catalogue.written(name, schema_id)
        if written is None:
            raise RecordRejected(Reason.UNKNOWN_SCHEMA, f"schema id must be in the catalogue, got {schema_id}", schema_id)
        if written.record != name:
            raise RecordRejected(Reason.WRONG_RECORD, f"record must be {name}, got {written.record} (schema {schema_id})", schema_id)
        followed = self._catalogue.followed(name)
        if written.version == FOREIGN and (fault := unreadable(written.definition, followed.definition)) is not None:
            raise RecordRejected(Reason.UNKNOWN_SCHEMA, f"{name} of schema {schema_id} cannot be read: {fault}", schema_id)
        reader = _Reader(
            schema_id=schema_id,
            record_type=record_type,
            writer=_parsed(written),
            projection=None if written.definition == followed.definition else _parsed(followed),
            checks=quick_checks(record_type),
        )
        return self._readers.setdefault((record_type, payload[:_FRAME_BYTES]), reader)

    def _writer(self, record_type: type[msgspec.Struct]) -> _Writer:
        followed = self._catalogue.followed(record_type.__name__)
        frame = bytes((_MAGIC,)) + followed.id.to_bytes(_FRAME_BYTES - 1, "big")
        nested, schema = holds_structs(record_type), _without_logical_types(followed.definition)
        writer = _Writer(frame, fastavro.parse_schema(schema), nested, lambda _: None, lambda records: [None] * len(records))
        if nested or self._compiled:
            writer = _compiled_writer(writer, schema, record_type)
        return self._writers.setdefault(record_type, writer)


def _framed(writer: _Writer, record: msgspec.Struct, body: bytes | None) -> bytes:
    """The payload with this body; without one fastavro writes it."""
    if body is not None:
        return writer.frame + body
    written = BytesIO()
    written.write(writer.frame)
    fields = msgspec.to_builtins(record) if writer.nested else msgspec.structs.asdict(record)
    fastavro.schemaless_writer(written, writer.schema, fields)
    return written.getvalue()


def _compiled_writer(writer: _Writer, schema: Any, record_type: type[msgspec.Struct]) -> _Writer:
    """What writes records of this type in compiled code, several times faster than fastavro, which tries every branch of a union."""
    from schemas.avro_bodies import bodies_of, body_of  # compiled code is loaded only where such records are written

    try:
        program = program_of(schema, record_type)
    except Unknown:
        return writer
    fields, pack = attrgetter(*(field["name"] for field in schema["fields"])), msgspec.msgpack.Encoder().encode
    return writer._replace(
        body=lambda record: body_of(pack(fields(record)), program),
        bodies=lambda records: bodies_of([pack(fields(record)) for record in records], program),
    )


def _parsed(schema: Schema) -> Any:
    """The schema as fastavro reads with it."""
    return fastavro.parse_schema(_without_logical_types(schema.definition))


def _without_logical_types(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {name: _without_logical_types(inner) for name, inner in node.items() if name not in ("logicalType", "doc")}
    if isinstance(node, list):
        return [_without_logical_types(inner) for inner in node]
    return node


def _undecodable(reader: _Reader, fault: str) -> RecordRejected:
    what = f"{reader.record_type.__name__} {fault} (schema {reader.schema_id})"
    return RecordRejected(Reason.UNDECODABLE, what, reader.schema_id)


def _refuse_breaches(reader: _Reader, fields: Mapping[str, object]) -> None:
    """Raise the first breach of a limit, if there is one after all: the quick checks may be stricter than the table."""
    for breach in breaches(fields):
        raise RecordRejected(breach.reason, f"{reader.record_type.__name__}.{breach.message}", reader.schema_id)
