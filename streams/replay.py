"""The same fold over a whole log in memory: for backtests, disputes, golden tests and the command `replay`.

From a file, records are folded in the order they stand in; what a line does not say is filled: partition 0, the next offset
of its topic, append time = occurred_at, and the decision is made the moment the record is appended. From the live log,
`fold-order` says which offsets each transaction folded, and the merge rule gives their order again. Both fold in batches, as a
lane does: dull records in compiled code.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.log_files import NOWHERE
from schemas.records import Event, FoldOrder, Mode, PolicyActivated, Tick
from streams.account import Output
from streams.batches import Chunk, RecordBatch
from streams.cycle import Tally, fold_all, fold_cycle
from streams.intake import Decoder, RawRecord
from streams.merge import merged
from streams.partition import Partition
from streams.policy.compiled import CompiledPolicy


class LoggedEvent(NamedTuple):
    """A record of a log in a file, with what the line said of its place, if anything."""

    topic: str
    record: Event | PolicyActivated | Tick
    partition: int = 0
    offset: int | None = None
    appended_at_ms: int | None = None


class Refused(NamedTuple):
    """A record that a live worker would have sent to `dead-letters`."""

    raw: RawRecord
    rejection: RecordRejected


Said = list[Output] | Refused
"""What one record gives."""


class FileReplay:
    """Folds a log; each partition named in it has accounts of its own. `handed` says why records were left to Python, and how many."""

    def __init__(self, application: str, policy: CompiledPolicy, mode: Mode = "LIVE", *, guarded: bool = True) -> None:
        self._application, self._policy, self._mode, self._guarded = application, policy, mode, guarded
        self._codec = Codec(compiled=True)
        self._read = frozenset((*policy.folded, "ticks"))
        self._partitions: dict[int, Partition] = {}
        self._next_offset: Counter[tuple[str, int]] = Counter()
        self._tally = Tally(Counter(), Counter())

    @property
    def handed(self) -> Counter[str]:
        """Records of `interactions` that compiled code left to Python, by why."""
        return self._tally.handed

    def fold(self, event: LoggedEvent) -> Said:
        """The outputs of one record or tick; nothing for a topic that the policy does not read."""
        for _, said in self.fold_all([event]):
            return said
        return []

    def fold_all(self, events: Sequence[LoggedEvent]) -> list[tuple[int, Said]]:
        """Many records at once: what they give, with the place in `events` of the one that gave it, in order."""
        places: dict[int, list[int]] = {}
        for place, event in enumerate(events):
            if event.topic in self._read:
                places.setdefault(event.partition, []).append(place)
        found: list[tuple[int, Said]] = []
        for its in places.values():
            batch = RecordBatch.of([self._placed(events[place]) for place in its])
            found += [(its[place], said) for place, said in self.fold_batch(batch)]
        return sorted(found, key=lambda each: each[0])

    def fold_batch(self, batch: RecordBatch) -> Iterator[tuple[int, Said]]:
        """Records of one partition in their order: what they give, with their places in the batch. Must be taken to its end."""
        partition = self.partition(batch.partition)
        for place, said in fold_all(partition, batch, self._codec, self._tally, mode=self._mode):
            if isinstance(said, RecordRejected):
                yield place, Refused(batch[place], said)
            elif said:
                yield place, said
        partition.keep_changes()

    def reads(self, topic: str) -> bool:
        """Whether the policy makes anything of a topic."""
        return topic in self._read

    @property
    def partitions(self) -> list[Partition]:
        """Those that have accounts so far."""
        return [self._partitions[number] for number in sorted(self._partitions)]

    def partition(self, number: int) -> Partition:
        """The accounts of one partition."""
        if number not in self._partitions:
            self._partitions[number] = Partition(number, None, self._application, self._policy, guarded=self._guarded)
        return self._partitions[number]

    def _placed(self, event: LoggedEvent) -> RawRecord:
        """The record as it would lie in its topic."""
        record = event.record
        payload = self._codec.encode(record)
        if isinstance(record, Tick):
            return RawRecord(event.topic, event.partition, NOWHERE, record.at, None, payload)
        place = (event.topic, event.partition)
        offset = self._next_offset[place] if event.offset is None else event.offset
        self._next_offset[place] = offset + 1
        appended_at_ms = record.occurred_at if event.appended_at_ms is None else event.appended_at_ms
        key = record.account_id.encode() if isinstance(record, Event) else None
        return RawRecord(event.topic, event.partition, offset, appended_at_ms, key, payload)


def refolded(partition: Partition, log: Iterable[tuple[FoldOrder, Mapping[str, Chunk]]], codec: Decoder) -> Iterator[list[Output]]:
    """The outputs of a partition's live log, transaction by transaction: fold-order records with the ranges they name.

    Equal to what was published, but for `decided_at` and `lag_ms`.
    """
    for order, ranges in log:
        quarantined = frozenset((record.topic, record.offset) for record in order.quarantined)
        records = merged(ranges, (*partition.policy.folded, "ticks"), partition.number)
        tick_ms = order.tick.at if order.tick is not None else None
        yield fold_cycle(
            partition, records, codec, mode=order.mode, decided_at_ms=0, quarantined=quarantined, tick_ms=tick_ms,
            decided_to=order.decided_to,
        ).outputs  # fmt: skip
