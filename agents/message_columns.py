"""Messages of librdkafka as columns, compiled: what each says is read where it lies, and copied once.

Rules: a message is given back to the library exactly once, by `take` when it has been copied, or by `give_back`; its pointer is then 0.
Pointers are words; a message's words are those of `rd_kafka_message_t` (`agents/librdkafka.py`).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.librdkafka import Message
from schemas.compiling import compiled, foreign
from schemas.headers import LENGTH_BYTES
from schemas.pieces import NO_PIECE, Words

_WORD: Final = 8
_MESSAGE_BYTES: Final = Message.private.offset + _WORD
_ERROR, _PARTITION = Message.error.offset // 4, Message.partition.offset // 4
_TOPIC, _OFFSET = Message.topic.offset // _WORD, Message.offset.offset // _WORD
_KEY, _KEY_SIZE = Message.key.offset // _WORD, Message.key_size.offset // _WORD
_PAYLOAD, _PAYLOAD_SIZE = Message.payload.offset // _WORD, Message.payload_size.offset // _WORD
# Behind the message's own words: where the library writes what it is asked for.
_HEADERS = _MESSAGE_BYTES // _WORD
_NAME, _TEXT, _TEXT_SIZE, _SPARE = _HEADERS + 1, _HEADERS + 2, _HEADERS + 3, _HEADERS + 4
_DESK_WORDS: Final = _SPARE + 1
_CODE: Final = 0xFFFF_FFFF  # what counts of the word that a function gives that answers with a C int

_copy = foreign("tierstream_copy", 3)
_text_size = foreign("tierstream_text_size", 1)
_timestamp = foreign("tierstream_message_timestamp", 2)
_headers_of = foreign("tierstream_message_headers", 2)
_header = foreign("tierstream_header", 5)
_destroy = foreign("tierstream_message_destroy", 1)


class Desk(NamedTuple):
    """The words of one message, twice the same memory; it begins at `address`."""

    words: Words
    halves: NDArray[np.int32]
    address: int


def desk() -> Desk:
    """An empty one."""
    words = np.zeros(_DESK_WORDS, np.int64)
    return Desk(words, words.view(np.int32), words.ctypes.data)


class Survey(NamedTuple):
    """What messages say of themselves, each at its place.

    `keys`, `payloads` and `headers` (as `schemas/headers.py` packs them) are sizes, NO_PIECE where there is none.
    """

    error: Words
    topic: Words
    partition: Words
    offset: Words
    appended_at_ms: Words
    keys: Words
    payloads: Words
    headers: Words


def blank(messages: int) -> Survey:
    """For so many."""
    return Survey(*np.empty((8, messages), np.int64))


class Into(NamedTuple):
    """Where keys, payloads and headers are copied to: three buffers by their addresses, and where each message's parts begin there.

    No headers are copied where their address is 0.
    """

    keys: int
    payloads: int
    headers: int
    key_begins: Words
    payload_begins: Words
    header_begins: Words


@compiled
def survey(messages: Words, desk: Desk, found: Survey) -> None:
    """Look at all messages."""
    words = desk.words
    for each in range(len(messages)):
        message = messages[each]
        _copy(desk.address, message, _MESSAGE_BYTES)
        found.error[each], found.partition[each] = desk.halves[_ERROR], desk.halves[_PARTITION]
        found.topic[each], found.offset[each] = words[_TOPIC], words[_OFFSET]
        found.keys[each] = words[_KEY_SIZE] if words[_KEY] != 0 else NO_PIECE
        found.payloads[each] = words[_PAYLOAD_SIZE] if words[_PAYLOAD] != 0 else NO_PIECE
        found.headers[each] = NO_PIECE
        if found.error[each] == 0:
            found.appended_at_ms[each] = _timestamp(message, desk.address + _SPARE * _WORD)
            if _headers_of(message, desk.address + _HEADERS * _WORD) & _CODE == 0:
                found.headers[each] = _packed(desk, 0)


@compiled
def take(messages: Words, places: Words, desk: Desk, into: Into) -> None:
    """Copy the messages at these places and give them back."""
    words = desk.words
    for each in range(len(places)):
        message = messages[places[each]]
        _copy(desk.address, message, _MESSAGE_BYTES)
        if words[_KEY_SIZE] > 0:
            _copy(into.keys + into.key_begins[each], words[_KEY], words[_KEY_SIZE])
        if words[_PAYLOAD_SIZE] > 0:
            _copy(into.payloads + into.payload_begins[each], words[_PAYLOAD], words[_PAYLOAD_SIZE])
        if into.headers != 0 and _headers_of(message, desk.address + _HEADERS * _WORD) & _CODE == 0:
            _packed(desk, into.headers + into.header_begins[each])
        _destroy(message)
        messages[places[each]] = 0


@compiled
def give_back(messages: Words) -> None:
    """Give back what is left."""
    for each in range(len(messages)):
        if messages[each] != 0:
            _destroy(messages[each])
            messages[each] = 0


@compiled
def _packed(desk: Desk, into: int) -> int:
    """How many bytes the headers take that lie on the desk; they are packed to there, unless it is 0."""
    words, at, number, name_at = desk.words, 0, 0, desk.address + _NAME * _WORD
    while _header(words[_HEADERS], number, name_at, name_at + _WORD, name_at + 2 * _WORD) & _CODE == 0:
        at = _put(desk, into, at, words[_NAME], _text_size(words[_NAME]))
        at = _put(desk, into, at, words[_TEXT], words[_TEXT_SIZE] if words[_TEXT] != 0 else NO_PIECE)
        number += 1
    return at


@compiled
def _put(desk: Desk, into: int, at: int, text: int, size: int) -> Any:
    """A length and its bytes; where they end."""
    length = max(size, 0)
    if into != 0:
        desk.words[_SPARE] = size
        _copy(into + at, desk.address + _SPARE * _WORD, LENGTH_BYTES)
        _copy(into + at + LENGTH_BYTES, text, length)
    return at + LENGTH_BYTES + length
