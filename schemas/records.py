"""The records on the wire, typed. One struct for each Avro schema in `avro/`, where every field is documented.

Instants end in `_at` and are integers of epoch milliseconds (Avro `timestamp-millis`), money ends in `_minor` and is in
minor units of `currency`, scores end in `_micro` and are integers of a millionth of a point.
Records are facts in the past and never change: the structs are frozen. None means unknown.
OTHER in an enumeration is what a symbol of a later version reads as here; it is never written.
"""

from typing import Literal

import msgspec

Actor = Literal["CUSTOMER", "OWNER", "SYSTEM"]
Mode = Literal["LIVE", "BACKFILL", "REBUILD", "SHADOW"]
Direction = Literal["ENTRY", "UP", "DOWN", "OTHER"]
CauseKind = Literal[
    "INTERACTION", "ORDER", "INVOICE", "TICKET", "RISK", "PROFILE", "STAGE", "PREDICTION", "COMMAND",
    "SILENCE", "DECAY", "WINDOW", "TRIGGER", "OVERRIDE", "SEAT", "MERGE", "LATE", "POLICY", "CLOCK", "OTHER",
]  # fmt: skip


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What every input record carries."""

    event_id: str
    account_id: str
    occurred_at: int


class Interaction(Event, frozen=True, kw_only=True):
    """Something a person did: a visit, a download, a call. `kind` is priced by the policy."""

    kind: str
    actor: Actor = "CUSTOMER"
    contact_id: str | None = None
    dwell_seconds: float | None = None
    asset: str | None = None
    channel: str | None = None
    campaign_id: str | None = None


class Order(Event, frozen=True, kw_only=True):
    """One status of one order; order_id with status counts once."""

    order_id: str
    status: Literal["PLACED", "PAID", "REFUNDED", "CANCELLED"]
    amount_minor: int
    currency: str
    cost_minor: int | None = None
    product_line: str | None = None
    recurring: bool = False
    project: bool = False
    campaign_id: str | None = None


class Invoice(Event, frozen=True, kw_only=True):
    """One status of one invoice: payment timeliness."""

    invoice_id: str
    status: Literal["ISSUED", "PAID", "OVERDUE"]
    due_at: int
    paid_at: int | None = None


class Ticket(Event, frozen=True, kw_only=True):
    """One status of one service ticket, with the customer's satisfaction from 1 to 5 once it is known."""

    ticket_id: str
    status: str
    satisfaction: int | None = None


class RiskSignal(Event, frozen=True, kw_only=True):
    """A risk raised or withdrawn: lawsuit, tax arrears. `risk_id` ties the two together."""

    risk_id: str
    kind: str
    severity: str
    status: Literal["RAISED", "WITHDRAWN"]
    evidence_url: str | None = None


Custom = bool | float | str


class AccountProfile(Event, frozen=True, kw_only=True):
    """What is known of an account. None is unknown, not cleared; `cleared` names the fields to forget."""

    name: str | None = None
    customer_kind: Literal["BUSINESS", "GOVERNMENT", "CHANNEL", "CONSUMER"] | None = None
    industry: str | None = None
    size: str | None = None
    region: str | None = None
    territory: str | None = None
    qualifications: list[str] | None = None
    annual_budget_minor: int | None = None
    industry_rank: int | None = None
    need: str | None = None
    decision_level: str | None = None
    executive_relation: bool | None = None
    cooperation_since: int | None = None
    registered_capital_minor: int | None = None
    staffing: int | None = None
    renewal_rate: float | None = None
    billing_cycle: str | None = None
    phone: str | None = None
    tax_id: str | None = None
    owner_id: str | None = None
    track: str | None = None
    do_not_contact: bool | None = None
    custom: dict[str, Custom] = {}
    cleared: list[str] = []


class StageChange(Event, frozen=True, kw_only=True):
    """An opportunity moved to a stage of a sales process."""

    opportunity_id: str
    stage: str
    status: Literal["OPEN", "WON", "LOST"]
    process: str
    reason: str | None = None
    amount_minor: int | None = None


class Prediction(Event, frozen=True, kw_only=True):
    """A model's score from 0 to 100 for an account."""

    model: str
    score: float


class Command(Event, frozen=True, kw_only=True):
    """A person's order to the engine, with reason and approver."""

    kind: Literal["OVERRIDE", "REVOKE_OVERRIDE", "ASSIGN_OWNER", "CLAIM", "RELEASE", "MERGE", "SPLIT", "ERASE"]
    arguments: dict[str, str]
    requested_by: str
    reason: str
    approved_by: str | None = None
    expires_at: int | None = None


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Time passing, as an input: every deadline up to `at` is due."""

    at: int


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The record behind an output; for causes made by time, the last record that moved the deadline."""

    kind: CauseKind
    topic: str
    partition: int
    offset: int
    event_id: str
    occurred_at: int
    detail: str | None = None


class DimensionChange(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension, 0 to 100 points, before and after; `weighted_micro` is its part of the score after."""

    name: str
    before_micro: int
    after_micro: int
    weighted_micro: int


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger. The lines of a dimension sum to its `weighted_micro`, all lines to the score."""

    dimension: str
    line: str
    micro: int
    count: int | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the decision and the tier it left."""

    stage: Literal["earned", "seated", "gated", "published"]
    tier: str
    because: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The next change if nothing happens, and the points that would keep the tier over the horizon."""

    at: int
    to_tier: str
    because: str
    points_to_keep_micro: int | None = None


class TierTransition(msgspec.Struct, frozen=True, kw_only=True):
    """A tier changed: idempotent by `transition_id`, gapless by `sequence`, explained by the ledger."""

    transition_id: str
    application: str
    policy: str
    policy_version: str
    policy_digest: str
    scheme: str
    account_id: str
    generation: str
    sequence: int
    from_tier: str | None
    to_tier: str
    direction: Direction
    effective_at: int
    decided_at: int
    lag_ms: int
    mode: Mode
    cause: Cause
    score_before_micro: int | None
    score_after_micro: int | None
    dimensions: list[DimensionChange]
    contributions: list[Contribution]
    trail: list[Stage]
    forecast: Forecast | None = None
    owner_id: str | None = None


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


class IngestProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file has been ingested; written in the transaction of the records themselves."""

    file_digest: str
    lines_done: int
    accepted: int
    refused: int
