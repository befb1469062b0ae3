"""In which order the records of several inputs are folded: by head, the least (append time, topic rank) first.

The head of one input may go when every other input has a head buffered or has reported its end, as Kafka Streams'
partition group does. The same rule over recorded ranges gives the same order again: that is what makes a replay exact.

By head, a record waits at least as long as those before it in its own input. So the order is that of (greatest append time of the
input so far, rank), counted from the first record that is buffered, and one stable sort of columns gives it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.batches import NO_RECORDS, Chunk, RecordBatch


class Merge:
    """The buffered records of a partition's inputs. `topics` are in rank order, which decides equal append times."""

    def __init__(self, topics: Sequence[str], partition: int = 0) -> None:
        self._topics, self._partition = tuple(topics), partition
        self._waiting = {topic: _Waiting() for topic in topics}
        self._ended: set[str] = set()

    def offer(self, topic: str, chunk: Chunk) -> None:
        """Buffer the next records of a topic. If there are any, the topic is no longer at its end."""
        if chunk.size:
            self._waiting[topic].append(chunk)
            self._ended.discard(topic)

    def at_end(self, topic: str) -> None:
        """The input reported that nothing follows what was offered so far."""
        self._ended.add(topic)

    def buffered(self, topic: str) -> int:
        """How many records of `topic` wait here."""
        return self._waiting[topic].size

    def starving(self) -> list[str]:
        """The inputs that hold the others back: nothing buffered and no end reported."""
        return [topic for topic, waiting in self._waiting.items() if not waiting.size and topic not in self._ended]

    def take(self, limit: int) -> RecordBatch:
        """At most `limit` records whose order is settled, in fold order; they leave the buffer."""
        heads = [] if self.starving() else self._heads(limit)
        taken = _ordered(heads, limit)
        counts = np.bincount(taken.rank, minlength=len(self._topics)).tolist()
        for head in heads:
            self._waiting[self._topics[head.rank]].leave(counts[head.rank])
        return RecordBatch(self._partition, self._topics, taken.rank, *taken.records)

    def _heads(self, limit: int) -> list["_Head"]:
        """Of each input that has records the first `limit`, in rank order: no more of it can go."""
        heads = []
        for rank, (topic, waiting) in enumerate(self._waiting.items()):
            if waiting.size:
                first = waiting.first(limit)
                heads.append(_Head(rank, first, topic not in self._ended and first.size == waiting.size))
        return heads


class _Waiting:
    """The records of one input that wait, in the chunks in which they came."""

    def __init__(self) -> None:
        self.size = 0
        self._chunks: deque[Chunk] = deque()
        self._gone = 0  # so many records of the first chunk have left

    def append(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self.size += chunk.size

    def first(self, limit: int) -> Chunk:
        """The first `limit` records, or all there are. They stay, in one chunk from now on."""
        if self._chunks[0].size - self._gone < min(limit, self.size):
            begin = self._chunks.popleft()
            some = [begin.part(self._gone, begin.size)]
            size = some[0].size
            while self._chunks and size < limit:
                some.append(self._chunks.popleft())
                size += some[-1].size
            self._chunks.appendleft(Chunk.joined(some))
            self._gone = 0
        return self._chunks[0].part(self._gone, self._gone + limit)

    def leave(self, count: int) -> None:
        """The first `count` records go; `first` has put them into one chunk."""
        self.size -= count
        self._gone += count
        if self._gone == self._chunks[0].size:
            self._chunks.popleft()
            self._gone = 0


class _Head(NamedTuple):
    """The first records of one input. `open`: the input has no more here, and it is not at its end."""

    rank: int
    records: Chunk
    open: bool


class _Ordered(NamedTuple):
    """Records in fold order, and the rank of the input that each is from."""

    rank: NDArray[np.uint8]
    records: Chunk


def _ordered(heads: Sequence[_Head], limit: int) -> _Ordered:
    """The first `limit` records of all heads; none behind the last one of an open input, which may have an earlier one yet."""
    every = Chunk.joined([head.records for head in heads])
    rank = np.repeat(np.array([head.rank for head in heads], np.uint8), [head.records.size for head in heads])
    if len(heads) < 2:
        return _Ordered(rank, every)
    waits_until_ms = np.concatenate([np.maximum.accumulate(head.records.appended_at_ms) for head in heads])
    order = np.argsort(waits_until_ms, kind="stable")  # equal ones by place, which is by rank
    last = np.cumsum([head.records.size for head in heads]) - 1
    stops = [int(np.flatnonzero(order == last[place])[0]) + 1 for place, head in enumerate(heads) if head.open]
    order = order[: min(limit, *stops, len(order))]
    return _Ordered(rank[order], every.picked(order))


def merged(by_topic: Mapping[str, Chunk], topics: Sequence[str], partition: int = 0) -> RecordBatch:
    """The fold order of recorded ranges of one partition: what `Merge` gave when it was live."""
    merge = Merge(topics, partition)
    for topic in topics:
        merge.offer(topic, by_topic.get(topic, NO_RECORDS))
        merge.at_end(topic)
    return merge.take(sum(chunk.size for chunk in by_topic.values()))
