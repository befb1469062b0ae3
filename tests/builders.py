"""Plain records for tests: every argument has a sensible default, so that a test names only what it is about.

Times are epoch milliseconds; `NOON` is a fixed Wednesday. Event ids count up from `e-1` within the process unless given;
a test that compares outputs byte for byte gives its own.
"""

from itertools import count
from typing import Any

from schemas import records

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 1_704_888_000_000  # 2024-01-10T12:00:00Z

_numbers = count(1)


def _event(event_id: str | None, account_id: str, at: int) -> dict[str, Any]:
    return {"event_id": event_id or f"e-{next(_numbers)}", "account_id": account_id, "occurred_at": at}


def interaction(
    account_id: str = "acme", kind: str = "VISIT", at: int = NOON, *, event_id: str | None = None, **more: Any
) -> records.Interaction:
    """Something a customer did."""
    return records.Interaction(**_event(event_id, account_id, at), kind=kind, **more)


def order(
    account_id: str = "acme",
    status: str = "PAID",
    amount_minor: int = 100_000,
    at: int = NOON,
    *,
    order_id: str | None = None,
    currency: str = "CNY",
    event_id: str | None = None,
    **more: Any,
) -> records.Order:
    """One status of an order over 1,000.00; an order of its own unless the test names it."""
    named: Any = {"order_id": order_id or f"o-{next(_numbers)}", "status": status, "amount_minor": amount_minor, "currency": currency}
    return records.Order(**_event(event_id, account_id, at), **named, **more)


def invoice(
    account_id: str = "acme",
    status: str = "ISSUED",
    at: int = NOON,
    *,
    invoice_id: str = "i-1",
    due_at: int = NOON + 30 * DAY,
    event_id: str | None = None,
    **more: Any,
) -> records.Invoice:
    """One status of an invoice due in 30 days."""
    named: Any = {"invoice_id": invoice_id, "status": status, "due_at": due_at}
    return records.Invoice(**_event(event_id, account_id, at), **named, **more)


def ticket(
    account_id: str = "acme",
    status: str = "CLOSED",
    satisfaction: int | None = None,
    at: int = NOON,
    *,
    ticket_id: str = "t-1",
    event_id: str | None = None,
) -> records.Ticket:
    """One status of a service ticket."""
    return records.Ticket(**_event(event_id, account_id, at), ticket_id=ticket_id, status=status, satisfaction=satisfaction)


def risk(
    account_id: str = "acme",
    status: str = "RAISED",
    at: int = NOON,
    *,
    risk_id: str = "r-1",
    kind: str = "LAWSUIT",
    severity: str = "HIGH",
    event_id: str | None = None,
    **more: Any,
) -> records.RiskSignal:
    """A lawsuit raised, or withdrawn with status WITHDRAWN."""
    named: Any = {"risk_id": risk_id, "kind": kind, "severity": severity, "status": status}
    return records.RiskSignal(**_event(event_id, account_id, at), **named, **more)


def profile(account_id: str = "acme", at: int = NOON, *, event_id: str | None = None, **known: Any) -> records.AccountProfile:
    """What is known of an account: nothing but what the test says."""
    return records.AccountProfile(**_event(event_id, account_id, at), **known)


def stage_change(
    account_id: str = "acme",
    stage: str = "NEGOTIATION",
    status: str = "OPEN",
    at: int = NOON,
    *,
    opportunity_id: str = "op-1",
    process: str = "standard",
    event_id: str | None = None,
    **more: Any,
) -> records.StageChange:
    """An opportunity in a stage of the standard process."""
    named: Any = {"opportunity_id": opportunity_id, "stage": stage, "status": status, "process": process}
    return records.StageChange(**_event(event_id, account_id, at), **named, **more)


def prediction(
    account_id: str = "acme", score: float = 50.0, at: int = NOON, *, model: str = "conversion", event_id: str | None = None
) -> records.Prediction:
    """A model's score."""
    return records.Prediction(**_event(event_id, account_id, at), model=model, score=score)


def command(
    account_id: str = "acme",
    kind: str = "OVERRIDE",
    at: int = NOON,
    *,
    arguments: dict[str, str] | None = None,
    requested_by: str = "kim",
    reason: str = "because a test says so",
    event_id: str | None = None,
    **more: Any,
) -> records.Command:
    """An order to the engine."""
    named: Any = {"kind": kind, "arguments": arguments or {}, "requested_by": requested_by, "reason": reason}
    return records.Command(**_event(event_id, account_id, at), **named, **more)


def tick(at: int = NOON) -> records.Tick:
    """Time passing."""
    return records.Tick(at=at)


def policy_activated(at: int = NOON, **more: Any) -> records.PolicyActivated:
    """An order that another policy be in force; for nobody's application unless the test names one."""
    named: Any = {"application": "nobody", "replaces": "", "digest": "", "text": "", "requested_by": "ops", "reason": "a new year"}
    return records.PolicyActivated(**({"event_id": f"e-{next(_numbers)}", "occurred_at": at} | named | more))


def cause(kind: records.CauseKind = "INTERACTION", **more: Any) -> records.Cause:
    """The record behind an output."""
    named: Any = {"topic": "interactions", "partition": 0, "offset": 0, "event_id": "e-1", "occurred_at": NOON, **more}
    return records.Cause(kind=kind, **named)


def transition(
    account_id: str = "acme", from_tier: str | None = "C", to_tier: str = "B", sequence: int = 1, at: int = NOON, **more: Any
) -> records.TierTransition:
    """A tier change of scheme `abc` without a ledger; its id tells scheme, account, generation and sequence."""
    scheme, generation = more.pop("scheme", "abc"), more.pop("generation", "interactions:0:0")
    named: Any = {
        "transition_id": f"{scheme}/{account_id}/{generation}/{sequence}",
        "application": "tierstream",
        "policy": "test",
        "policy_version": "1",
        "policy_digest": "0" * 64,
        "direction": "UP",
        "effective_at": at,
        "decided_at": at,
        "lag_ms": 0,
        "mode": "LIVE",
        "cause": cause(occurred_at=at),
        "score_before_micro": 0,
        "score_after_micro": 0,
        "dimensions": [],
        "contributions": [],
        "trail": [],
        **more,
    }
    chain: Any = {"account_id": account_id, "from_tier": from_tier, "to_tier": to_tier, "sequence": sequence}
    return records.TierTransition(scheme=scheme, generation=generation, **chain, **named)
