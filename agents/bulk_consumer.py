"""A consumer that gives what has come as columns, without a Python object for a message: for whoever reads hundreds of thousands a second.

It is told its partitions and is in no group. One thread uses it; the interpreter's lock is not held while it waits or copies. Its errors
are those of confluent-kafka: calls raise KafkaException, and what the client has to report instead of a record carries a KafkaError.
"""

import ctypes
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from agents.librdkafka import CONSUMER, LEAVE_NO_GROUP, TEXT_BYTES, ErrorCallback, error_of, library
from agents.message_columns import Into, Survey, blank, desk, give_back, survey, take
from schemas.pieces import Pieces, Words, begins_of, sealed
from streams.batches import Chunk

_GATHER_MS = 1
Place = tuple[str, int]
"""A partition: the broker's name of the topic, and the number."""


class Report(NamedTuple):
    """What the client has to say instead of a record; `offset` is the end where it reports one."""

    topic: str
    partition: int
    offset: int
    error: KafkaError


class Taken(NamedTuple):
    """What has come: the records of each partition in their order, and reports."""

    chunks: dict[Place, Chunk]
    reports: list[Report]


class BulkConsumer:
    """Made of librdkafka's options as confluent-kafka takes them, texts, numbers, truths and `error_cb`. Raises KafkaException."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._library = lib = library()
        on_error = options.get("error_cb")
        self._heard = ErrorCallback(_heard(on_error)) if on_error is not None else None
        self._client = client = _made(options, self._heard)
        lib.poll_set_consumer(client)
        self._queue = queue = lib.queue_get_consumer(client)
        self._left = weakref.finalize(self, _forget, client, queue, self._heard)
        self._left.atexit = False
        self._desk, self._room = desk(), np.zeros(0, np.int64)

    # -- where it reads ------------------------------------------------------------------------------------------------

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Read these partitions, each from its offset on, and no others."""
        self._told("assign", places)

    def unassign(self) -> None:
        """Read nothing."""
        _require(self._library.assign(self._open(), None))

    def pause(self, places: Sequence[TopicPartition]) -> None:
        """Give nothing of these until they are resumed; what was prefetched of them is fetched again."""
        self._told("pause_partitions", places)

    def resume(self, places: Sequence[TopicPartition]) -> None:
        """Go on with these."""
        self._told("resume_partitions", places)

    def _told(self, call: str, places: Sequence[TopicPartition]) -> None:
        lib, client = self._library, self._open()
        listed = lib.topic_partition_list_new(len(places))
        try:
            for place in places:
                name = place.topic.encode()
                lib.topic_partition_list_add(listed, name, place.partition)
                lib.topic_partition_list_set_offset(listed, name, place.partition, place.offset)
            _require(getattr(lib, call)(client, listed))
        finally:
            lib.topic_partition_list_destroy(listed)

    def get_watermark_offsets(self, place: TopicPartition, timeout_s: float) -> tuple[int, int]:
        """The first offset of a partition and its high watermark, asked of the broker."""
        low, high = ctypes.c_int64(), ctypes.c_int64()
        asked = place.topic.encode(), place.partition, ctypes.byref(low), ctypes.byref(high), int(timeout_s * 1000)
        _require(self._library.query_watermark_offsets(self._open(), *asked))
        return low.value, high.value

    # -- reading -------------------------------------------------------------------------------------------------------

    def take(self, limit: int, wait_s: float) -> Taken:
        """The first record or report as soon as it comes, waiting for it so long, and what else is there by then."""
        self._open()
        if len(self._room) < limit:
            self._room = np.zeros(limit, np.int64)
        count = self._fetched(0, 1, int(wait_s * 1000))
        if count == 0:
            return Taken({}, [])
        try:
            if limit > 1:
                count += self._fetched(1, limit - 1, _GATHER_MS)
            return self._columns(self._room[:count])
        finally:
            give_back(self._room[:limit])

    def _fetched(self, begin: int, most: int, wait_ms: int) -> int:
        """How many pointers were put into the room from `begin` on."""
        count = self._library.consume_batch_queue(self._queue, wait_ms, self._room.ctypes.data + begin * self._room.itemsize, most)
        if count < 0:
            raise KafkaException(error_of(KafkaError._STATE))
        return int(count)

    def _columns(self, messages: Words) -> Taken:
        found = blank(len(messages))
        survey(messages, self._desk, found)
        reports = [self._report(int(messages[each]), found, each) for each in np.flatnonzero(found.error).tolist()]
        records = np.flatnonzero(found.error == 0)
        chunks: dict[Place, Chunk] = {}
        for places in _by_partition(found, records):
            first = places[0]
            name = self._name(int(found.topic[first]))
            chunks[name, int(found.partition[first])] = self._chunk(messages, found, places)
        return Taken(chunks, reports)

    def _chunk(self, messages: Words, found: Survey, places: Words) -> Chunk:
        """The records at these places, which are given back with it."""
        keys, payloads = _room_for(found.keys[places]), _room_for(found.payloads[places])
        headers = _room_for(found.headers[places])
        addresses = (_address(keys), _address(payloads), _address(headers))
        take(messages, places, self._desk, Into(*addresses, keys.begins, payloads.begins, headers.begins))
        for part in (keys, payloads, headers):
            sealed(part.buffer)
        return Chunk(found.offset[places], found.appended_at_ms[places], keys, payloads, headers if headers.size else None)

    def _report(self, message: int, found: Survey, place: int) -> Report:
        topic = int(found.topic[place])
        error = error_of(int(found.error[place]), self._library.message_errstr(message))
        return Report(self._name(topic) if topic else "", int(found.partition[place]), int(found.offset[place]), error)

    def _name(self, topic: int) -> str:
        name: bytes = self._library.topic_name(topic)
        return name.decode()

    # -- the end -------------------------------------------------------------------------------------------------------

    def _open(self) -> Any:
        if not self._left.alive:
            raise RuntimeError("the consumer is closed")
        return self._client

    def close(self) -> None:
        """Let go of the connections. Nothing can be asked of it any more."""
        if self._left.alive:
            self._library.consumer_close(self._client)
            self._left()

    def __enter__(self) -> "BulkConsumer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def rehearse() -> None:
    """Compile, or load, all that reading calls."""
    library()
    nobody, nowhere = np.zeros(0, np.int64), desk()
    survey(nobody, nowhere, blank(0))
    take(nobody, nobody, nowhere, Into(0, 0, 0, nobody, nobody, nobody))
    give_back(nobody)


