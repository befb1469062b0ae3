"""A broker in memory with Kafka's semantics: what the clients of a lane find at the other end of the wire.

- A partition is a row of offsets, each used once: records, and markers that end a transaction there.
- Reading is read_committed and stops at the last stable offset, before the first record of a transaction that has no marker yet. What
  was aborted is never seen.
- A transactional id belongs to whoever enlisted it last; everybody before is fenced, and what they left undecided is aborted.
- The coordinator decides a transaction in one moment; its markers may come later, partition by partition (`dawdling`, `settle`). Nobody can
  enlist meanwhile.
- Compaction keeps the newest record of each key and moves no offset.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

from agents.partition_log import Fatal, Fenced, Headed, Retriable

CHANGELOG = "accounts-changelog"
_OFFSET = attrgetter("offset")
Place = tuple[str, int]
"""Topic and partition."""


class Transaction:
    """One transaction of one author. `outcome`: None while it is undecided, then whether it was committed."""

    def __init__(self, author: str, epoch: int) -> None:
        self.author, self.epoch = author, epoch
        self.outcome: bool | None = None
        self.places: dict[Place, None] = {}
        self.unmarked: dict[Place, None] = {}


class Record(NamedTuple):
    """One record in its place. `transaction` None: it was written outside of any."""

    offset: int
    at_ms: int
    key: bytes | None
    payload: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    transaction: Transaction | None = None


class MemoryPartition:
    """One partition of a topic: [begin, end) with gaps where markers are and where compaction has been.

    `ever` keeps what compaction and retention have taken away, for who judges afterwards.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.ever: list[Record] = []
        self.begin = self.end = 0
        self._open: dict[Transaction, int] = {}

    def append(
        self, at_ms: int, key: bytes | None, payload: bytes | None, headers: Sequence[tuple[str, bytes | None]] = (),
        transaction: Transaction | None = None, offset: int | None = None,
    ) -> Record:  # fmt: skip
        """Put a record at the end; an offset of its own leaves a gap."""
        record = Record(self.end if offset is None else offset, at_ms, key, payload, headers, transaction)
        self.records.append(record)
        self.ever.append(record)
        self.end = record.offset + 1
        if transaction is not None:
            self._open.setdefault(transaction, record.offset)
        return record

    def mark(self, transaction: Transaction) -> None:
        """The marker that ends a transaction here."""
        self._open.pop(transaction, None)
        self.end += 1

    @property
    def stable_end(self) -> int:
        """The last stable offset."""
        return min(self._open.values(), default=self.end)

    def committed(self, from_offset: int = 0) -> list[Record]:
        """What a read_committed reader sees from an offset on."""
        place, stable_end = bisect_left(self.records, from_offset, key=_OFFSET), self.stable_end
        return [record for record in self.records[place:] if record.offset < stable_end and _is_seen(record)]

    def ever_committed(self) -> list[Record]:
        """All that was committed here, whatever is left of it."""
        return [record for record in self.ever if _is_seen(record)]

    def compact(self) -> None:
        """Of what is stable keep the newest committed record of each key."""
        newest = {record.key: record.offset for record in self.committed()}
        stable_end = self.stable_end
        self.records = [each for each in self.records if each.offset >= stable_end or (_is_seen(each) and newest[each.key] == each.offset)]

    def delete_before(self, offset: int) -> None:
        """Retention has come as far as this offset."""
        self.begin = max(self.begin, min(offset, self.end))
        self.records = self.records[bisect_left(self.records, self.begin, key=_OFFSET) :]


def _is_seen(record: Record) -> bool:
    return record.transaction is None or record.transaction.outcome is True


