"""Nested records read in compiled code: an Avro body becomes msgpack by a program of `schemas/reading_programs.py`, and msgspec reads that.

Several times as fast as fastavro. Rules: every read is checked against the body's end, every write against the room; what a program does
not take (another schema than the newest, arrays in several blocks, a fault of any kind) is left to the codec, which takes it or says why
not.
"""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.codec import Codec
from schemas.compiling import compiled
from schemas.errors import RecordRejected
from schemas.limits import MAX_TEXT_BYTES, quick_checks
from schemas.pieces import Pieces
from schemas.reading_programs import reading_program_of
from schemas.writing_programs import DEEPEST, WIDTH, Does, Program

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]
Record = TypeVar("Record", bound=msgspec.Struct)

_GROWTH, _ROOM = 24, 8_192
"""So many bytes of msgpack for each of Avro, and so many more; a record that needs yet more is left to the codec."""
_AT_ONCE_BYTES: Final = 4_194_304
"""For so much msgpack there is room at once: more than the largest record needs."""
_FRAME_BYTES: Final = 5
_AT, _PUT, _GOOD, _DEPTH, _STACK = 0, 1, 2, 3, 4
"""In the cursor: where in the body, where in the msgpack, whether all is well, how deep; then how many entries each array still has."""
_OTHERWISE: Final = 1
_NIL, _FALSE, _TRUE, _FLOAT64, _INT64, _TEXT32, _ARRAY32, _MAP16 = 0xC0, 0xC2, 0xC3, 0xCB, 0xD3, 0xDB, 0xDD, 0xDE
_SEVEN, _MORE = np.int64(0x7F), np.int64(0x80)
_LONGEST_SHIFT = np.int64(63)


class NestedReader(Generic[Record]):
    """Reads payloads of one type of record. Threads may share it."""

    def __init__(self, record_type: type[Record], codec: Codec) -> None:
        """Raises Unknown where the record's schema is none that programs know."""
        schema = codec.catalogue.followed(record_type.__name__)
        self._frame = np.frombuffer(b"\0" + schema.id.to_bytes(_FRAME_BYTES - 1, "big"), np.uint8)
        self._program = reading_program_of(schema.definition)
        self._type, self._codec = record_type, codec
        self._checks = quick_checks(record_type)
        self._decode = msgspec.msgpack.Decoder(record_type).decode

    def read_all(self, payloads: Pieces) -> list[Record | RecordRejected | None]:
        """The record in each payload, or why there is none; None where there is no payload."""
        found: list[Record | RecordRejected | None] = [*self.quickly(payloads)]
        for place, record in enumerate(found):
            if record is None and (payload := payloads[place]) is not None:
                found[place] = self._slowly(payload)
        return found

    def quickly(self, payloads: Pieces) -> Iterator[Record | None]:
        """The records, None where it is left to the codec."""
        count, at = len(payloads), 0
        into = np.empty(min(_GROWTH * payloads.size + count * _ROOM, _AT_ONCE_BYTES), np.uint8)
        cursor, ends, packed = np.empty(_STACK + DEEPEST, np.int64), np.empty(count, np.int64), into.data
        while at < count:
            upto = read_all(payloads.buffer, payloads.begins, payloads.sizes, at, self._frame, self._program, into, cursor, ends)
            begin = 0
            for end in ends[at:upto].tolist():
                yield self._record(packed[begin:end]) if end > begin else None
                begin = end
            at = upto

    def _record(self, packed: memoryview) -> Record | None:
        try:
            found = self._decode(packed)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        for name, fits in self._checks:
            if not fits(getattr(found, name)):
                return None
        return found

    def _slowly(self, payload: bytes) -> Record | RecordRejected:
        try:
            return self._codec.decode_as(self._type, payload)
        except RecordRejected as refused:
            return refused


@compiled
def read_all(
    buffer: Bytes, begins: Words, sizes: Words, at: int, frame: Bytes, program: Program, into: Bytes, cursor: Words, ends: Words
) -> int:
    """Payloads from `at` on as msgpack, one behind the other, for as long as there is room; where each ends, at its begin if left out.

    Returns the place of the first that is still to come.
    """
    put = 0
    for place in range(at, len(sizes)):
        begin, size = begins[place], max(sizes[place], 0)
        fits = _FRAME_BYTES <= size <= MAX_TEXT_BYTES and _is_framed(buffer, begin, frame)
        if fits and put + _GROWTH * size + _ROOM > len(into):
            return place
        if fits and read(buffer[begin + _FRAME_BYTES : begin + size], program, into[put:], cursor):
            put += cursor[_PUT]
        ends[place] = put
    return len(sizes)


@compiled
def _is_framed(buffer: Bytes, begin: int, frame: Bytes) -> bool:
    same = True
    for place in range(len(frame)):
        same &= buffer[begin + place] == frame[place]
    return same


@compiled
def read(body: Bytes, program: Program, into: Bytes, cursor: Words) -> bool:
    """Follow the program. False: it cannot read this."""
    cursor[_AT], cursor[_PUT], cursor[_GOOD], cursor[_DEPTH] = 0, 0, 1, _STACK
    step = np.int64(0)
    while cursor[_GOOD]:
        at = int(step) * WIDTH
        does = program.steps[at]
        if does == Does.END:
            return bool(cursor[_AT] == len(body))
        if does == Does.MAYBE:
            goes_on = _maybe(body, program, at, into, cursor)
        elif does == Does.ARRAY:
            goes_on = _array(body, into, cursor)
        elif does == Does.NEXT:
            goes_on = _next(body, cursor)
        else:
            goes_on = True
            _simple(does, program.steps[at + 1], program.steps[at + 2], body, program, into, cursor)
        step = step + 1 if goes_on else program.steps[at + _OTHERWISE]
    return False


