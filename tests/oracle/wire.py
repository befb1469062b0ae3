"""What is in a payload: a record as a dict, or the reason why it must be refused. From the `.avsc` files and this table alone."""

import json
import math
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

AVRO = Path(__file__).parents[2] / "schemas" / "avro"
RECORD_OF = {
    "interactions": "Interaction",
    "orders": "Order",
    "invoices": "Invoice",
    "tickets": "Ticket",
    "risks": "RiskSignal",
    "profiles": "AccountProfile",
    "opportunities": "StageChange",
    "predictions": "Prediction",
    "commands": "Command",
}
"""Input topics in the order in which equal append times are folded; a topic's place is its number, from 1."""

TOPICS = [*RECORD_OF, "ticks"]
YEAR_2200_MS = 7_258_118_400_000
BOUNDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("occurred_at", "due_at", "paid_at", "expires_at"), (0, YEAR_2200_MS - 1)),
    "cooperation_since": (-2_208_988_800_000, YEAR_2200_MS - 1),
    **dict.fromkeys(("dwell_seconds", "amount_minor", "cost_minor", "annual_budget_minor"), (0, math.inf)),
    **dict.fromkeys(("registered_capital_minor", "staffing"), (0, math.inf)),
    "satisfaction": (1, 5),
    "score": (0, 100),
    "industry_rank": (1, math.inf),
    "renewal_rate": (0, 1),
}
NEVER_EMPTY = {"event_id", "account_id", "kind", "order_id", "invoice_id", "ticket_id", "risk_id", "opportunity_id"}
NEVER_EMPTY |= {"stage", "process", "model"}
BODY_FAULTS = (EOFError, IndexError, UnicodeDecodeError, ValueError, OverflowError)


class Refused(Exception):
    """The record must become a dead letter, for this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@cache
def schemas() -> dict[int, tuple[str, Any]]:
    """Schema id -> (record, parsed schema), instants as plain numbers."""
    entries = json.loads((AVRO / "catalogue.json").read_text())["schemas"]
    return {e["id"]: (e["record"], fastavro.parse_schema(_plain(json.loads((AVRO / e["file"]).read_text())))) for e in entries}


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _plain(inner) for name, inner in node.items() if name != "logicalType"}
    return [_plain(inner) for inner in node] if isinstance(node, list) else node


def decoded(record: str, payload: bytes | None) -> dict[str, Any]:
    """The record in a payload. Raises Refused."""
    if not payload or len(payload) < 5 or payload[0] != 0:
        raise Refused("UNDECODABLE")
    found = schemas().get(int.from_bytes(payload[1:5], "big"))
    if found is None:
        raise Refused("UNKNOWN_SCHEMA")
    if found[0] != record:
        raise Refused("WRONG_RECORD")
    body = BytesIO(payload[5:])
    try:
        fields: Any = fastavro.schemaless_reader(body, found[1], None)
    except BODY_FAULTS as fault:
        raise Refused("UNDECODABLE") from fault
    if body.read():
        raise Refused("UNDECODABLE")
    return fields  # type: ignore[no-any-return]


def event(topic: str, payload: bytes | None) -> dict[str, Any]:
    """The record of an input, within its limits. Raises Refused."""
    fields = decoded(RECORD_OF[topic], payload)
    for name, held in fields.items():
        for each in held.values() if isinstance(held, dict) else [held]:
            _check(name, each)
    return fields


def tick(payload: bytes | None) -> int:
    """The time up to which a record of `ticks` lets time pass. Raises Refused."""
    at_ms: int = decoded("Tick", payload)["at"]
    if not 0 <= at_ms < YEAR_2200_MS:
        raise Refused("OUT_OF_RANGE")
    return at_ms


def _check(name: str, held: Any) -> None:
    if isinstance(held, float) and not math.isfinite(held):
        raise Refused("NOT_FINITE")
    low, high = BOUNDS.get(name, (-math.inf, math.inf))
    if isinstance(held, int | float) and not isinstance(held, bool) and not low <= held <= high:
        raise Refused("OUT_OF_RANGE")
    if isinstance(held, str):
        size = len(held.encode())
        too_long = size > (255 if name == "account_id" else 65_536) or (name == "currency" and size != 3)
        if too_long or (name in NEVER_EMPTY and not held) or (name in ("account_id", "currency") and "\0" in held):
            raise Refused("OUT_OF_RANGE")