def _by_partition(found: Survey, records: Words) -> list[Words]:
    """The places of the records of each partition, in their order. Mostly all are of one."""
    topic, partition = found.topic[records], found.partition[records]
    if not len(records) or ((topic == topic[0]) & (partition == partition[0])).all():
        return [records] if len(records) else []
    order = np.lexsort((partition, topic))
    new = (np.diff(topic[order]) != 0) | (np.diff(partition[order]) != 0)
    return [records[places] for places in np.split(order, np.flatnonzero(new) + 1)]


def _room_for(sizes: Words) -> Pieces:
    """Pieces of these sizes, one behind the other, whose bytes are still to come."""
    return Pieces(np.empty(int(np.maximum(sizes, 0).sum()), np.uint8), begins_of(sizes), sizes)


def _address(pieces: Pieces) -> int:
    """Where the bytes go; 0 if there are none."""
    return pieces.buffer.ctypes.data if len(pieces.buffer) else 0


def _made(options: Mapping[str, Any], heard: Any) -> int:
    """The client. What is refused is an error with librdkafka's own words."""
    lib, said = library(), ctypes.create_string_buffer(TEXT_BYTES)
    made = lib.conf_new()
    for name, option in options.items():
        if name == "error_cb":
            continue
        text = str(option).lower() if isinstance(option, bool) else str(option)
        if lib.conf_set(made, name.encode(), text.encode(), said, TEXT_BYTES) != 0:
            lib.conf_destroy(made)
            raise KafkaException(error_of(KafkaError._INVALID_ARG, said.value))
    if heard is not None:
        lib.conf_set_error_cb(made, heard)
    client: int | None = lib.new(CONSUMER, made, said, TEXT_BYTES)
    if client is None:
        lib.conf_destroy(made)
        raise KafkaException(error_of(KafkaError._INVALID_ARG, said.value))
    return client


def _heard(on_error: Callable[[KafkaError], None]) -> Callable[[int, int, bytes, int], None]:
    return lambda _client, code, text, _opaque: on_error(error_of(code, text))


def _forget(client: int, queue: int, _heard: Any) -> None:
    """The client and its threads end. What it calls back is held until then."""
    library().queue_destroy(queue)
    library().destroy_flags(client, LEAVE_NO_GROUP)


def _require(code: int) -> None:
    if code != 0:
        raise KafkaException(error_of(code))
