"""What comes in: facts about accounts, and time passing."""

from typing import Literal

import msgspec

Actor = Literal["CUSTOMER", "OWNER", "SYSTEM"]


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


class PolicyActivated(msgspec.Struct, frozen=True, kw_only=True):
    """Another policy is to be in force for an application: its text, and the digest of the one that it replaces."""

    event_id: str
    occurred_at: int
    application: str
    replaces: str
    digest: str
    text: str
    requested_by: str
    reason: str


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Time passing, as an input: every deadline up to `at` is due."""

    at: int
