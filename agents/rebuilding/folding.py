"""One partition of an application, folded from the turns of another, a batch of them in one transaction.

Rules: each turn has a `fold-order` record of its own, so that what was made here is replayed as anything else; in the same transaction
lies how far in the other's fold-order it is, so a rebuild that was killed goes on where it was; all that is published is of mode REBUILD.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import msgspec

from agents.clocks import wall_clock
from agents.counters import LaneCounters
from agents.partition_log import PartitionLog
from agents.rebuilding.source import Turn
from agents.recovery import Ground
from agents.unit_of_work import CHANGELOG, FOLD_ORDER, UnitOfWork, content
from schemas.changelog import REBUILT_KEY, Progress, rebuilt_payload
from schemas.codec import Codec
from schemas.records import FoldedTick, FoldOrder
from streams.cycle import Folded, fold_cycle
from streams.merge import merged
from streams.partition import Partition

BATCH_RECORDS = 20_000
BATCH_TURNS = 2_000


class Refolded(NamedTuple):
    """A turn, what it gave, and the record that says how it was folded here."""

    turn: Turn
    records: int
    folded: Folded
    order: FoldOrder


def refolded(partition: Partition, turns: Iterator[Turn], topics: Sequence[str], codec: Codec) -> Iterator[Refolded]:
    """Each turn folded into the partition, in mode REBUILD."""
    for turn in turns:
        tick, here = turn.order.tick, {each.topic for each in turn.ranges}
        order = FoldOrder(
            partition=partition.number,
            ranges=turn.ranges,
            tick=FoldedTick(at=tick.at, previous=partition.last_tick_ms) if tick is not None else None,
            mode="REBUILD",
            policy_digest=partition.policy.digest,
            quarantined=[each for each in turn.order.quarantined if each.topic in here],
        )
        records = merged(turn.chunks, tuple(topics), partition.number)
        folded = fold_cycle(
            partition, records, codec, mode="REBUILD", decided_at_ms=wall_clock(),
            quarantined=frozenset((each.topic, each.offset) for each in order.quarantined),
            tick_ms=tick.at if tick is not None else None,
        )  # fmt: skip
        yield Refolded(turn, len(records), folded, order)


class Writer:
    """Commits what was folded. `on_read` is told how many records each transaction took."""

    def __init__(self, log: PartitionLog, ground: Ground, digest: str, application: str, codec: Codec) -> None:
        self._work = UnitOfWork(log, LaneCounters(), nullcontext(), time.sleep)
        self._ground, self._digest, self._application, self._codec = ground, digest, application, codec
        assert ground.rebuilt is not None, "who writes for a rebuild has marked the partition"
        self.rebuilt = ground.rebuilt

    def write(self, partition: Partition, all_refolded: Iterator[Refolded], on_read: Callable[[int], None]) -> None:
        """Everything, a transaction for each batch."""
        batch, records = list[Refolded](), 0
        for each in all_refolded:
            batch.append(each)
            records += each.records
            if len(batch) == BATCH_TURNS or records >= BATCH_RECORDS:
                self._commit(batch, partition)
                on_read(records)
                batch, records = [], 0
        if batch:
            self._commit(batch, partition)
            on_read(records)

    def _commit(self, batch: Sequence[Refolded], partition: Partition) -> None:
        last = batch[-1]
        positions = (
            self._ground.positions | self.rebuilt.positions | {each.topic: each.to_offset for one in batch for each in one.turn.ranges}
        )
        self.rebuilt = msgspec.structs.replace(
            self.rebuilt, next_offset=last.turn.next_offset, at_work=True, positions=positions, tick_ms=partition.last_tick_ms
        )
        records = content(_joined(batch), last.order, self._progress(positions), self._codec.encode_all, self._application)
        records.plain[CHANGELOG].append((REBUILT_KEY, rebuilt_payload(self.rebuilt)))
        records.plain[FOLD_ORDER] = [(str(one.order.partition).encode(), self._codec.encode(one.order)) for one in batch]
        self._work.commit(records, self._work.send(records))

    def _progress(self, positions: Mapping[str, int]) -> dict[str, Progress]:
        ground = self._ground
        return {
            topic: Progress(positions[topic], self._digest, ground.topic_ids[topic], changelog_id=ground.changelog_id)
            for topic in positions
        }


def _joined(batch: Sequence[Refolded]) -> Folded:
    """What several turns gave; of the changes of one account the last."""
    first = batch[0].folded
    changes = {key: payload for each in batch for key, payload in each.folded.changes}
    outputs, dead = [said for each in batch for said in each.folded.outputs], [letter for each in batch for letter in each.folded.dead]
    return first._replace(outputs=outputs, dead=dead, changes=list(changes.items()))
