"""librdkafka's own interface, as far as reading in bulk needs it: the very library that confluent-kafka has loaded.

confluent-kafka makes a Python object for each message; here messages stay where librdkafka put them. Rules: only what `rdkafka.h`
documents is called, with the structures as it declares them; a library that is not there, not the client's own or of another word size
is refused before anything is called.
"""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_ssize_t, c_void_p
from functools import lru_cache
from typing import Any, Final

import confluent_kafka
from confluent_kafka import KafkaError

from schemas.compiling import link
from schemas.errors import SettingsError

CONSUMER: Final = 1
LEAVE_NO_GROUP: Final = 0x8
TEXT_BYTES: Final = 512
_WORD_BYTES: Final = 8
_OLDEST: Final = 0x02000000

ErrorCallback = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p, c_void_p)


class Message(ctypes.Structure):
    """`rd_kafka_message_t`."""

    _fields_ = (
        ("error", c_int),
        ("topic", c_void_p),
        ("partition", c_int32),
        ("payload", c_void_p),
        ("payload_size", c_size_t),
        ("key", c_void_p),
        ("key_size", c_size_t),
        ("offset", c_int64),
        ("private", c_void_p),
    )


_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "version": (c_int, ()),
    "err2str": (c_char_p, (c_int,)),
    "conf_new": (c_void_p, ()),
    "conf_destroy": (None, (c_void_p,)),
    "conf_set": (c_int, (c_void_p, c_char_p, c_char_p, c_char_p, c_size_t)),
    "conf_set_error_cb": (None, (c_void_p, ErrorCallback)),
    "new": (c_void_p, (c_int, c_void_p, c_char_p, c_size_t)),
    "poll_set_consumer": (c_int, (c_void_p,)),
    "queue_get_consumer": (c_void_p, (c_void_p,)),
    "queue_destroy": (None, (c_void_p,)),
    "consumer_close": (c_int, (c_void_p,)),
    "destroy": (None, (c_void_p,)),
    "destroy_flags": (None, (c_void_p, c_int)),
    "topic_partition_list_new": (c_void_p, (c_int,)),
    "topic_partition_list_add": (c_void_p, (c_void_p, c_char_p, c_int32)),
    "topic_partition_list_set_offset": (c_int, (c_void_p, c_char_p, c_int32, c_int64)),
    "topic_partition_list_destroy": (None, (c_void_p,)),
    "assign": (c_int, (c_void_p, c_void_p)),
    "pause_partitions": (c_int, (c_void_p, c_void_p)),
    "resume_partitions": (c_int, (c_void_p, c_void_p)),
    "query_watermark_offsets": (c_int, (c_void_p, c_char_p, c_int32, POINTER(c_int64), POINTER(c_int64), c_int)),
    "consume_batch_queue": (c_ssize_t, (c_void_p, c_int, c_void_p, c_size_t)),
    "topic_name": (c_char_p, (c_void_p,)),
    "message_errstr": (c_char_p, (c_void_p,)),
}
"""What each function gives and takes, without its prefix `rd_kafka_`."""

LINKED: Final = {
    "tierstream_copy": "memcpy",
    "tierstream_text_size": "strlen",
    "tierstream_message_timestamp": "rd_kafka_message_timestamp",
    "tierstream_message_headers": "rd_kafka_message_headers",
    "tierstream_header": "rd_kafka_header_get_all",
    "tierstream_message_destroy": "rd_kafka_message_destroy",
}
"""What compiled code calls, by the names that it knows them by (`agents/message_columns.py`)."""


class Library:
    """The functions by their names without the prefix: `library.assign(...)`. The interpreter's lock is not held meanwhile."""

    def __init__(self, loaded: ctypes.CDLL) -> None:
        for name, (gives, takes) in _FUNCTIONS.items():
            function = getattr(loaded, f"rd_kafka_{name}")
            function.restype, function.argtypes = gives, takes
            setattr(self, name, function)
        for name, held in LINKED.items():
            link(name, ctypes.cast(getattr(loaded, held), c_void_p).value or 0)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"rd_kafka_{name} is not among the functions that are used")


@lru_cache(maxsize=1)
def library() -> Library:
    """The library of the client, ready to be called. Raises SettingsError."""
    return opened(confluent_kafka.cimpl.__file__, confluent_kafka.libversion()[1])


def opened(extension: str, version: int) -> Library:
    """The librdkafka that an extension module was linked with: found through it, wherever it lies. It must be of this version."""
    try:
        found = Library(ctypes.CDLL(extension))
    except (AttributeError, OSError) as missing:
        raise SettingsError(f"confluent-kafka must come with a shared librdkafka, install its wheel: {missing}") from missing
    if (its := found.version()) != version or its < _OLDEST:
        raise SettingsError(f"librdkafka must be the client's own {version:#010x} and at least {_OLDEST:#010x}, is {its:#010x}")
    if ctypes.sizeof(c_void_p) != _WORD_BYTES:
        raise SettingsError(f"Python must be of {8 * _WORD_BYTES} bits, is of {8 * ctypes.sizeof(c_void_p)}")
    return found


def error_of(code: int, text: bytes | None = None) -> KafkaError:
    """The client's own error object, with what the library says of it."""
    said = text if text is not None else library().err2str(code)
    return KafkaError(code, said.decode(errors="replace"), code == KafkaError._FATAL)
