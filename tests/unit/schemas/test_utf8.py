"""Compiled UTF-8 against Python's strict decoder."""

from itertools import product

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.utf8 import holds_nul, is_ascii, is_utf8


def decodes(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def judged(text: bytes) -> bool:
    """The judgement on a text that stands between others, which must not matter."""
    buffer = np.frombuffer(b"\x80" + text + b"\x80\x80\x80", np.uint8)
    return is_utf8(buffer, 1, 1 + len(text))


def test_every_text_of_one_and_two_bytes() -> None:
    texts = [bytes((first,)) for first in range(256)] + [bytes(pair) for pair in product(range(256), repeat=2)]
    assert [text for text in texts if judged(text) != decodes(text)] == []


def test_every_edge_of_three_and_four_bytes() -> None:
    """Every first byte with every second one, followed by bytes at the edges of what may follow."""
    edges = (0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF)
    pairs = [bytes(pair) for pair in product(range(0xC0, 0x100), range(256))]
    texts = [pair + bytes(rest) for pair in pairs for size in (1, 2) for rest in product(edges, repeat=size)]
    assert [text for text in texts if judged(text) != decodes(text)] == []


def test_every_character_is_taken() -> None:
    points = [point for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
    assert judged("".join(map(chr, points)).encode())


@given(st.binary(max_size=40) | st.text().map(str.encode))
@example("客户-0001 华东".encode())
@example("客户".encode()[:-1])
def test_any_bytes(text: bytes) -> None:
    buffer = np.frombuffer(text, np.uint8)
    assert is_utf8(buffer, 0, len(text)) == decodes(text)
    assert is_ascii(buffer, 0, len(text)) == text.isascii()
    assert holds_nul(buffer, 0, len(text)) == (b"\0" in text)
