"""What a lane has read of its inputs and not folded yet: merged by append time, without replays, in bounded memory."""

from collections.abc import Mapping

import numpy as np

from agents.counters import LaneCounters
from agents.partition_log import PartitionLog
from streams.batches import Chunk, RecordBatch
from streams.merge import Merge

HELD_BYTES = 16_000_000
"""A lane that holds so much of its inputs reads on only where it must, to settle an order: that bounds its memory."""


class Inbox:
    """Reads `topics` (logical names in merge rank order) for cycles of so many records. One caller at a time."""

    def __init__(self, log: PartitionLog, topics: tuple[str, ...], batch_records: int, counters: LaneCounters) -> None:
        self._log, self._topics, self._batch_records, self._counters = log, topics, batch_records, counters
        self._merge = Merge(topics, log.number)
        self._held: set[str] = set()
        self._held_bytes = 0
        self._expected: dict[str, int] = {}

    def start(self, positions: Mapping[str, int]) -> None:
        """The next offset of each topic."""
        self._expected = dict(positions)

    def waiting(self) -> int:
        """Records that were read and not taken."""
        return sum(map(self._merge.buffered, self._topics))

    def buffered(self, topic: str) -> int:
        """Those of one topic."""
        return self._merge.buffered(topic)

    def take(self, records: int) -> RecordBatch:
        """So many records at most, of those whose order is settled."""
        taken = self._merge.take(records)
        self._held_bytes -= taken.payloads.size
        return taken

    def gather(self, timeout_s: float, *, at_once: bool) -> None:
        """Read what is there; waits only if nothing is buffered that could be folded, and never where it is to come back `at_once`."""
        waiting, starving = self.waiting(), self._merge.starving()
        if (waiting >= self._batch_records or self._held_bytes >= HELD_BYTES) and not starving:
            return
        self._bound()  # what has room again is fetched at once
        busy = at_once or (waiting and not starving)
        fetched = self._log.fetch(self._batch_records, 0 if busy else timeout_s)
        for topic, chunk in fetched.chunks.items():
            fresh = self._fresh(topic, chunk)
            self._merge.offer(topic, fresh)
            self._held_bytes += fresh.payloads.size
        for topic in fetched.ended:
            self._merge.at_end(topic)
        self._bound()

    def _fresh(self, topic: str, chunk: Chunk) -> Chunk:
        """The records past all that were read already; the others are replays of the log's own, counted and dropped."""
        fresh = chunk.offset > np.maximum.accumulate(np.concatenate([[self._expected[topic] - 1], chunk.offset[:-1]]))
        if not fresh.all():
            self._counters.replayed += chunk.size - int(np.count_nonzero(fresh))
            chunk = chunk.picked(np.flatnonzero(fresh))
        if chunk.size:
            self._expected[topic] = int(chunk.offset[-1]) + 1
        return chunk

    def _bound(self) -> None:
        """An input far ahead of one that has nothing to show yet is held, and released when half of its buffer is folded.

        So is every input that has something here while all of it is too large; one that has nothing is never held, others may wait for it.
        """
        most, heavy = 2 * self._batch_records, self._held_bytes > 2 * HELD_BYTES
        for topic in self._topics:
            buffered = self._merge.buffered(topic)
            self._counters.buffered[topic] = buffered
            if topic not in self._held and (buffered > most or (heavy and buffered)):
                self._log.hold(topic)
                self._held.add(topic)
            elif topic in self._held and (not buffered or (buffered <= most // 2 and self._held_bytes <= HELD_BYTES)):
                self._log.release(topic)
                self._held.discard(topic)
