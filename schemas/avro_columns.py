"""Many Avro bodies at once, as columns, by the programs of `schemas.avro_programs`. Compiled.

Rules: nothing outside a payload is read, whatever its bytes; a payload is fit if it was taken whole by a program, with all its
limits kept. Texts stay where they are: a column says where they begin and how many bytes they take.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.avro_programs import BRANCHES, COLUMN, KIND, LEAST, MOST, NUL, SYMBOL_COUNT, SYMBOLS, Kind, Programs
from schemas.compiling import compiled
from schemas.utf8 import holds_nul, is_utf8

_FRAME_BYTES: Final = 5  # 0x00 and the schema id
_VARINT_BYTES: Final = 9  # 63 bits; a tenth byte is left to fastavro
_UNFIT: Final = -1

Bytes = NDArray[np.uint8]
Words = NDArray[Any]


class Room(NamedTuple):
    """Where columns are written: (column, record) but for `fit`. A field that is null or was never written leaves it as it was.

    `bits` and `number` are the same eight bytes: a double goes in as the one and comes out as the other.
    """

    fit: NDArray[np.uint8]
    begins: NDArray[np.int64]
    sizes: NDArray[np.int32]
    longs: NDArray[np.int64]
    doubles: NDArray[np.float64]
    enums: NDArray[np.uint8]
    bits: NDArray[np.int64]
    number: NDArray[np.float64]


def room(records: int, *, texts: int, longs: int, doubles: int, enums: int) -> Room:
    """Empty columns: texts of size -1, numbers and enums 0, nothing fit."""
    number = np.zeros(1, np.float64)
    return Room(
        fit=np.zeros(records, np.uint8),
        begins=np.zeros((texts, records), np.int64),
        sizes=np.full((texts, records), -1, np.int32),
        longs=np.zeros((longs, records), np.int64),
        doubles=np.zeros((doubles, records), np.float64),
        enums=np.zeros((enums, records), np.uint8),
        bits=number.view(np.int64),
        number=number,
    )


@compiled
def fill(buffer: Bytes, begins: Words, ends: Words, programs: Programs, into: Room) -> None:
    """Read the payloads buffer[begins[i]:ends[i]] into the columns."""
    for record in range(len(begins)):
        begin, end = begins[record], ends[record]
        if begin >= 0 and end <= len(buffer) and end - begin >= _FRAME_BYTES:
            number = _program(buffer, begin, programs)
            if number >= 0 and _is_read(buffer, begin + _FRAME_BYTES, end, programs, number, record, into):
                into.fit[record] = 1


@compiled
def _program(buffer: Bytes, begin: int, programs: Programs) -> int:
    """The program for a payload's schema, or -1."""
    if buffer[begin] != 0:
        return -1
    schema_id = np.int64(0)
    for place in range(begin + 1, begin + _FRAME_BYTES):
        schema_id = schema_id << 8 | np.int64(buffer[place])
    for number in range(len(programs.ids)):
        if programs.ids[number] == schema_id:
            return number
    return -1


@compiled
def _is_read(buffer: Bytes, begin: int, end: int, programs: Programs, number: int, record: int, into: Room) -> bool:
    """Read one body into its place. False: it does not fit its schema or its limits, or not simply so."""
    steps = programs.steps
    at, step, past = begin, programs.firsts[number], programs.firsts[number + 1]
    while step < past:
        following = step + 1
        if steps[step, KIND] == Kind.UNION:
            branch, at = long_at(buffer, at, end)
            if at < 0 or branch < 0 or branch >= steps[step, BRANCHES]:
                return False
            following += steps[step, BRANCHES]
            step += 1 + branch
        kind = steps[step, KIND]
        if kind == Kind.TEXT:
            at = _take_text(buffer, at, end, steps, step, record, into.begins, into.sizes)
        elif kind == Kind.LONG:
            at = _take_long(buffer, at, end, steps, step, record, into.longs)
        elif kind == Kind.ENUM:
            at = _take_enum(buffer, at, end, steps, programs.symbols, step, record, into.enums)
        elif kind == Kind.DOUBLE:
            at = _take_double(buffer, at, end, steps, programs.bounds, step, record, into)
        elif kind == Kind.BOOLEAN:
            at = at + 1 if at < end else _UNFIT
        elif kind != Kind.NULL:
            return False
        if at < 0:
            return False
        step = following
    return at == end


@compiled
def _take_text(buffer: Bytes, begin: int, end: int, steps: Words, step: int, record: int, begins: Words, sizes: Words) -> int:
    """Where the text ends that begins at `begin`, or -1 if it must not be taken."""
    size, at = long_at(buffer, begin, end)
    if at < 0 or size < steps[step, LEAST] or size > steps[step, MOST] or size > end - at:
        return _UNFIT
    past: int = at + size
    if steps[step, NUL] == 0 and holds_nul(buffer, at, past):
        return _UNFIT
    if not is_utf8(buffer, at, past):
        return _UNFIT
    column = steps[step, COLUMN]
    if column >= 0:
        begins[column, record] = at
        sizes[column, record] = size
    return past


@compiled
def _take_long(buffer: Bytes, begin: int, end: int, steps: Words, step: int, record: int, longs: Words) -> int:
    """Where the long ends that begins at `begin`, or -1."""
    held, at = long_at(buffer, begin, end)
    if at < 0 or held < steps[step, LEAST] or held > steps[step, MOST]:
        return _UNFIT
    column = steps[step, COLUMN]
    if column >= 0:
        longs[column, record] = held
    return at


@compiled
def _take_enum(buffer: Bytes, begin: int, end: int, steps: Words, symbols: Words, step: int, record: int, enums: Bytes) -> int:
    """Where the index ends that begins at `begin`, or -1: past the symbols, counted from their end, or unknown to the reader."""
    index, at = long_at(buffer, begin, end)
    if at < 0 or index < 0 or index >= steps[step, SYMBOL_COUNT]:
        return _UNFIT
    place = symbols[steps[step, SYMBOLS] + index]
    if place < 0:
        return _UNFIT
    column = steps[step, COLUMN]
    if column >= 0:
        enums[column, record] = place
    return at


@compiled
def _take_double(buffer: Bytes, begin: int, end: int, steps: Words, bounds: Words, step: int, record: int, into: Room) -> int:
    """Where the double ends that begins at `begin`, or -1. A number that is not finite is within no bounds."""
    if end - begin < 8:
        return _UNFIT
    bits = np.int64(0)
    for place in range(8):
        bits |= np.int64(buffer[begin + place]) << np.int64(8 * place)
    into.bits[0] = bits
    held = into.number[0]
    if not bounds[step, 0] <= held <= bounds[step, 1]:
        return _UNFIT
    column = steps[step, COLUMN]
    if column >= 0:
        into.doubles[column, record] = held
    return begin + 8


@compiled
def long_at(buffer: Bytes, begin: int, end: int) -> tuple[Any, int]:
    """The zigzag varint that begins at `begin`, and where it ends: -1 if it passes the end or is too long."""
    folded: Any = np.int64(0)
    shift = np.int64(0)
    for at in range(begin, min(end, begin + _VARINT_BYTES)):
        byte = np.int64(buffer[at])
        folded |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (folded >> 1) ^ -(folded & 1), at + 1
        shift += 7
    return np.int64(0), _UNFIT
