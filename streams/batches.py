"""Many records as columns, so that what treats them all alike need not look at each.

A chunk is consecutive records of one input partition; a batch is records of one partition in fold order, of any inputs. Columns are never
changed once they are here, so slices and views of them may be shared.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from schemas.headers import packed, unpacked
from schemas.pieces import NO_PIECES, Pieces
from streams.intake import RawRecord

Headers = Pieces | None
"""Headers, one packed piece for each record (`schemas/headers.py`); None: no record has any, which is usual and costs nothing."""

Instants = NDArray[np.int64]
Offsets = NDArray[np.int64]
_NONE = np.zeros(0, np.int64)


class Chunk(NamedTuple):
    """Consecutive records of one input partition, by rising offset."""

    offset: Offsets
    appended_at_ms: Instants
    keys: Pieces
    payloads: Pieces
    headers: Headers = None

    @property
    def size(self) -> int:
        """How many records."""
        return len(self.keys)

    def part(self, begin: int, end: int) -> "Chunk":
        """The records of [begin, end)."""
        if begin == 0 and end >= len(self.keys):
            return self
        headers = None if self.headers is None else self.headers[begin:end]
        return Chunk(self.offset[begin:end], self.appended_at_ms[begin:end], self.keys[begin:end], self.payloads[begin:end], headers)

    def picked(self, places: NDArray[np.int64]) -> "Chunk":
        """The records at these places, in the order of the places."""
        headers = None if self.headers is None else self.headers.picked(places)
        return Chunk(self.offset[places], self.appended_at_ms[places], self.keys.picked(places), self.payloads.picked(places), headers)

    @staticmethod
    def of(records: Sequence[RawRecord]) -> "Chunk":
        """The columns of records of one input."""
        return Chunk(
            np.array([record.offset for record in records], np.int64),
            np.array([record.appended_at_ms for record in records], np.int64),
            Pieces.of([record.key for record in records]),
            Pieces.of([record.payload for record in records]),
            Pieces.of([packed(record.headers) for record in records]) if any(record.headers for record in records) else None,
        )

    @staticmethod
    def joined(chunks: Sequence["Chunk"]) -> "Chunk":
        """One chunk of several, in this order."""
        if len(chunks) < 2:
            return chunks[0] if chunks else NO_RECORDS
        offset, appended_at_ms = [chunk.offset for chunk in chunks], [chunk.appended_at_ms for chunk in chunks]
        keys, payloads = Pieces.joined([chunk.keys for chunk in chunks]), Pieces.joined([chunk.payloads for chunk in chunks])
        headers: Headers = None
        if any(chunk.headers is not None for chunk in chunks):
            headers = Pieces.joined([Pieces.nothing(chunk.size) if chunk.headers is None else chunk.headers for chunk in chunks])
        return Chunk(np.concatenate(offset), np.concatenate(appended_at_ms), keys, payloads, headers)


NO_RECORDS = Chunk(_NONE, _NONE, NO_PIECES, NO_PIECES)


class RecordBatch(Sequence[RawRecord]):
    """Records of one partition in fold order. `topic[i]` is the place of record i's topic in `topics`; a record is made when asked for."""

    __slots__ = ("appended_at_ms", "headers", "keys", "offset", "partition", "payloads", "topic", "topics")

    def __init__(
        self, partition: int, topics: tuple[str, ...], topic: NDArray[np.uint8], offset: Offsets, appended_at_ms: Instants, keys: Pieces,
        payloads: Pieces, headers: Headers = None,
    ) -> None:  # fmt: skip
        self.partition, self.topics, self.topic = partition, topics, topic
        self.offset, self.appended_at_ms, self.keys, self.payloads, self.headers = offset, appended_at_ms, keys, payloads, headers

    @staticmethod
    def of(records: Sequence[RawRecord]) -> "RecordBatch":
        """The columns of records of one partition, in this order."""
        topics = tuple(dict.fromkeys(record.topic for record in records))
        place = {topic: number for number, topic in enumerate(topics)}
        partition = records[0].partition if records else 0
        topic = np.array([place[record.topic] for record in records], np.uint8)
        return RecordBatch(partition, topics, topic, *Chunk.of(records))

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> RawRecord: ...
    @overload
    def __getitem__(self, place: slice) -> "RecordBatch": ...
    def __getitem__(self, place: int | slice) -> "RawRecord | RecordBatch":
        """One record, or a batch of the columns' slices."""
        if isinstance(place, slice):
            columns = (self.topic[place], self.offset[place], self.appended_at_ms[place], self.keys[place], self.payloads[place])
            return RecordBatch(self.partition, self.topics, *columns, None if self.headers is None else self.headers[place])
        return RawRecord(
            self.topics[self.topic[place]], self.partition, int(self.offset[place]), int(self.appended_at_ms[place]), self.keys[place],
            self.payloads[place], () if self.headers is None else unpacked(self.headers[place]),
        )  # fmt: skip

    def __iter__(self) -> Iterator[RawRecord]:
        places = self.topic.tolist(), self.offset.tolist(), self.appended_at_ms.tolist()
        headers = repeat(()) if self.headers is None else map(unpacked, self.headers)
        topics, partition, columns = self.topics, self.partition, zip(*places, self.keys, self.payloads, headers, strict=False)
        return (
            RawRecord(topics[topic], partition, offset, at_ms, key, payload, has) for topic, offset, at_ms, key, payload, has in columns
        )

    def of_topic(self, topic: str) -> NDArray[np.bool_]:
        """Which records are of this topic."""
        place = self.topics.index(topic) if topic in self.topics else -1
        return np.equal(self.topic, place)

    def last_offsets(self) -> dict[str, int]:
        """The offset of each topic's last record here; topics without a record are left out."""
        backwards = self.topic[::-1]
        found, first = np.unique(backwards, return_index=True)
        last = len(self) - 1 - first
        return {self.topics[number]: int(self.offset[place]) for number, place in zip(found.tolist(), last.tolist(), strict=True)}
