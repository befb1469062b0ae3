"""A log in a file: an Avro object container whose records are Kafka's, payloads as they lie in the topics.

Any Avro reader opens it; `SCHEMA` says what it finds. Read here, a block becomes columns in compiled code, because a replay wants
hundreds of thousands of records a second. Rules: nothing outside a block is read, whatever its bytes; a file is taken whole or not at
all, as far as it was read. Beside `codec` alone in knowing fastavro.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, NamedTuple

import fastavro
import numpy as np
from numpy.typing import NDArray

from schemas.avro_columns import Bytes, Words, long_at
from schemas.compiling import compiled
from schemas.pieces import NO_PIECE, Pieces
from schemas.topics import INPUTS

MAGIC: Final = b"Obj\x01"
"""How an Avro object container begins."""

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "record",
    "name": "LoggedRecord",
    "namespace": "tierstream",
    "doc": "A record of an input topic, or a tick that a lane made itself, in the order in which it was folded.",
    "fields": [
        {"name": "topic", "type": "string", "doc": "Logical name of the topic."},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": ["null", "long"], "doc": "Null for a tick that a lane made itself: it lies in no topic."},
        {"name": "appended_at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "The broker's append time."},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "payload", "type": "bytes", "doc": "As in the topic: 0x00, schema id (4 bytes, big-endian), Avro body."},
    ],
}

NOWHERE: Final = -1
"""The offset of what lies in no topic."""

_BLOCK_BYTES: Final = 2 * 1_048_576
_TOPICS: Final = tuple(INPUTS)
_FAULTS: Final = (EOFError, IndexError, KeyError, MemoryError, OverflowError, ValueError, zlib.error)
"""What bytes that are no log lead to; two of them where they claim sizes that no file has."""


class LogFileError(ValueError):
    """The file is not what `write_log` writes, or was cut or changed."""


class LoggedRecord(NamedTuple):
    """One record of the file."""

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    key: bytes | None
    payload: bytes


class LoggedBlock(NamedTuple):
    """Consecutive records of a file as columns. `topic[i]` is a place in `topics`."""

    topics: tuple[str, ...]
    topic: NDArray[np.uint8]
    partition: NDArray[np.int64]
    offset: NDArray[np.int64]
    appended_at_ms: NDArray[np.int64]
    keys: Pieces
    payloads: Pieces


class Split(NamedTuple):
    """Where `split` writes: a place for each record. A size of -1 is null."""

    topic: NDArray[np.uint8]
    partition: NDArray[np.int64]
    offset: NDArray[np.int64]
    appended_at_ms: NDArray[np.int64]
    key_begin: NDArray[np.int64]
    key_size: NDArray[np.int64]
    payload_begin: NDArray[np.int64]
    payload_size: NDArray[np.int64]


class _Names(NamedTuple):
    """Texts one behind the other: text i is `text[begin[i]:begin[i + 1]]`."""

    text: NDArray[np.uint8]
    begin: NDArray[np.int64]


def write_log(file: IO[bytes], records: Iterable[LoggedRecord]) -> None:
    """The whole file."""
    fastavro.writer(file, dict(SCHEMA), map(_written, records), sync_interval=_BLOCK_BYTES)


def _written(record: LoggedRecord) -> dict[str, Any]:
    offset = None if record.offset == NOWHERE else record.offset
    return dict(zip(_FIELDS, (record.topic, record.partition, offset, record.appended_at_ms, record.key, record.payload), strict=True))


_FIELDS: Final = tuple(field["name"] for field in SCHEMA["fields"])


def read_log(file: IO[bytes]) -> Iterator[LoggedBlock]:
    """The file block by block; of a file, only `read` and `tell` are used. Raises LogFileError where it is not what `write_log` writes."""
    names = _names(_TOPICS)
    try:
        blocks: Any = fastavro.block_reader(file)  # its types do not tell all that its blocks have
        _require_schema(blocks.writer_schema)
        for block in blocks:
            yield _columns(np.frombuffer(block.bytes_.getvalue(), np.uint8), block.num_records, names)
    except LogFileError:
        raise
    except _FAULTS as fault:
        raise LogFileError(f"log file must be an Avro object container as `export --avro` writes it: {fault}") from fault


def _require_schema(written: Any) -> None:
    if fastavro.schema.to_parsing_canonical_form(written) != fastavro.schema.to_parsing_canonical_form(dict(SCHEMA)):
        name = written.get("name", "no record") if isinstance(written, dict) else "no record"
        raise LogFileError(f"log file must hold records as `export --avro` writes them (tierstream.LoggedRecord), got {name}")


def _columns(block: Bytes, records: int, names: _Names) -> LoggedBlock:
    into = Split(np.zeros(records, np.uint8), *(np.zeros(records, np.int64) for _ in range(7)))
    taken = split(block, names.text, names.begin, into)
    if taken < records:
        raise LogFileError(f"log file must hold whole records of input topics; record {taken} of a block of {records} is none")
    keys, payloads = Pieces(block, into.key_begin, into.key_size), Pieces(block, into.payload_begin, into.payload_size)
    return LoggedBlock(_TOPICS, into.topic, into.partition, into.offset, into.appended_at_ms, keys, payloads)


def _names(texts: tuple[str, ...]) -> _Names:
    begin = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=begin[1:])
    return _Names(np.frombuffer("".join(texts).encode(), np.uint8), begin)


@compiled
def split(block: Bytes, names: Bytes, names_begin: Words, into: Split) -> int:
    """Cut a block into its records, as many as there are places; how many there were. One fewer if bytes are left behind the last."""
    at, end, records = 0, len(block), len(into.topic)
    for record in range(records):
        begin, size, at = _piece(block, at, end)
        topic = _name(block, begin, size, names, names_begin) if at >= 0 else -1
        if topic < 0:
            return record
        into.topic[record] = topic
        into.partition[record], at = long_at(block, at, end)
        into.offset[record] = NOWHERE
        branch, at = _branch(block, at, end)
        if branch == 1:
            into.offset[record], at = long_at(block, at, end)
        if at >= 0:
            into.appended_at_ms[record], at = long_at(block, at, end)
        into.key_size[record] = NO_PIECE
        branch, at = _branch(block, at, end)
        if branch == 1:
            into.key_begin[record], into.key_size[record], at = _piece(block, at, end)
        into.payload_begin[record], into.payload_size[record], at = _piece(block, at, end)
        if at < 0 or into.partition[record] < 0:
            return record
    return records if at == end else records - 1


@compiled
def _branch(block: Bytes, begin: int, end: int) -> tuple[Any, int]:
    """Which of two branches a union takes, and where it goes on; -1 for any other and after a fault."""
    if begin < 0:
        return np.int64(-1), -1
    branch, at = long_at(block, begin, end)
    return (branch, at) if 0 <= branch <= 1 else (np.int64(-1), -1)


@compiled
def _piece(block: Bytes, begin: int, end: int) -> tuple[Any, Any, Any]:
    """Where a text begins, its size, and where it ends: -1 if it passes the end, or after a fault."""
    if begin < 0:
        return np.int64(0), np.int64(NO_PIECE), np.int64(-1)
    size, at = long_at(block, begin, end)
    if at < 0 or size < 0 or size > end - at:
        return np.int64(0), np.int64(NO_PIECE), np.int64(-1)
    return np.int64(at), np.int64(size), np.int64(at + size)


@compiled
def _name(block: Bytes, begin: int, size: int, names: Bytes, names_begin: Words) -> int:
    """The place of a name among those known, -1 if it is none of them."""
    for name in range(len(names_begin) - 1):
        first = names_begin[name]
        if names_begin[name + 1] - first == size:
            same = True
            for step in range(size):
                if names[first + step] != block[begin + step]:
                    same = False
                    break
            if same:
                return name
    return -1
