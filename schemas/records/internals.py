"""What the engine writes for itself: the order of folding, the progress of an ingest, which dead letters were put back."""

import msgspec

from schemas.records.outputs import Mode


class FoldedRange(msgspec.Struct, frozen=True, kw_only=True):
    """Offsets [from_offset, to_offset) of one input that one transaction folded."""

    topic: str
    from_offset: int
    to_offset: int


class FoldedTick(msgspec.Struct, frozen=True, kw_only=True):
    """The tick folded last in a transaction, and the one before it."""

    at: int
    previous: int | None


class QuarantinedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that the operator told the worker to dead-letter unread."""

    topic: str
    offset: int


class FoldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction of one lane folded: with the merge rule, the exact order of every record."""

    partition: int
    ranges: list[FoldedRange]
    tick: FoldedTick | None
    mode: Mode
    policy_digest: str
    quarantined: list[QuarantinedRecord] = []
    decided_to: int | None = None


class IngestProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file has been ingested; written in the transaction of the records themselves."""

    file_digest: str
    lines_done: int
    accepted: int
    refused: int
    reading: str | None = None


class ReturnedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter whose record was put back; written in the transaction of the record itself."""

    partition: int
    offset: int
    refused_at: int
    topic: str
    to_partition: int | None
    returned_at: int
    times: int
