"""What of a published record goes to Redis, as an entry of a batch for `apply.lua`. Pure; `None` where nothing does.

Rules: only what this application decided, and no shadow policy, is projected; numbers are texts, as Redis keeps them; scores are points.
"""

from typing import Any

import msgspec

from schemas.records import AccountTiers, HotLead, Standing, TierTransition
from schemas.records.outputs import Decided

MICRO = 1_000_000
Entry = tuple[Any, ...]
_json = msgspec.json.Encoder()


class Why(msgspec.Struct, frozen=True):
    """The explanation of a tier, as it stands in Redis; fields of TierTransition."""

    transition_id: str
    from_tier: str | None
    to_tier: str
    direction: str
    effective_at: int
    cause: Any
    score_before_micro: int | None
    score_after_micro: int | None
    contributions: Any
    trail: Any
    forecast: Any


class Notice(msgspec.Struct, frozen=True):
    """What is said on the channel of changes."""

    account_id: str
    scheme: str
    generation: str
    sequence: int
    from_tier: str | None
    to_tier: str
    direction: str
    effective_at: int
    mode: str
    cause: str
    owner_id: str | None
    transition_id: str


def is_ours(record: Decided, application: str) -> bool:
    """Whether this engine published it, and nobody only tried what it would."""
    return record.application == application and record.mode != "SHADOW"


def tiers(record: AccountTiers, offset: int) -> Entry:
    """Current tiers, owner and pool of an account."""
    owner, pool = record.owner_id or "", record.pool
    fields = [
        "account_id", record.account_id,
        "generation", record.generation,
        "revision", str(record.revision),
        "owner_id", owner,
        "pool_since", "" if pool is None else str(pool.since_at),
        "pool_reason", "" if pool is None else pool.reason,
        "effective_at", str(record.effective_at),
        "decided_at", str(record.decided_at),
        "mode", record.mode,
        "policy", record.policy,
        "policy_version", record.policy_version,
    ]  # fmt: skip
    standings = []
    for standing in record.standings:
        fields += _standing(standing)
        standings.append((standing.scheme, standing.tier, _points(standing.score_micro)))
    return ("T", record.account_id, offset, record.generation, record.revision, owner, fields, standings)


def _standing(standing: Standing) -> tuple[str, ...]:
    scheme = standing.scheme
    return (
        f"{scheme}:tier", standing.tier,
        f"{scheme}:earned_tier", standing.earned_tier,
        f"{scheme}:score", "" if standing.score_micro is None else _points(standing.score_micro),
        f"{scheme}:sequence", str(standing.sequence),
        f"{scheme}:since", str(standing.effective_at),
    )  # fmt: skip


def erasure(account_id: str, offset: int) -> Entry:
    """The account is forgotten."""
    return ("X", account_id, offset)


def transition(record: TierTransition, *, quiet: bool) -> Entry:
    """Why the account is where it is; and the notice of it, unless `quiet`."""
    why = Why(
        record.transition_id, record.from_tier, record.to_tier, record.direction, record.effective_at, record.cause,
        record.score_before_micro, record.score_after_micro, record.contributions, record.trail, record.forecast,
    )  # fmt: skip
    said = b"" if quiet else _json.encode(_notice(record))
    return ("C", record.account_id, record.generation, record.scheme, record.sequence, _json.encode(why).decode(), said.decode())


def _notice(record: TierTransition) -> Notice:
    return Notice(
        record.account_id, record.scheme, record.generation, record.sequence, record.from_tier, record.to_tier, record.direction,
        record.effective_at, record.mode, record.cause.kind, record.owner_id, record.transition_id,
    )  # fmt: skip


def lead(record: HotLead, expires_at_ms: int) -> Entry:
    """A hot lead; its id is known until `expires_at_ms`."""
    fields = [
        "lead_id", record.lead_id,
        "account_id", record.account_id,
        "owner_id", record.owner_id or "",
        "scheme", record.scheme,
        "from_tier", record.from_tier,
        "to_tier", record.to_tier,
        "score", _points(record.score_micro),
        "trigger", record.trigger or "",
        "effective_at", str(record.effective_at),
        "act_before", str(record.act_before),
        "lead", _json.encode(record).decode(),
    ]  # fmt: skip
    return ("L", record.account_id, record.generation, record.lead_id, record.owner_id or "", expires_at_ms, fields)


def _points(micro: int | None) -> str:
    """`80.6` of 80,600,000; 0 where a scheme has no score."""
    return f"{(micro or 0) / MICRO:.6f}".rstrip("0").rstrip(".")
