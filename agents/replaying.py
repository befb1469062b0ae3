"""Does the live log say what was published? Folds what lies in Kafka again, in the recorded order, and compares.

Rules: `fold-order` says which offsets each transaction folded and in which mode; the merge rule gives their order again. What comes
out must equal what this application published, record by record and in the same order, but for `decided_at` and `lag_ms`, which say
when, not what. Of `account-tiers`, which is compacted, each record that is left must be one of those, and each account's last must be
left. One partition after the other, a few thousand records of each input in memory at a time, and the partition's published payloads.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from agents.reading import committed_chunks, committed_records, end_of, partitions_of
from agents.registry import codec_for
from agents.settings import Settings
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.records import AccountTiers, Action, FoldOrder, HotLead, TierTransition
from schemas.topics import TOPICS
from streams.account import Output
from streams.batches import NO_RECORDS, Chunk, RecordBatch
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import CompiledPolicy
from streams.replay import refolded

Published = TierTransition | AccountTiers | Action | HotLead
COMPARED: dict[str, type[Published]] = {
    "tier-transitions": TierTransition,
    "account-tiers": AccountTiers,
    "actions": Action,
    "hot-leads": HotLead,
}
"""What follows from the log alone."""

WHEN_NOT_WHAT = ("decided_at", "lag_ms")


class Difference(NamedTuple):
    """A place where the log and what was published do not agree. `offset`: that in `topic`, None if it is missing there."""

    topic: str
    partition: int
    offset: int | None
    account_id: str
    message: str


class LiveReplay:
    """The comparison, partition by partition; `outputs` counts by topic what was folded again."""

    def __init__(self, settings: Settings, policy: CompiledPolicy) -> None:
        self._settings, self._policy, self._codec = settings, policy, codec_for(settings)
        self.partitions = partitions_of(settings, "tier-transitions")
        self.outputs: Counter[str] = Counter(dict.fromkeys(COMPARED, 0))
        self.transactions = 0

    def differences(self) -> Iterator[Difference]:
        """Every difference. Raises SettingsError if the log was folded by another policy."""
        for number in range(self.partitions):
            yield from self._compared(number)

    def _compared(self, number: int) -> Iterator[Difference]:
        # The engine goes on meanwhile: what the log said before the outputs are read must be among them, and what is among them
        # the log must say by the time that it is read.
        must = end_of(self._settings, "fold-order", number)
        published = {topic: Shelf(topic, number, list(self._published(topic, number)), self._codec) for topic in COMPARED}
        for order_offset, outputs in self.refolded(number):
            for output in outputs:
                if output.record is None:
                    published[output.topic].erased(output.key)
                elif output.topic in published:
                    self.outputs[output.topic] += 1
                    yield from published[output.topic].compared(output.record, order_offset < must)
        for shelf in published.values():
            yield from shelf.left_over()

    def _published(self, topic: str, number: int) -> Iterator[tuple[int, bytes, Published]]:
        for raw in committed_records(self._settings, topic, partitions=[number]):
            if raw.payload is None:
                continue
            record = self._codec.decode_as(COMPARED[topic], raw.payload)
            if record.application == self._settings.application_id:
                yield raw.offset, raw.payload, record

    def refolded(self, number: int) -> Iterator[tuple[int, list[Output]]]:
        """What the log of a partition says, transaction by transaction, with the offset of its fold order."""
        partition = Partition(number, self.partitions, self._settings.application_id, self._policy, schemas=self._codec.catalogue)
        offsets = deque[int]()
        for outputs in refolded(partition, self._log(partition, offsets), self._codec):
            partition.take_changes()
            yield offsets.popleft(), outputs

    def _log(self, partition: Partition, offsets: deque[int]) -> Iterator[tuple[FoldOrder, Mapping[str, Chunk]]]:
        number = partition.number
        inputs = {topic: InputRanges(self._settings, topic, number) for topic in (*self._policy.folded, "ticks")}
        for raw in committed_records(self._settings, "fold-order", partitions=[number]):
            order = self._codec.decode_as(FoldOrder, raw.payload)
            self._require_same_policy(order, partition.policy)
            self.transactions += 1
            offsets.append(raw.offset)
            yield order, {folded.topic: inputs[folded.topic].range(folded.from_offset, folded.to_offset) for folded in order.ranges}

    @staticmethod
    def _require_same_policy(order: FoldOrder, policy: CompiledPolicy) -> None:
        """What was folded before this transaction has the same policy in force as it had then."""
        if order.policy_digest != policy.digest:
            raise SettingsError(
                f"policy {policy.name} has the digest {policy.digest}, partition {order.partition} was folded by "
                f"{order.policy_digest}: replay with the policy file that the worker began with"
            )


class Shelf:
    """What lies in one partition of one output topic, taken off record by record as the log says it."""

    def __init__(self, topic: str, number: int, published: Sequence[tuple[int, bytes, Published]], codec: Codec) -> None:
        self._topic, self._number, self._codec = topic, number, codec
        self._by_id: dict[str, deque[tuple[int, bytes]]] = {}
        self._last: dict[str, int] = {}
        for offset, payload, record in published:
            self._by_id.setdefault(_identity(record), deque()).append((offset, payload))
            self._last[record.account_id] = offset
        self._taken = -1
        self._compacted = TOPICS[topic].cleanup == "compact"
        self._absent: dict[str, list[Difference]] = {}

    def compared(self, again: Any, must: bool) -> Iterator[Difference]:
        """The log says this record. `must`: it was said before the topic was read, so it has to be there."""
        entries = self._by_id.get(_identity(again))
        if not entries:
            if must and not (self._compacted and self._last.get(again.account_id, -1) > self._taken):
                absent = self._difference(None, again, f"{_named(again)} follows from the log, but was not published")
                if self._compacted:  # unless the account is erased further on
                    self._absent.setdefault(again.account_id, []).append(absent)
                else:
                    yield absent
            return
        offset, payload = entries.popleft()
        published = self._codec.decode_as(COMPARED[self._topic], payload)
        if offset < self._taken:
            yield self._difference(offset, published, f"{_named(published)} lies before offset {self._taken}, which the log says earlier")
        elif differing := _differing(again, published):
            yield self._difference(offset, published, differing)
        self._taken = max(self._taken, offset)

    def erased(self, key: bytes) -> None:
        """The log says that the account is forgotten: nothing of what was said of it needs to be there."""
        self._absent.pop(key.decode(), None)

    def left_over(self) -> Iterator[Difference]:
        """What is missing for good, and what the log does not say."""
        for account in self._absent.values():
            yield from account
        for offset, payload in sorted(entry for entries in self._by_id.values() for entry in entries):
            published = self._codec.decode_as(COMPARED[self._topic], payload)
            yield self._difference(offset, published, f"{_named(published)} was published, but the log does not say so")

    def _difference(self, offset: int | None, record: Published, message: str) -> Difference:
        return Difference(self._topic, self._number, offset, record.account_id, message)


def _identity(record: Published) -> str:
    match record:
        case TierTransition():
            return record.transition_id
        case AccountTiers():
            return f"{record.account_id} {record.generation} {record.revision}"
        case Action():
            return record.action_id
        case HotLead():
            return record.lead_id


def _named(record: Published) -> str:
    """Which one of the account's, for people."""
    match record:
        case TierTransition() | HotLead():
            return f"sequence {record.sequence} of {record.scheme}"
        case AccountTiers():
            return f"revision {record.revision}"
        case Action():
            return f"{record.kind} of {record.name}"


class InputRanges:
    """One input partition, read once from its start or an offset, given out by ranges."""

    def __init__(self, settings: Settings, topic: str, number: int, since: int = 0) -> None:
        self._topic, self._number = topic, number
        self._chunks = committed_chunks(settings, topic, number, since)
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

    def appended_by(self, at_ms: int) -> Chunk:
        """The records before the first that was appended later than this."""
        taken: list[Chunk] = []
        while self._left.size or self._read():
            later = np.flatnonzero(self._left.appended_at_ms > at_ms)
            end = int(later[0]) if later.size else self._left.size
            taken.append(self._left.part(0, end))
            self._left = self._left.part(end, self._left.size)
            if later.size:
                break
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


def _differing(again: Published, published: Published) -> str:
    """What differs, field by field; nothing if they say the same."""
    here, there = _what(again), _what(published)
    return "; ".join(f"{name} is {there[name]!r}, the log says {here[name]!r}" for name in here if here[name] != there[name])


def _what(record: Published) -> dict[str, Any]:
    return {name: said for name, said in msgspec.structs.asdict(record).items() if name not in WHEN_NOT_WHAT}
