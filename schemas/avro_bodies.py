"""Avro bodies of nested records, written by the programs of `schemas/writing_programs.py` from what msgspec packs. Compiled.

Rules: the msgpack is our own and whole; what a program cannot write it says so and nothing it wrote counts: fastavro then writes it, or
says what is wrong. An Avro body has at most three bytes for each byte of msgpack, so there is always room.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.compiling import compiled
from schemas.pieces import NO_PIECE, Pieces, begins_of
from schemas.writing_programs import DEEPEST, WIDTH, Does, Program

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]

_GROWTH: Final = 3

_AT, _PUT, _GOOD, _DEPTH, _STACK = 0, 1, 2, 3, 4
"""In the cursor: where in the msgpack, where in the body, whether all is well, how deep; then how often each array goes on."""
_OTHERWISE: Final = 1
"""In a step: where it goes on if not with the next one."""

_NIL, _FALSE, _TRUE, _FLOAT64 = 0xC0, 0xC2, 0xC3, 0xCB
_FIX_MAP, _FIX_ARRAY, _FIX_TEXT = (0x80, 0x0F, 0xDE, 0xDF, 2), (0x90, 0x0F, 0xDC, 0xDD, 2), (0xA0, 0x1F, 0xD9, 0xDB, 1)
"""Of a head: the first that holds a size, which bits, first and last of those with the size behind, and how many bytes the first has."""
_UINT8, _INT8, _INT64, _NEGATIVE = 0xCC, 0xD0, 0xD3, 0xE0
_SEVEN, _MORE = np.int64(0x7F), np.int64(0x80)
_REST = np.int64(2**57 - 1)


def body_of(packed: bytes, program: Program) -> bytes | None:
    """The Avro body of a record that msgspec has packed; None if the program cannot write it."""
    into, cursor = np.empty(_GROWTH * len(packed), np.uint8), np.empty(_STACK + DEEPEST, np.int64)
    if not write(np.frombuffer(packed, np.uint8), program, into, cursor):
        return None
    return into[: int(cursor[_PUT])].tobytes()


def bodies_of(packed: Sequence[bytes], program: Program) -> list[bytes | None]:
    """As `body_of`, for many records at once: several times faster where they are small."""
    pieces, sizes = Pieces.of(packed), np.empty(len(packed), np.int64)
    into, cursor = np.empty(_GROWTH * pieces.size, np.uint8), np.empty(_STACK + DEEPEST, np.int64)
    write_all(pieces.buffer, pieces.begins, pieces.sizes, program, into, sizes, cursor)
    return list(Pieces(into, begins_of(sizes), sizes))


@compiled
def write_all(packed: Bytes, begins: Words, lengths: Words, program: Program, into: Bytes, sizes: Words, cursor: Words) -> None:
    """The bodies of all of these, one behind the other; the size of one that the program cannot write is NO_PIECE."""
    put = 0
    for each in range(len(begins)):
        begin, sizes[each] = begins[each], NO_PIECE
        if write(packed[begin : begin + lengths[each]], program, into[put:], cursor):
            sizes[each] = cursor[_PUT]
            put += sizes[each]


@compiled
def write(packed: Bytes, program: Program, into: Bytes, cursor: Words) -> bool:
    """Follow the program. False: it cannot write this."""
    cursor[_AT], cursor[_PUT], cursor[_GOOD], cursor[_DEPTH] = 0, 0, 1, _STACK
    _head(packed, cursor, _FIX_ARRAY)
    step = np.int64(0)
    while cursor[_GOOD]:
        at = int(step) * WIDTH
        does = program.steps[at]
        if does == Does.END:
            return True
        if does == Does.MAYBE:
            goes_on = _maybe(packed, program, at, into, cursor)
        elif does == Does.ARRAY:
            goes_on = _array(packed, into, cursor)
        elif does == Does.NEXT:
            goes_on = _next(into, cursor)
        else:
            goes_on = True
            _simple(does, program.steps[at + 1], program.steps[at + 2], packed, program, into, cursor)
        step = step + 1 if goes_on else program.steps[at + _OTHERWISE]
    return False


@compiled
def _maybe(packed: Bytes, program: Program, at: int, into: Bytes, cursor: Words) -> bool:
    """Null or something. Whether it is something, which comes next."""
    is_null = packed[cursor[_AT]] == _NIL
    if is_null:
        cursor[_AT] += 1
    _put_long(program.steps[at + 2 + np.int64(is_null)], into, cursor)
    return not is_null


@compiled
def _array(packed: Bytes, into: Bytes, cursor: Words) -> bool:
    """Whether there is anything in it."""
    size = np.int64(_head(packed, cursor, _FIX_ARRAY))
    _put_long(size, into, cursor)
    if size > 0:
        cursor[cursor[_DEPTH]] = size
        cursor[_DEPTH] += 1
    return bool(size > 0)


@compiled
def _next(into: Bytes, cursor: Words) -> bool:
    """An entry has been written. Whether it was the last one, and the array ends."""
    innermost = cursor[_DEPTH] - 1
    cursor[innermost] -= 1
    if cursor[innermost] > 0:
        return False
    cursor[_DEPTH] = innermost
    _put_long(np.int64(0), into, cursor)
    return True


@compiled
def _simple(does: int, first: int, second: int, packed: Bytes, program: Program, into: Bytes, cursor: Words) -> None:
    """A step after which the next one comes."""
    if does == Does.TEXT:
        _text(packed, into, cursor)
    elif does == Does.LONG:
        _put_long(_long(packed, cursor), into, cursor)
    elif does == Does.DOUBLE:
        _double(packed, into, cursor)
    elif does == Does.BOOLEAN:
        said = packed[cursor[_AT]]
        cursor[_GOOD] = said in (_FALSE, _TRUE)
        into[cursor[_PUT]] = said == _TRUE
        cursor[_AT] += 1
        cursor[_PUT] += 1
    elif does == Does.ENUM:
        _put_long(_symbol(packed, program, first, second, cursor), into, cursor)
    elif does == Does.KEY:
        size = _head(packed, cursor, _FIX_TEXT)
        cursor[_AT] += size
    elif does == Does.MAP and _head(packed, cursor, _FIX_MAP) != first:
        cursor[_GOOD] = 0


@compiled
def _head(packed: Bytes, cursor: Words, kind: tuple[int, int, int, int, int]) -> int:
    """The size in the head of a text, array or map."""
    fixed, bits, sized, last, least = kind
    head = np.int64(packed[cursor[_AT]])
    cursor[_AT] += 1
    if head & ~np.int64(bits) == fixed:
        return int(head & bits)
    if head < sized or head > last:
        cursor[_GOOD] = 0
        return 0
    return int(_big_endian(packed, cursor, least << int(head - sized)))


@compiled
def _big_endian(packed: Bytes, cursor: Words, size: int) -> np.int64:
    number = np.int64(0)
    for place in range(cursor[_AT], cursor[_AT] + size):
        number = (number << np.int64(8)) | np.int64(packed[place])
    cursor[_AT] += size
    return number


@compiled
def _long(packed: Bytes, cursor: Words) -> np.int64:
    """A whole number."""
    head = np.int64(packed[cursor[_AT]])
    cursor[_AT] += 1
    if head <= _SEVEN:
        return head
    if head >= _NEGATIVE:
        return head - np.int64(256)
    if head < _UINT8 or head > _INT64:
        cursor[_GOOD] = 0
        return head
    if head < _INT8:
        number = _big_endian(packed, cursor, 1 << int(head - _UINT8))
        cursor[_GOOD] = number >= 0
        return number
    size = 1 << int(head - _INT8)
    unused = np.int64(64 - 8 * size)
    return (_big_endian(packed, cursor, size) << unused) >> unused


@compiled
def _put_long(number: np.int64, into: Bytes, cursor: Words) -> None:
    """Zigzag, seven bits a byte."""
    left, at = (number << np.int64(1)) ^ (number >> np.int64(63)), cursor[_PUT]
    while left & ~_SEVEN:
        into[at] = (left & _SEVEN) | _MORE
        left = (left >> np.int64(7)) & _REST
        at += 1
    into[at] = left
    cursor[_PUT] = at + 1


@compiled
def _text(packed: Bytes, into: Bytes, cursor: Words) -> None:
    size = _head(packed, cursor, _FIX_TEXT)
    _put_long(np.int64(size), into, cursor)
    for place in range(size):
        into[cursor[_PUT] + place] = packed[cursor[_AT] + place]
    cursor[_AT] += size
    cursor[_PUT] += size


@compiled
def _double(packed: Bytes, into: Bytes, cursor: Words) -> None:
    """Eight bytes the other way round; a whole number in its place is left to fastavro."""
    cursor[_GOOD] = packed[cursor[_AT]] == _FLOAT64
    if cursor[_GOOD]:
        for place in range(8):
            into[cursor[_PUT] + place] = packed[cursor[_AT] + 8 - place]
        cursor[_AT] += 9
        cursor[_PUT] += 8


@compiled
def _symbol(packed: Bytes, program: Program, first: int, behind: int, cursor: Words) -> np.int64:
    """Which of the symbols from `first` on, up to `behind`, stands there."""
    size = _head(packed, cursor, _FIX_TEXT)
    begin = cursor[_AT]
    cursor[_AT] += size
    for symbol in range(first, behind):
        at = program.starts[symbol]
        same, place = program.starts[symbol + 1] - at == size, 0
        while same and place < size:
            same = program.symbols[at + place] == packed[begin + place]
            place += 1
        if same:
            return np.int64(symbol - first)
    cursor[_GOOD] = 0
    return np.int64(0)
