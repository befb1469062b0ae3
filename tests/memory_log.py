"""A partition's log in memory, honest about transactions: nothing sent is seen before its commit, an abort leaves no trace.

`MemoryBroker` is what outlives a lane; each `MemoryLog` is one owner's view of it. `fail(call, error, ...)` makes the next calls of
that name raise, one error each, before they do anything; `refuse` makes all of them.
"""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from agents.partition_log import Fenced, Fetched, Headed, LogError, Pair
from streams.batches import Chunk
from streams.intake import RawRecord

CHANGELOG = "accounts-changelog"


class MemoryBroker:
    """One partition of every topic. `written`: committed records by topic, in order."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.inputs: dict[str, list[RawRecord]] = {topic: [] for topic in topics}
        self.written: dict[str, list[Headed]] = defaultdict(list)
        self.ids = {topic: f"id-of-{topic}" for topic in topics}
        self.silent: set[str] = set()
        self.epoch = 0

    def append(self, topic: str, key: str, at_ms: int, payload: bytes = b"x", offset: int | None = None) -> RawRecord:
        """Put a record at the end of an input; an offset of its own leaves a gap, as transaction markers do."""
        log = self.inputs[topic]
        record = RawRecord(topic, 0, offset if offset is not None else self.end(topic), at_ms, key.encode(), payload)
        log.append(record)
        return record

    def end(self, topic: str) -> int:
        """One past the last record of an input."""
        log = self.inputs[topic]
        return log[-1].offset + 1 if log else 0


class MemoryLog:
    """`PartitionLog` over a MemoryBroker. Inputs in `broker.silent` give neither records nor their end."""

    number = 0

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.calls: list[str] = []
        self.held: set[str] = set()
        self._faults: dict[str, deque[LogError]] = defaultdict(deque)
        self._refused: dict[str, LogError] = {}
        self._open: list[tuple[str, Headed]] | None = None
        self._epoch = 0
        self._at: dict[str, int] = {}
        self._told_end: dict[str, int] = {}

    def fail(self, call: str, *errors: LogError) -> None:
        """Let the next calls of this name raise these errors."""
        self._faults[call].extend(errors)

    def refuse(self, call: str, error: LogError | None) -> None:
        """Let every call of this name raise such an error from now on; None lets them through again."""
        if error is None:
            self._refused.pop(call, None)
        else:
            self._refused[call] = error

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if (refused := self._refused.get(name)) is not None:
            raise type(refused)(*refused.args)
        if self._faults[name]:
            raise self._faults[name].popleft()
        if name in ("begin", "send", "commit", "abort") and self._epoch != self.broker.epoch:
            raise Fenced("a newer owner has opened the partition")

    def open(self) -> None:
        self._called("open")
        self.broker.epoch += 1
        self._epoch = self.broker.epoch

    def topic_ids(self) -> dict[str, str]:
        self._called("topic_ids")
        return dict(self.broker.ids)

    def changelog_end(self) -> int:
        self._called("changelog_end")
        return len(self.broker.written[CHANGELOG])

    def restore(self, end: int) -> Iterator[list[tuple[bytes, bytes | None]]]:
        yield [(record.key or b"", record.payload) for record in self.broker.written[CHANGELOG][:end]]

    def begins(self) -> dict[str, int]:
        return {topic: log[0].offset if log else 0 for topic, log in self.broker.inputs.items()}

    def ends(self) -> dict[str, int]:
        return {topic: self.broker.end(topic) for topic in self.broker.inputs}

    def start(self, positions: Mapping[str, int]) -> None:
        self._at = dict(positions)

    def positions(self) -> dict[str, int]:
        return dict(self._at)

    def fetch(self, limit: int, timeout_s: float) -> Fetched:
        self._called("fetch")
        chunks: dict[str, Chunk] = {}
        left = limit
        ended: set[str] = set()
        for topic, log in self.broker.inputs.items():
            if topic in self.broker.silent or topic in self.held:
                continue
            there = [record for record in log if record.offset >= self._at[topic]][:left]
            if there:
                left -= len(there)
                chunks[topic] = Chunk.of(there)
                self._at[topic] = there[-1].offset + 1
            if self._at[topic] >= self.broker.end(topic) and self._told_end.get(topic) != self._at[topic]:
                self._told_end[topic] = self._at[topic]
                ended.add(topic)
        if not chunks and not ended:
            time.sleep(min(timeout_s, 0.001))  # a thread that drives this log must not spin
        return Fetched(chunks, frozenset(ended))

    def hold(self, topic: str) -> None:
        self.calls.append(f"hold {topic}")
        self.held.add(topic)

    def release(self, topic: str) -> None:
        self.calls.append(f"release {topic}")
        self.held.discard(topic)

    def begin(self) -> None:
        self._called("begin")
        assert self._open is None
        self._open = []

    def send(self, topic: str, records: Sequence[Pair]) -> None:
        self._called("send")
        assert self._open is not None
        self._open.extend((topic, Headed(key, payload, [])) for key, payload in records)

    def send_headed(self, topic: str, records: Sequence[Headed]) -> None:
        self._called("send")
        assert self._open is not None
        self._open.extend((topic, record) for record in records)

    def commit(self) -> None:
        self._called("commit")
        assert self._open is not None
        for topic, record in self._open:
            self.broker.written[topic].append(record)
        self._open = None

    def abort(self) -> None:
        self._called("abort")
        self._open = None

    def close(self) -> None:
        self.calls.append("close")
