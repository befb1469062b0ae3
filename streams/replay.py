"""The same fold over a whole log in memory: for backtests, disputes, golden tests and the command `replay`.

From a file, lines are folded in the order they stand in; what a line does not say is filled: partition 0, the next offset
of its topic, append time = occurred_at, and the decision is made the moment the record is appended. From the live log,
`fold-order` says which offsets each transaction folded, and the merge rule gives their order again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from schemas.errors import RecordRejected
from schemas.records import Event, FoldOrder, Mode, Tick
from streams.account import Output
from streams.batches import Chunk
from streams.cycle import Decoder, fold_cycle
from streams.intake import RawRecord
from streams.merge import merged
from streams.partition import Partition
from streams.policy.compiled import CompiledPolicy


class LoggedEvent(NamedTuple):
    """A record of a log in a file, with what the line said of its place, if anything."""

    topic: str
    record: Event | Tick
    partition: int = 0
    offset: int | None = None
    appended_at_ms: int | None = None


class Refused(NamedTuple):
    """A record that a live worker would have sent to `dead-letters`."""

    event: LoggedEvent
    rejection: RecordRejected


class FileReplay:
    """Folds a log record by record; each partition named in it has accounts of its own."""

    def __init__(self, application: str, policy: CompiledPolicy, mode: Mode = "LIVE", *, guarded: bool = True) -> None:
        self._application, self._policy, self._mode, self._guarded = application, policy, mode, guarded
        self._partitions: dict[int, Partition] = {}
        self._next_offset: Counter[tuple[str, int]] = Counter()

    def fold(self, event: LoggedEvent) -> list[Output] | Refused:
        """The outputs of one record or tick; nothing for a topic that the policy does not read."""
        if isinstance(event.record, Tick):
            return self._ticked(event.partition, event.record)
        if event.topic not in self._policy.inputs:
            return []
        raw = self._placed(event, event.record)
        try:
            return self.partition(event.partition).fold(raw, event.record, self._mode, raw.appended_at_ms).outputs
        except RecordRejected as rejection:
            return Refused(event, rejection)
        finally:
            self.partition(event.partition).take_changes()

    def partition(self, number: int) -> Partition:
        """The accounts of one partition."""
        if number not in self._partitions:
            self._partitions[number] = Partition(number, None, self._application, self._policy, guarded=self._guarded)
        return self._partitions[number]

    def _ticked(self, number: int, tick: Tick) -> list[Output]:
        partition = self.partition(number)
        outputs = partition.fold_tick(tick.at, self._mode, tick.at)
        partition.take_changes()
        return outputs

    def _placed(self, event: LoggedEvent, record: Event) -> RawRecord:
        place = (event.topic, event.partition)
        offset = self._next_offset[place] if event.offset is None else event.offset
        self._next_offset[place] = offset + 1
        appended_at_ms = record.occurred_at if event.appended_at_ms is None else event.appended_at_ms
        return RawRecord(event.topic, event.partition, offset, appended_at_ms, record.account_id.encode(), None)


def refolded(partition: Partition, log: Iterable[tuple[FoldOrder, Mapping[str, Chunk]]], codec: Decoder) -> Iterator[list[Output]]:
    """The outputs of a partition's live log, transaction by transaction: fold-order records with the ranges they name.

    Equal to what was published, but for `decided_at` and `lag_ms`.
    """
    for order, ranges in log:
        quarantined = frozenset((record.topic, record.offset) for record in order.quarantined)
        records = merged(ranges, (*partition.policy.inputs, "ticks"), partition.number)
        tick_ms = order.tick.at if order.tick is not None else None
        yield fold_cycle(partition, records, codec, mode=order.mode, decided_at_ms=0, quarantined=quarantined, tick_ms=tick_ms).outputs
