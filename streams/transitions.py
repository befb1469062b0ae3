"""From a decision to the record of a tier transition: identified, chained, explained."""

from typing import NamedTuple
from uuid import UUID, uuid5

from schemas.records import Cause, CauseKind, DimensionChange, Event, Mode, TierTransition
from schemas.topics import INPUTS
from streams import decision
from streams.dossier import Dossier
from streams.intake import RawRecord
from streams.kinds import Row
from streams.ledger import ledger
from streams.policy.compiled import CompiledPolicy, Scheme

NAMESPACE = UUID("6f1c9a52-4e0b-5d0c-9a55-2f2d6c1f7e11")
"""Namespace of transition ids; never changes."""

CAUSES: dict[str, CauseKind] = {
    "interactions": "INTERACTION",
    "orders": "ORDER",
    "invoices": "INVOICE",
    "tickets": "TICKET",
    "risks": "RISK",
    "profiles": "PROFILE",
    "opportunities": "STAGE",
    "predictions": "PREDICTION",
    "commands": "COMMAND",
}
_TOPIC_BY_NUMBER = {topic.number: topic.name for topic in INPUTS.values()}


class Circumstances(NamedTuple):
    """Where and when a decision is made: the same for every scheme of the account."""

    application: str
    policy: CompiledPolicy
    mode: Mode
    decided_at_ms: int
    raw: RawRecord
    record: Event
    late: bool
    dimensions_before: list[int]


def generation(row: Row, partition: int) -> str:
    """Names the record that created the account, so that one erased and created anew never repeats an id."""
    return f"{_TOPIC_BY_NUMBER[int(row['account.born_topic'])]}:{partition}:{int(row['account.born_offset'])}"


def transition_id(application: str, policy: str, scheme: str, account_id: str, generation: str, sequence: int) -> str:
    """The same for the same transition, however often it is computed."""
    return str(uuid5(NAMESPACE, "\x1f".join((application, policy, scheme, account_id, generation, str(sequence)))))


def cause(circumstances: Circumstances) -> Cause:
    """The record behind the transition; LATE if the account's clock was already past it."""
    raw, record = circumstances.raw, circumstances.record
    kind = "LATE" if circumstances.late else CAUSES[raw.topic]
    detail = getattr(record, "kind", None) or getattr(record, "status", None)
    return Cause(
        kind=kind,
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        event_id=record.event_id,
        occurred_at=record.occurred_at,
        detail=detail,
    )


class Crossing(NamedTuple):
    """What one decision changed. `published_before` None: the account has just entered the ladder."""

    scheme: Scheme
    earned_before: int
    published_before: int | None
    score_before_micro: int
    score_micro: int


def transition(at: Circumstances, row: Row, dossier: Dossier, crossing: Crossing) -> TierTransition:
    """The record of a published change; takes the next sequence number and moves the chain's effective time."""
    scheme, policy, account_id = crossing.scheme, at.policy, at.record.account_id
    sequence = int(row[scheme.column("sequence")]) + 1
    effective_at_ms = max(int(row["account.clock_ms"]), int(row[scheme.column("effective_at_ms")]))
    row[scheme.column("sequence")], row[scheme.column("effective_at_ms")] = sequence, effective_at_ms
    published, before = int(row[scheme.column("published")]), crossing.published_before
    tiers, born = scheme.ladder.tiers, generation(row, at.raw.partition)
    lines = ledger(policy, row, dossier, int(row["account.clock_ms"]), crossing.score_micro)
    owner = dossier.known("owner_id")
    return TierTransition(
        transition_id=transition_id(at.application, policy.name, scheme.name, account_id, born, sequence),
        application=at.application,
        policy=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        scheme=scheme.name,
        account_id=account_id,
        generation=born,
        sequence=sequence,
        from_tier=None if before is None else tiers[before],
        to_tier=tiers[published],
        direction="ENTRY" if before is None else "UP" if published > before else "DOWN",
        effective_at=effective_at_ms,
        decided_at=at.decided_at_ms,
        lag_ms=at.decided_at_ms - at.raw.appended_at_ms,
        mode=at.mode,
        cause=cause(at),
        score_before_micro=crossing.score_before_micro,
        score_after_micro=crossing.score_micro,
        dimensions=_dimension_changes(at, row, lines.weighted_micro),
        contributions=lines.contributions,
        trail=decision.trail(row, dossier, scheme, crossing.score_micro, crossing.earned_before),
        owner_id=owner if isinstance(owner, str) else None,
    )


def _dimension_changes(at: Circumstances, row: Row, weighted_micro: list[int]) -> list[DimensionChange]:
    return [
        DimensionChange(name=dimension.name, before_micro=before, after_micro=int(row[column]), weighted_micro=weighted)
        for dimension, column, before, weighted in zip(
            at.policy.dimensions, at.policy.worth_columns, at.dimensions_before, weighted_micro, strict=True
        )
    ]
