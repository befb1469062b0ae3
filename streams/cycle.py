"""One cycle's worth of records folded into a partition: what a lane does between fetching and committing, and what a
replay of the live log does again.

A rejected record becomes a dead letter and the fold goes on; any other error names the record and stops everything.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from schemas.dead_letters import DeadLetter
from schemas.errors import Reason, RecordRejected, TierstreamError
from schemas.records import Mode, Tick
from streams.account import Fate, Output, Step
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
) -> Folded:
    """Fold records in the order given, then the lane's own tick. Raises FoldFailed for an error that is not the record's fault."""
    tally = Tally(Counter(), Counter())
    folded = Folded([], [], [], *tally)
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
    run = partition.run_over(records, BatchOccasion(records, codec, mode, decided_at_ms), quarantined)
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
        if isinstance(record, Tick):
            step = Step(Fate.FOLDED, partition.fold_tick(record.at, mode, record.at if decided_at_ms is None else decided_at_ms))
        else:
            step = partition.fold(raw, record, mode, raw.appended_at_ms if decided_at_ms is None else decided_at_ms)
    except RecordRejected as rejection:
        return rejection
    except _UNEXPECTED as error:
        raise FoldFailed(raw) from error
    tally.fates[raw.topic, step.fate] += 1
    return step.outputs


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