@compiled
def _maybe(body: Bytes, program: Program, at: int, into: Bytes, cursor: Words) -> bool:
    """Null or something. Whether it is something, which comes next."""
    branch = _long(body, cursor)
    if branch == program.steps[at + 2]:
        return True
    if branch != program.steps[at + 3]:
        cursor[_GOOD] = 0
    _put(_NIL, into, cursor)
    return False


@compiled
def _array(body: Bytes, into: Bytes, cursor: Words) -> bool:
    """Whether there is anything in it."""
    size = _long(body, cursor)
    if size < 0 or size > len(body):
        cursor[_GOOD] = 0
        return True
    _put_number(_ARRAY32, size, 4, into, cursor)
    if size > 0:
        cursor[cursor[_DEPTH]] = size
        cursor[_DEPTH] += 1
    return bool(size > 0)


@compiled
def _next(body: Bytes, cursor: Words) -> bool:
    """An entry has been read. Whether it was the last one, and the array ends."""
    innermost = cursor[_DEPTH] - 1
    cursor[innermost] -= 1
    if cursor[innermost] > 0:
        return False
    cursor[_DEPTH] = innermost
    if _long(body, cursor) != 0:  # another block
        cursor[_GOOD] = 0
    return True


@compiled
def _simple(does: int, first: int, second: int, body: Bytes, program: Program, into: Bytes, cursor: Words) -> None:
    """A step after which the next one comes."""
    if does == Does.TEXT:
        _text(body, into, cursor)
    elif does == Does.LONG:
        _put_number(_INT64, _long(body, cursor), 8, into, cursor)
    elif does == Does.DOUBLE:
        _double(body, into, cursor)
    elif does == Does.BOOLEAN:
        said = _byte(body, cursor)
        if said > 1:
            cursor[_GOOD] = 0
        _put(_TRUE if said == 1 else _FALSE, into, cursor)
    elif does == Does.ENUM:
        symbol = _long(body, cursor)
        if symbol < 0 or symbol >= second - first:
            cursor[_GOOD] = 0
        else:
            _put_kept(program, first + symbol, into, cursor)
    elif does == Does.KEY:
        _put_kept(program, np.int64(first), into, cursor)
    elif does == Does.MAP:
        _put_number(_MAP16, np.int64(first), 2, into, cursor)


@compiled
def _byte(body: Bytes, cursor: Words) -> np.int64:
    at = cursor[_AT]
    if at >= len(body):
        cursor[_GOOD] = 0
        return np.int64(0)
    cursor[_AT] = at + 1
    return np.int64(body[at])


@compiled
def _long(body: Bytes, cursor: Words) -> np.int64:
    """Zigzag, seven bits a byte, at most nine bytes of it: what is longer is left to fastavro."""
    number, shift = np.int64(0), np.int64(0)
    while True:
        said = _byte(body, cursor)
        number |= (said & _SEVEN) << shift
        shift += np.int64(7)
        if said < _MORE:
            break
        if shift >= _LONGEST_SHIFT:
            cursor[_GOOD] = 0
            return np.int64(0)
    return (number >> np.int64(1)) ^ -(number & np.int64(1))


@compiled
def _has_room(size: int, into: Bytes, cursor: Words) -> bool:
    if cursor[_PUT] + size > len(into):
        cursor[_GOOD] = 0
        return False
    return True


@compiled
def _put(said: int, into: Bytes, cursor: Words) -> None:
    if _has_room(1, into, cursor):
        into[cursor[_PUT]] = said
        cursor[_PUT] += 1


@compiled
def _put_number(head: int, number: np.int64, size: int, into: Bytes, cursor: Words) -> None:
    """A head and a number behind it, the highest byte first."""
    if not _has_room(1 + size, into, cursor):
        return
    put = cursor[_PUT]
    into[put] = head
    for place in range(size):
        into[put + 1 + place] = (number >> np.int64(8 * (size - 1 - place))) & np.int64(0xFF)
    cursor[_PUT] = put + 1 + size


@compiled
def _put_kept(program: Program, number: np.int64, into: Bytes, cursor: Words) -> None:
    """A text of the program, which is msgpack already."""
    begin, end = program.starts[number], program.starts[number + 1]
    if _has_room(int(end - begin), into, cursor):
        for place in range(begin, end):
            into[cursor[_PUT] + place - begin] = program.symbols[place]
        cursor[_PUT] += end - begin


@compiled
def _text(body: Bytes, into: Bytes, cursor: Words) -> None:
    size = _long(body, cursor)
    if size < 0 or size > len(body) - cursor[_AT]:
        cursor[_GOOD] = 0
        return
    _put_number(_TEXT32, size, 4, into, cursor)
    if _has_room(int(size), into, cursor):
        for place in range(size):
            into[cursor[_PUT] + place] = body[cursor[_AT] + place]
        cursor[_AT] += size
        cursor[_PUT] += size


@compiled
def _double(body: Bytes, into: Bytes, cursor: Words) -> None:
    """Eight bytes the other way round."""
    if cursor[_AT] + 8 > len(body):
        cursor[_GOOD] = 0
        return
    _put(_FLOAT64, into, cursor)
    if _has_room(8, into, cursor):
        for place in range(8):
            into[cursor[_PUT] + place] = body[cursor[_AT] + 7 - place]
        cursor[_AT] += 8
        cursor[_PUT] += 8
