"""Does the live log say what was published? Folds what lies in Kafka again, in the recorded order, and compares.

Rules: `fold-order` says which offsets each transaction folded and in which mode; the merge rule gives their order again. What
comes out must equal `tier-transitions` of this application record by record, but for `decided_at` and `lag_ms`, which say
when, not what. One partition after the other, a few thousand records of each input in memory at a time.
"""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec
import numpy as np

from agents.reading import committed_chunks, committed_records, partitions_of
from agents.settings import Settings
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.records import FoldOrder, TierTransition
from streams.batches import NO_RECORDS, Chunk, RecordBatch
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy
from streams.replay import refolded

WHEN_NOT_WHAT = ("decided_at", "lag_ms")


class Difference(NamedTuple):
    """A place where the log and what was published do not agree. `offset` is that in `tier-transitions`, None if it is missing there."""

    partition: int
    offset: int | None
    account_id: str
    message: str


class Published(NamedTuple):
    """A transition as it lies in `tier-transitions`."""

    offset: int
    transition: TierTransition


class LiveReplay:
    """The comparison, partition by partition; `transitions` counts what was folded again."""

    def __init__(self, settings: Settings, policy: CompiledPolicy) -> None:
        self._settings, self._policy, self._codec = settings, policy, Codec()
        self.partitions = partitions_of(settings, "tier-transitions")
        self.transitions = 0
        self.transactions = 0

    def differences(self) -> Iterator[Difference]:
        """Every difference. Raises SettingsError if the log was folded by another policy."""
        for number in range(self.partitions):
            yield from self._compared(number)

    def _compared(self, number: int) -> Iterator[Difference]:
        # What was published is read first: the engine goes on, and then the fold order covers at least that much.
        published = list(self._published(number))
        for again, entry in zip_longest(self.refolded(number), published):
            if entry is None:
                return  # the engine went on between the two readings
            if again is None:
                message = f"sequence {entry.transition.sequence} was published, but the log does not say so"
                yield Difference(number, entry.offset, entry.transition.account_id, message)
            elif differing := _differing(again, entry.transition):
                yield Difference(number, entry.offset, entry.transition.account_id, differing)

    def _published(self, number: int) -> Iterator[Published]:
        for raw in committed_records(self._settings, "tier-transitions", partitions=[number]):
            transition = self._codec.decode_as(TierTransition, raw.payload)
            if transition.application == self._settings.application_id:
                yield Published(raw.offset, transition)

    def refolded(self, number: int) -> Iterator[TierTransition]:
        """The transitions that the log of a partition says, in order."""
        partition = Partition(number, self.partitions, self._settings.application_id, self._policy)
        for outputs in refolded(partition, self._log(number), self._codec):
            partition.take_changes()
            for output in outputs:
                if isinstance(output.record, TierTransition):
                    self.transitions += 1
                    yield output.record

    def _log(self, number: int) -> Iterator[tuple[FoldOrder, Mapping[str, Chunk]]]:
        inputs = {topic: InputRanges(self._settings, topic, number) for topic in (*self._policy.inputs, "ticks")}
        for raw in committed_records(self._settings, "fold-order", partitions=[number]):
            order = self._codec.decode_as(FoldOrder, raw.payload)
            self._require_same_policy(order)
            self.transactions += 1
            yield order, {folded.topic: inputs[folded.topic].range(folded.from_offset, folded.to_offset) for folded in order.ranges}

    def _require_same_policy(self, order: FoldOrder) -> None:
        if order.policy_digest != self._policy.digest:
            raise SettingsError(
                f"policy {self._policy.name} has the digest {self._policy.digest}, partition {order.partition} was folded by "
                f"{order.policy_digest}: replay with the policy file that the worker ran with"
            )


class InputRanges:
    """One input partition, read once from its start, given out by ranges."""

    def __init__(self, settings: Settings, topic: str, number: int) -> None:
        self._topic, self._number = topic, number
        self._chunks = committed_chunks(settings, topic, number)
        self._left = NO_RECORDS

    def range(self, from_offset: int, to_offset: int) -> Chunk:
        """The records of [from_offset, to_offset). Ranges must be asked for in order."""
        taken: list[Chunk] = []
        while self._left.size or self._read():
            begin, end = np.searchsorted(self._left.offset, [from_offset, to_offset]).tolist()
            taken.append(self._left.part(begin, end))
            if end < self._left.size:
                self._left = self._left.part(end, self._left.size)
                break
            self._left = NO_RECORDS
        return Chunk.joined(taken)

    def _read(self) -> bool:
        """The next chunk that has records; False at the end."""
        self._left = next((chunk for chunk in self._chunks if chunk.size), NO_RECORDS)
        return self._left.size > 0

    def rest(self) -> Iterator[RawRecord]:
        """What lies behind the last range, one by one."""
        while self._left.size or self._read():
            some, self._left = self._left, NO_RECORDS
            yield from RecordBatch(self._number, (self._topic,), np.zeros(some.size, np.uint8), *some)


def _differing(again: TierTransition, published: TierTransition) -> str:
    """What differs, field by field; nothing if they say the same."""
    here, there = _what(again), _what(published)
    return "; ".join(f"{name} is {there[name]!r}, the log says {here[name]!r}" for name in here if here[name] != there[name])


def _what(transition: TierTransition) -> dict[str, Any]:
    return {name: said for name, said in msgspec.structs.asdict(transition).items() if name not in WHEN_NOT_WHAT}
