"""One cycle's worth of records folded into a partition: what a lane does between fetching and committing, and what a
replay of the live log does again.

A rejected record becomes a dead letter and the fold goes on; any other error names the record and stops everything.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from schemas.dead_letters import DeadLetter
from schemas.errors import Reason, RecordRejected, TierstreamError
from schemas.records import Event, Mode, Tick
from streams.account import Fate, Output, Step
from streams.batches import RecordBatch
from streams.intake import RawRecord
from streams.partition import Partition

Quarantine = frozenset[tuple[str, int]]
"""(topic, offset) of records that the operator told the worker to dead-letter unread."""


class Decoder(Protocol):
    """The part of the codec that the fold needs."""

    def decode(self, topic: str, payload: bytes | None) -> Event | Tick:
        """The record in a payload of `topic`. Raises RecordRejected."""


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


class Left(NamedTuple):
    """One record that was folded in Python: its place in the batch, and what followed or why it was refused."""

    place: int
    raw: RawRecord
    step: Step | RecordRejected


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
    for _, raw, step in handed_over(partition, records, codec, tally, mode=mode, decided_at_ms=decided_at_ms, quarantined=quarantined):
        if isinstance(step, Step):
            folded.outputs.extend(step.outputs)
        else:
            folded.dead.append(_dead_letter(raw, step))
    if tick_ms is not None:
        folded.outputs.extend(partition.fold_tick(tick_ms, mode, decided_at_ms))
    folded.changes.extend(partition.take_changes())
    return folded._replace(due=partition.take_due())


class Tally(NamedTuple):
    """Records by (topic, fate), and those that compiled code left to Python by why."""

    fates: Counter[tuple[str, Fate]]
    handed: Counter[str]


def handed_over(
    partition: Partition,
    records: RecordBatch,
    codec: Decoder,
    tally: Tally,
    *,
    mode: Mode,
    decided_at_ms: int | None = None,
    quarantined: Quarantine = frozenset(),
) -> Iterator[Left]:
    """Fold records in the order given; those that compiled code has not folded, one by one. Must be taken to its end.

    `decided_at_ms` None: each the moment it was appended, a tick at its own time. Raises FoldFailed.
    """
    run = partition.run_over(records, quarantined)
    place = 0 if run is None else run.advance(0)
    while place < len(records):
        raw = records[place]
        left = Left(place, raw, _folded(partition, raw, codec, mode, decided_at_ms, quarantined))
        if isinstance(left.step, Step):
            tally.fates[raw.topic, left.step.fate] += 1
        yield left
        place = place + 1 if run is None else run.advance(place + 1)
    if run is None:
        tally.handed.update(partition.all_handed(records))
    else:
        tally.fates.update(run.fates())
        tally.handed.update(run.handed())


def _folded(
    partition: Partition, raw: RawRecord, codec: Decoder, mode: Mode, decided_at_ms: int | None, quarantined: Quarantine
) -> Step | RecordRejected:
    """One record, in Python."""
    try:
        if (raw.topic, raw.offset) in quarantined:
            raise RecordRejected(Reason.QUARANTINED, "quarantined by the operator, not read")
        record = codec.decode(raw.topic, raw.payload)
        if isinstance(record, Tick):
            return Step(Fate.FOLDED, partition.fold_tick(record.at, mode, record.at if decided_at_ms is None else decided_at_ms))
        return partition.fold(raw, record, mode, raw.appended_at_ms if decided_at_ms is None else decided_at_ms)
    except RecordRejected as rejection:
        return rejection
    except _UNEXPECTED as error:
        raise FoldFailed(raw) from error


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
