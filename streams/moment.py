"""The circumstances of one step: who folds, under what, for whom, and by which clock. The same for all that the step decides."""

from collections.abc import Callable
from typing import NamedTuple, TypedDict

import msgspec

from schemas.records import Cause, CauseKind, Event, Mode
from schemas.topics import INPUTS
from streams.dossier import Dossier
from streams.intake import RawRecord
from streams.kinds import Row
from streams.policy.compiled import CompiledPolicy, Scheme

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


class Crossing(NamedTuple):
    """What one decision changed. `published_before` None: the account has just entered the ladder."""

    scheme: Scheme
    published_before: int | None
    score_before_micro: int
    score_micro: int
    dimensions_before: list[int]
    because: str


class Moment(NamedTuple):
    """One account's step. `reference_ms`: the recorded time by which its age is judged (append time, or the tick before).

    `told`: how a published change is told; for one that is only imagined, in few words.
    """

    application: str
    policy: CompiledPolicy
    mode: Mode
    decided_at_ms: int
    reference_ms: int
    partition: int
    key: bytes
    account_id: str
    told: "Told"


class Reason(NamedTuple):
    """Why something is decided: the cause, and from when its lag counts (None: from the effective time)."""

    cause: Cause
    lag_from_ms: int | None = None
    campaign_id: str | None = None


Told = Callable[[Moment, Reason, Row, Dossier, Crossing], msgspec.Struct]
"""Makes the record of a published change."""


def generation(row: Row, partition: int) -> str:
    """Names the record that created the account, so that one erased and created anew never repeats an id."""
    return f"{_TOPIC_BY_NUMBER[int(row['account.born_topic'])]}:{partition}:{int(row['account.born_offset'])}"


class Common(TypedDict):
    """What every output says of its account, engine, policy and decision; fields of `schemas.records.outputs.Decided`."""

    account_id: str
    generation: str
    application: str
    policy: str
    policy_version: str
    policy_digest: str
    decided_at: int
    mode: Mode


def common(moment: Moment, row: Row) -> Common:
    """The same for all that is said in one step."""
    policy = moment.policy
    return {
        "account_id": moment.account_id,
        "generation": generation(row, moment.partition),
        "application": moment.application,
        "policy": policy.name,
        "policy_version": policy.version,
        "policy_digest": policy.digest,
        "decided_at": moment.decided_at_ms,
        "mode": moment.mode,
    }


def lag_ms(moment: Moment, reason: Reason, effective_at_ms: int) -> int:
    """From the append of the cause to the decision; for causes made by time, from the effective time."""
    return moment.decided_at_ms - (effective_at_ms if reason.lag_from_ms is None else reason.lag_from_ms)


def of_record(raw: RawRecord, record: Event, late: bool) -> Reason:
    """A record decides; LATE if the account's clock was already past it."""
    cause = Cause(
        kind="LATE" if late else CAUSES[raw.topic],
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        event_id=record.event_id,
        occurred_at=record.occurred_at,
        detail=getattr(record, "kind", None) or getattr(record, "status", None),
    )
    return Reason(cause, raw.appended_at_ms, getattr(record, "campaign_id", None))


def of_time(row: Row, partition: int, kind: CauseKind, detail: str | None) -> Reason:
    """Time decides; the record named is the last one that the account folded, from which the deadline follows."""
    topic = _TOPIC_BY_NUMBER[int(row["account.last_topic"])]
    offset, occurred_at = int(row["account.last_offset"]), int(row["account.last_at_ms"])
    return Reason(Cause(kind=kind, topic=topic, partition=partition, offset=offset, event_id="", occurred_at=occurred_at, detail=detail))


def remember_last(row: Row, raw: RawRecord, record: Event) -> None:
    """Keep the coordinates of the last record folded."""
    row["account.last_topic"], row["account.last_offset"], row["account.last_at_ms"] = (
        INPUTS[raw.topic].number,
        raw.offset,
        record.occurred_at,
    )
