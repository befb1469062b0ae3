"""What a run has left behind in one partition, as those who judge it want it: read once, decoded once."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from schemas.codec import Codec
from schemas.records import AccountTiers, Action, FoldedRange, FoldOrder, HotLead, TierTransition
from streams.account import Output
from streams.batches import Chunk
from streams.intake import RawRecord
from streams.partition import Partition
from streams.replay import refolded
from tests.memory_broker import CHANGELOG, Record, Transaction
from tests.simulation.owners import APPLICATION
from tests.simulation.policies import policy_of
from tests.simulation.schedules import Kind
from tests.simulation.world import World

CODEC = Codec()
PUBLISHED: dict[str, type[Any]] = {
    "tier-transitions": TierTransition, "account-tiers": AccountTiers, "actions": Action, "hot-leads": HotLead,
}  # fmt: skip


class Again(NamedTuple):
    """One transaction folded again: what it would publish, and what it would write to the changelog."""

    outputs: list[Output]
    changes: list[tuple[bytes, bytes | None]]


class Evidence:
    """One partition of a run that has ended."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.schedule, self.number = world, world.schedule, number
        self.transactions: list[Transaction] = world.transactions(number)

    @property
    def moved(self) -> bool:
        """Whether owners of different versions have written rows."""
        return any(fault.kind is Kind.LAYOUT for fault in self.world.struck)

    def written(self, topic: str) -> list[Record]:
        """All that was ever committed to this partition of a topic."""
        return self.world.broker.partition(topic, self.number).ever_committed()

    @cached_property
    def inputs(self) -> dict[str, list[Record]]:
        """All that was to be folded."""
        return {topic: self.written(topic) for topic in self.world.topics}

    @cached_property
    def orders(self) -> list[FoldOrder]:
        """What was folded, transaction by transaction."""
        return [CODEC.decode_as(FoldOrder, record.payload) for record in self.written("fold-order")]

    def range(self, topic: str, from_offset: int, to_offset: int) -> list[Record]:
        """The records of a range that `fold-order` names."""
        return [record for record in self.inputs[topic] if from_offset <= record.offset < to_offset]

    def _log(self) -> Iterator[tuple[FoldOrder, dict[str, Chunk]]]:
        for order in self.orders:
            yield order, {part.topic: self._chunk(part) for part in order.ranges}

    def _chunk(self, part: FoldedRange) -> Chunk:
        records = self.range(part.topic, part.from_offset, part.to_offset)
        return Chunk.of([RawRecord(part.topic, self.number, r.offset, r.at_ms, r.key, r.payload) for r in records])

    @cached_property
    def again(self) -> list[Again]:
        """The log folded once more, the other way: by Python what compiled code has folded, and the other way round."""
        policy, schedule = policy_of(self.schedule.policy), self.schedule
        partition = _Watched(self.number, schedule.partitions, APPLICATION, policy, forward=schedule.folded_by == "python")
        return [Again(outputs, partition.taken) for outputs in refolded(partition, self._log(), CODEC)]

    def changelog_of(self, transaction: Transaction) -> dict[bytes | None, bytes | None]:
        """What a transaction wrote there."""
        records = self.world.broker.partition(CHANGELOG, self.number).ever
        return {record.key: record.payload for record in records if record.transaction is transaction}


class _Watched(Partition):
    """A partition that remembers the changes last taken."""

    taken: list[tuple[bytes, bytes | None]]

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        self.taken = super().take_changes()
        return self.taken
