"""`PartitionLog` over a broker in memory: one owner's clients, as `KafkaLog` is one owner's clients on a real one.

Records that are sent wait in the client until the commit delivers them, so a zombie learns there that it is one. `fail(call, error, ...)`
makes the next calls of that name raise, one error each, before they do anything; `refuse` makes all of them. A simulation overrides
`_asked` and `_answered`: what happens before a call does anything, and after it has been done but before its caller hears of it.
"""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from agents.partition_log import AbortRequired, Fatal, Fenced, Fetched, Headed, LogError, Pair, PositionLost
from streams.batches import Chunk
from streams.intake import RawRecord
from tests.memory_broker import CHANGELOG, MemoryBroker, Record

_RESTORE_BATCH = 20


class MemoryLog:
    """One owner of partition `number`. Inputs in `broker.silent` give neither records nor their end."""

    def __init__(self, broker: MemoryBroker, number: int = 0, author: str = "owner") -> None:
        self.broker, self.number, self.author = broker, number, author
        self.transactional_id = f"lane-{number}"
        self.calls: list[str] = []
        self.held: set[str] = set()
        self._faults: dict[str, deque[LogError]] = defaultdict(deque)
        self._refused: dict[str, LogError] = {}
        self._epoch = 0
        self._sent: list[tuple[str, Headed]] | None = None
        self._reached = False  # the broker knows of the open transaction
        self._ended_by: LogError | None = None
        self._at: dict[str, int] = {}
        self._restored_to = 0
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

    def _asked(self, call: str) -> None:
        """A call begins."""
        self.calls.append(call)
        if (refused := self._refused.get(call)) is not None:
            raise type(refused)(*refused.args)
        if self._faults[call]:
            raise self._faults[call].popleft()
        if self._ended_by is not None and call in ("begin", "send", "commit", "abort"):
            raise self._ended_by

    def _answered(self, call: str) -> None:
        """A call has done what it does."""

    # -- taking the partition ------------------------------------------------------------------------------------------

    def open(self) -> None:
        self._asked("open")
        self._epoch = self.broker.enlist(self.transactional_id)
        self._answered("open")

    def topic_ids(self) -> dict[str, str]:
        self._asked("topic_ids")
        return dict(self.broker.ids)

    def changelog_end(self) -> int:
        self._asked("changelog_end")
        return self.broker.partition(CHANGELOG, self.number).end

    def restore(self, end: int) -> Iterator[list[tuple[bytes, bytes | None]]]:
        changelog, at = self.broker.partition(CHANGELOG, self.number), 0
        while at < end:
            self._asked("restore")
            some = changelog.committed(at)[:_RESTORE_BATCH]
            at = self._restored_to = some[-1].offset + 1 if len(some) == _RESTORE_BATCH else changelog.stable_end
            yield [(record.key or b"", record.payload) for record in some]
            self._answered("restore")

    def restored_to(self) -> int:
        return self._restored_to

    def begins(self) -> dict[str, int]:
        self._asked("begins")
        return {topic: self.broker.partition(topic, self.number).begin for topic in self.broker.inputs}

    def ends(self) -> dict[str, int]:
        self._asked("ends")
        return {topic: self.broker.partition(topic, self.number).stable_end for topic in self.broker.inputs}

    # -- reading -------------------------------------------------------------------------------------------------------

    def start(self, positions: Mapping[str, int]) -> None:
        self._at = dict(positions)

    def positions(self) -> dict[str, int]:
        return dict(self._at)

    def fetch(self, limit: int, timeout_s: float) -> Fetched:
        self._asked("fetch")
        chunks: dict[str, Chunk] = {}
        ended: set[str] = set()
        for topic in self.broker.inputs:
            if topic in self.broker.silent or topic in self.held:
                continue
            there = self._there(topic)
            if fetched := there[: self._share(topic, min(limit, len(there)))]:
                limit -= len(fetched)
                chunks[topic] = Chunk.of([RawRecord(topic, self.number, r.offset, r.at_ms, r.key, r.payload) for r in fetched])
                self._at[topic] = fetched[-1].offset + 1
            if len(fetched) == len(there) and self._tells_end(topic):
                ended.add(topic)
        if not chunks and not ended:
            self._idle(timeout_s)
        self._answered("fetch")
        return Fetched(chunks, frozenset(ended))

    def _there(self, topic: str) -> list[Record]:
        """What could be fetched. Raises PositionLost."""
        partition, at = self.broker.partition(topic, self.number), self._at[topic]
        if not partition.begin <= at <= partition.end:
            raise PositionLost(f"the next record to read is gone: {topic} has [{partition.begin}, {partition.end}), not {at}")
        return partition.committed(at)

    def _tells_end(self, topic: str) -> bool:
        """Whether the end is reached, and is another one than the last that was told."""
        end = self.broker.partition(topic, self.number).stable_end
        if end < self._at[topic] or self._told_end.get(topic) == end:
            return False
        self._at[topic] = self._told_end[topic] = end
        return True

    def _share(self, _topic: str, there: int) -> int:
        """How many of the records that are there come with this fetch."""
        return there

    def _idle(self, timeout_s: float) -> None:
        """Nothing came: a thread that drives this log must not spin."""
        time.sleep(min(timeout_s, 0.001))

    def hold(self, topic: str) -> None:
        self.calls.append(f"hold {topic}")
        self.held.add(topic)

    def release(self, topic: str) -> None:
        self.calls.append(f"release {topic}")
        self.held.discard(topic)

    # -- one transaction -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self._asked("begin")
        if self._sent is not None or not self._epoch:
            raise Fatal("_STATE: a transaction begins behind another one, and after the partition was opened")
        self._sent, self._reached = [], False
        self._answered("begin")

    def send(self, topic: str, records: Sequence[Pair]) -> None:
        self.send_headed(topic, [Headed(key, payload, []) for key, payload in records])

    def send_headed(self, topic: str, records: Sequence[Headed]) -> None:
        self._asked("send")
        if self._sent is None:
            raise AbortRequired("_STATE: no transaction is open")
        self._sent.extend((topic, record) for record in records)
        self._answered("send")

    def commit(self) -> None:
        self._asked("commit")
        if self._sent is None:
            raise Fatal("_STATE: no transaction is open")
        self.deliver(len(self._sent))
        self._decide(commit=True)
        self._answered("commit")
        self._sent = None

    def abort(self) -> None:
        self._asked("abort")
        if self._sent is None:
            raise Fatal("_STATE: no transaction is open")
        self._decide(commit=False)
        self._answered("abort")
        self._sent = None

    def deliver(self, most: int) -> None:
        """So many of the records that wait in the client reach the broker."""
        assert self._sent is not None
        going, self._sent = self._sent[:most], self._sent[most:]
        with self._once_fenced_for_ever():
            for topic, record in going:
                self._reached = True
                self.broker.write(self.transactional_id, self.author, self._epoch, (topic, self.number), [record])

    def _decide(self, *, commit: bool) -> None:
        if not self._reached:
            return  # nothing to decide: the client answers by itself
        with self._once_fenced_for_ever():
            self.broker.decide(self.transactional_id, self._epoch, commit=commit)

    @contextmanager
    def _once_fenced_for_ever(self) -> Iterator[None]:
        try:
            yield
        except Fenced as fenced:
            self._ended_by = fenced
            raise

    def close(self) -> None:
        self.calls.append("close")
