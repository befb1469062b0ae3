"""The library under the client is the client's own, and its structures are those that are declared here."""

import _ctypes
import ctypes

import confluent_kafka
import pytest

from agents.librdkafka import LINKED, Message, library, opened
from schemas.errors import SettingsError

EXTENSION, VERSION = confluent_kafka.cimpl.__file__, confluent_kafka.libversion()[1]


def test_the_library_is_the_clients_own() -> None:
    assert library().version() == VERSION
    with pytest.raises(AttributeError, match="rd_kafka_flush is not among"):
        library().flush()


def test_a_message_has_the_words_that_the_header_file_declares() -> None:
    """`rdkafka.h` of 2.16, on a machine of 64 bits."""
    places = {name: getattr(Message, name).offset for name, _ in Message._fields_}
    assert list(places.items()) == [
        ("error", 0), ("topic", 8), ("partition", 16), ("payload", 24), ("payload_size", 32), ("key", 40), ("key_size", 48),
        ("offset", 56), ("private", 64),
    ]  # fmt: skip
    assert ctypes.sizeof(Message) == 72


def test_another_library_or_none_is_refused_with_what_to_do() -> None:
    with pytest.raises(SettingsError, match="must come with a shared librdkafka, install its wheel"):
        opened(_ctypes.__file__, VERSION)
    with pytest.raises(SettingsError, match="must come with a shared librdkafka, install its wheel"):
        opened("/nowhere.so", VERSION)
    for wanted in (VERSION + 1, 0x01090200):
        with pytest.raises(SettingsError, match=r"librdkafka must be the client's own 0x\w+ and at least 0x02000000, is 0x"):
            opened(EXTENSION, wanted)


def test_what_compiled_code_calls_is_there() -> None:
    loaded = ctypes.CDLL(EXTENSION)
    assert all(ctypes.cast(getattr(loaded, held), ctypes.c_void_p).value for held in LINKED.values())
