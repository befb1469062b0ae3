"""What a record costs a worker's lane before anything is sent: cycles as a lane makes them, in memory, without a broker or threads.

The same records as `throughput`, one partition, batches as a lane takes them under load. Folded before and not counted: the profiles, and
a few interactions for which the compiled code is loaded. `growth` uses the same lane with other numbers of accounts.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from agents.generating.poison import Framed
from agents.unit_of_work import content
from benchmarks.throughput import FIRST_EVENTS
from benchmarks.workload import SPANS_MS, interactions, one_each, profiles
from schemas.codec import Codec
from schemas.records import FoldOrder
from streams.batches import RecordBatch
from streams.cycle import Folded, fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import load_policy

BATCH = 20_000
START_AT_MS = 1_760_000_000_000

Spent = dict[str, float]
"""Seconds of processor time by stage, and how many changelog records there were."""


class MemoryLane:
    """One partition that folds whole batches and writes what a transaction would hold, to nobody."""

    def __init__(self, policy_file: Path) -> None:
        self._policy = load_policy(policy_file)
        self._partition = Partition(0, None, "benchmark", self._policy)
        self._codec = Codec()
        self._offset = 0

    def batches(self, records: Iterable[Framed], appended_at_ms: int) -> Iterator[RecordBatch]:
        """Records as a lane has them, batch after batch."""
        left = iter(records)
        while some := list(islice(left, BATCH)):
            raw = [RawRecord(r.topic, 0, self._offset + place, appended_at_ms, r.key, r.payload) for place, r in enumerate(some)]
            self._offset += len(some)
            yield RecordBatch.of(raw)

    def changes(self, batch: RecordBatch) -> list[tuple[bytes, bytes | None]]:
        """One cycle, for what the changelog gets."""
        return self._fold(batch).changes

    def put_back(self, records: Iterable[list[tuple[bytes, bytes | None]]]) -> None:
        """What a changelog kept, as a restore does it."""
        for block in records:
            self._partition.restore_batch(block)
        self._partition.restored()

    def __len__(self) -> int:
        return len(self._partition)

    def _fold(self, batch: RecordBatch) -> Folded:
        return fold_cycle(self._partition, batch, self._codec, mode="LIVE", decided_at_ms=int(batch.appended_at_ms[-1]))

    def take(self, batch: RecordBatch) -> Spent:
        """One cycle."""
        began_at = time.process_time()
        folded = self._fold(batch)
        folded_at = time.process_time()
        order = FoldOrder(partition=0, ranges=[], tick=None, quarantined=[], mode="LIVE", policy_digest=self._policy.digest)
        content(folded, order, {}, self._codec.encode_all, "/tierstream/benchmark")
        written_at = time.process_time()
        return {
            "fold": folded_at - began_at,
            "write": written_at - folded_at,
            "changes": len(folded.changes),
            "decided": len(folded.outputs),
        }


def measured(policy_file: Path, accounts: int, records: int, tell: Callable[[str], None]) -> Spent:
    """Microseconds of processor time for each record, by stage; and the changelog records and outputs for each record."""
    tell("making records")
    span_ms = SPANS_MS[policy_file.stem]
    lane = MemoryLane(policy_file)
    before = chain(one_each(min(accounts, FIRST_EVENTS), START_AT_MS), profiles(accounts, START_AT_MS))
    for batch in lane.batches(before, START_AT_MS + span_ms):
        lane.take(batch)
    made = list(lane.batches(interactions(accounts, records, START_AT_MS, span_ms), START_AT_MS + span_ms))
    tell(f"folding {records:,}")
    return summed((lane.take(batch) for batch in made), records)


def summed(cycles: Iterable[Spent], records: int) -> Spent:
    """For each record: microseconds in the two stages, and counts."""
    total: Spent = {}
    for spent in cycles:
        for name, amount in spent.items():
            total[name] = total.get(name, 0.0) + amount
    scale = {"fold": 1e6, "write": 1e6}
    return {name: amount * scale.get(name, 1.0) / records for name, amount in total.items()}
