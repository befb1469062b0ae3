"""One cycle's worth of records folded into a partition: what a lane does between fetching and committing, and what a
replay of the live log does again.

A rejected record becomes a dead letter and the fold goes on; any other error names the record and stops everything.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from schemas.dead_letters import DeadLetter
from schemas.errors import Reason, RecordRejected, TierstreamError
from schemas.records import Mode, PolicyActivated, Tick
from streams.account import Fate, Output, Step
from streams.activation import Ordered
from streams.again import LAST
from streams.batches import RecordBatch
from streams.forward.forwarder import BatchOccasion
from streams.intake import Decoder, RawRecord
from streams.partition import Partition

Quarantine = frozenset[tuple[str, int]]
"""(topic, offset) of records that the operator told the worker to dead-letter unread."""


class FoldFailed(TierstreamError):
    """Folding a record failed with an error nobody expected: a broken invariant."""

    def __init__(self, raw: RawRecord) -> None:
        super().__init__(f"folding {raw.topic}:{raw.partition}:{raw.offset} (key {raw.key!r}) failed")
        self.topic, self.partition, self.offset = raw.topic, raw.partition, raw.offset


class Folded(NamedTuple):
    """What a cycle did. `changes` are changelog records; `fates` counts (topic, fate), `handed` records left to Python, by why.

    `due`: accounts that ticks found due.
    """

    outputs: list[Output]
    dead: list[DeadLetter]
    changes: list[tuple[bytes, bytes | None]]
    fates: Counter[tuple[str, Fate]]
    handed: Counter[str]
    due: int = 0


class Said(NamedTuple):
    """What one record gave, by its place in the batch: what followed, or why it was refused."""

    place: int
    said: list[Output] | RecordRejected


_UNEXPECTED = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def fold_cycle(
    partition: Partition,
    records: RecordBatch,
    codec: Decoder,
    *,
    mode: Mode,
    decided_at_ms: int,
    quarantined: Quarantine = frozenset(),
    tick_ms: int | None = None,
    decided_to: int | None = None,
) -> Folded:
    """Decide a slice of the accounts that a change of policy left, fold records in the order given, then the lane's own tick.

    Raises FoldFailed for an error that is not the record's fault."""
    tally = Tally(Counter(), Counter())
    folded = Folded([], [], [], *tally)
    if decided_to is not None:
        folded.outputs.extend(partition.decide_up_to(decided_to, mode, decided_at_ms))
    for place, said in fold_all(partition, records, codec, tally, mode=mode, decided_at_ms=decided_at_ms, quarantined=quarantined):
        if isinstance(said, RecordRejected):
            folded.dead.append(_dead_letter(records[place], said))
        else:
            folded.outputs.extend(said)
    if tick_ms is not None:
        folded.outputs.extend(partition.fold_tick(tick_ms, mode, decided_at_ms))
    folded.changes.extend(partition.take_changes())
    return folded._replace(due=partition.take_due())


class Tally(NamedTuple):
    """Records by (topic, fate), and those that compiled code left to Python by why."""

    fates: Counter[tuple[str, Fate]]
    handed: Counter[str]


def fold_all(
    partition: Partition,
    records: RecordBatch,
    codec: Decoder,
    tally: Tally,
    *,
    mode: Mode,
    decided_at_ms: int | None = None,
    quarantined: Quarantine = frozenset(),
) -> Iterator[Said]:
    """Fold records in the order given: what those say that say anything. Must be taken to its end.

    `decided_at_ms` None: each the moment it was appended, a tick at its own time. Raises FoldFailed.
    """
    begin = 0
    for end in [*np.flatnonzero(records.of_topic("policies")).tolist(), len(records)]:
        for place, said in _stretch(
            partition, records[begin:end] if end - begin < len(records) else records, codec, tally, mode, decided_at_ms, quarantined
        ):
            yield Said(begin + place, said)
        if end < len(records):
            yield Said(end, _folded(partition, records[end], codec, tally, mode, decided_at_ms, quarantined))
        begin = end + 1


def _stretch(
    partition: Partition, records: RecordBatch, codec: Decoder, tally: Tally, mode: Mode, decided_at_ms: int | None, quarantined: Quarantine
) -> Iterator[Said]:
    """As `fold_all`, for records under one policy."""
    if decided_at_ms is not None and (again := partition.decide_touched(records.keys, mode, decided_at_ms)):
        yield Said(0, again)
    run = partition.run_over(records, BatchOccasion(records, mode, decided_at_ms), quarantined)
    place = 0
    while True:
        if run is not None:
            for decided in run.advance(place):
                yield Said(decided.record, decided.outputs)
            place = run.place
        if place == len(records):
            break
        yield Said(place, _folded(partition, records[place], codec, tally, mode, decided_at_ms, quarantined))
        place += 1
    if run is None:
        tally.handed.update(partition.all_handed(records))
    else:
        tally.fates.update(run.fates())
        tally.handed.update(run.handed())


def _folded(
    partition: Partition, raw: RawRecord, codec: Decoder, tally: Tally, mode: Mode, decided_at_ms: int | None, quarantined: Quarantine
) -> list[Output] | RecordRejected:
    """One record, in Python."""
    try:
        if (raw.topic, raw.offset) in quarantined:
            raise RecordRejected(Reason.QUARANTINED, "quarantined by the operator, not read")
        record = codec.decode(raw.topic, raw.payload)
        if isinstance(record, PolicyActivated):
            step = Step(Fate.FOLDED, _activated(partition, raw, record, mode, decided_at_ms))
        elif isinstance(record, Tick):
            step = Step(Fate.FOLDED, partition.fold_tick(record.at, mode, record.at if decided_at_ms is None else decided_at_ms))
        else:
            step = partition.fold(raw, record, mode, raw.appended_at_ms if decided_at_ms is None else decided_at_ms)
    except RecordRejected as rejection:
        return rejection
    except _UNEXPECTED as error:
        raise FoldFailed(raw) from error
    tally.fates[raw.topic, step.fate] += 1
    return step.outputs


def _activated(partition: Partition, raw: RawRecord, record: PolicyActivated, mode: Mode, decided_at_ms: int | None) -> list[Output]:
    """A change of policy. Where decisions are made the moment records are appended, there is nobody to decide in slices."""
    if decided_at_ms is not None:
        return partition.activate(Ordered(raw, record, mode, decided_at_ms))
    outputs = partition.activate(Ordered(raw, record, mode, raw.appended_at_ms))
    return [*outputs, *partition.decide_up_to(LAST, mode, raw.appended_at_ms)]


def _dead_letter(raw: RawRecord, rejection: RecordRejected) -> DeadLetter:
    return DeadLetter(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        appended_at_ms=raw.appended_at_ms,
        schema_id=rejection.schema_id,
        reason=rejection.reason,
        message=str(rejection),
        key=raw.key,
        payload=raw.payload,
        headers=raw.headers,
    )