class MemoryBroker:
    """Topics, and the coordinator of transactions. `inputs` are those that a lane reads, by rank."""

    def __init__(self, inputs: Sequence[str], clock: Callable[[], int] = lambda: 0) -> None:
        self.inputs, self.clock = tuple(inputs), clock
        self.ids = {topic: f"id-of-{topic}" for topic in (*inputs, CHANGELOG)}
        self.silent: set[str] = set()
        self.dawdling = 0
        """So many markers of each transaction are left to `settle`."""
        self.decided: list[Transaction] = []
        self._partitions: dict[Place, MemoryPartition] = defaultdict(MemoryPartition)
        self._epochs: dict[str, int] = defaultdict(int)
        self._latest: dict[str, Transaction] = {}

    def partition(self, topic: str, number: int = 0) -> MemoryPartition:
        """One partition of a topic."""
        return self._partitions[topic, number]

    def append(self, topic: str, key: str, at_ms: int, payload: bytes = b"x", offset: int | None = None) -> Record:
        """Put a record at the end of an input's partition 0; an offset of its own leaves a gap, as transaction markers do."""
        return self.partition(topic).append(at_ms, key.encode(), payload, offset=offset)

    def committed(self, topic: str, number: int = 0) -> list[Record]:
        """What anybody reads of one partition."""
        return self.partition(topic, number).committed()

    def latest(self, transactional_id: str) -> Transaction | None:
        """The last transaction under this id."""
        return self._latest.get(transactional_id)

    # -- the coordinator -----------------------------------------------------------------------------------------------

    def enlist(self, transactional_id: str) -> int:
        """A new owner's epoch. Raises Retriable while a transaction of the one before is being settled."""
        transaction = self._latest.get(transactional_id)
        if transaction is not None and transaction.outcome is None:
            self._epochs[transactional_id] += 1  # from now on the former owner is fenced
            self._decide(transaction, commit=False)
        if transaction is not None and transaction.unmarked:
            self.settle(transaction, most=1)
            raise Retriable("CONCURRENT_TRANSACTIONS: the transaction before is being settled")
        self._epochs[transactional_id] += 1
        return self._epochs[transactional_id]

    def write(self, transactional_id: str, author: str, epoch: int, place: Place, records: Sequence[Headed]) -> None:
        """Put records into the author's open transaction, which the first ones begin. Raises Fenced."""
        self._check(transactional_id, epoch)
        transaction = self._latest.get(transactional_id)
        if transaction is None or transaction.outcome is not None:
            if transaction is not None:
                self.settle(transaction)  # a client waits for that by itself
            transaction = self._latest[transactional_id] = Transaction(author, epoch)
        transaction.places[place] = transaction.unmarked[place] = None
        for record in records:
            self.partition(*place).append(self.clock(), record.key, record.payload, record.headers, transaction)

    def decide(self, transactional_id: str, epoch: int, *, commit: bool) -> None:
        """Commit or abort the open transaction; asked again, the answer is the same. Raises Fenced."""
        self._check(transactional_id, epoch)
        transaction = self._latest.get(transactional_id)
        if transaction is None or transaction.epoch != epoch:
            return  # nothing of it has come here
        if transaction.outcome is None:
            self._decide(transaction, commit)
        elif transaction.outcome is not commit:
            raise Fatal("INVALID_TXN_STATE: the transaction was decided otherwise")

    def time_out(self, transactional_id: str) -> None:
        """The coordinator has waited too long: what is undecided is aborted, and its author fenced."""
        transaction = self._latest.get(transactional_id)
        if transaction is not None and transaction.outcome is None:
            self._epochs[transactional_id] += 1
            self._decide(transaction, commit=False)
            self.settle(transaction)

    def settle(self, transaction: Transaction, most: int | None = None) -> None:
        """Write the markers that are left, or so many of them."""
        for place in list(transaction.unmarked)[:most]:
            del transaction.unmarked[place]
            self.partition(*place).mark(transaction)

    def settle_all(self) -> None:
        """Write every marker that is left."""
        for transaction in self._latest.values():
            if transaction.outcome is not None:
                self.settle(transaction)

    def _decide(self, transaction: Transaction, commit: bool) -> None:
        transaction.outcome = commit
        self.decided.append(transaction)
        self.settle(transaction, max(len(transaction.unmarked) - self.dawdling, 0))

    def _check(self, transactional_id: str, epoch: int) -> None:
        if epoch != self._epochs[transactional_id]:
            raise Fenced("a newer owner has enlisted")
