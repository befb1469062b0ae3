"""What the engine publishes, made up: lives of accounts as records of the three topics that the projection reads."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from agents import clients
from agents.projecting.source import LEADS, TIERS, TRANSITIONS
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import AccountTiers, Cause, Contribution, HotLead, Stage, Standing, TierTransition
from streams.partitioning import partition_for

SCHEME, LADDER = "sabc", ("C", "B", "A", "S")
NOW_MS = 1_800_000_000_000
"""Long after any test runs, so that leads are young."""


class Published(NamedTuple):
    """One record: None erases the account."""

    topic: str
    account_id: str
    record: msgspec.Struct | None


def entered(
    account_id: str, generation: str = "profiles:0:1", owner: str | None = "kim", application: str = "tierstream"
) -> list[Published]:
    """The account's entry: at the lowest tier, without a transition."""
    return [Published(TIERS, account_id, tiers(account_id, 0, generation, owner, application))]


def moved(
    account_id: str, sequence: int, generation: str = "profiles:0:1", owner: str | None = "kim", application: str = "tierstream"
) -> list[Published]:
    """One unit of work: the account's transition of this number, its tiers after it, and a lead where it is hot."""
    found = [
        Published(TRANSITIONS, account_id, transition(account_id, sequence, generation, owner, application)),
        Published(TIERS, account_id, tiers(account_id, sequence, generation, owner, application)),
    ]
    if tier_at(sequence) in "AS":
        found.append(Published(LEADS, account_id, lead(account_id, sequence, generation, owner, application)))
    return found


def erased(account_id: str) -> list[Published]:
    """The account is forgotten."""
    return [Published(TIERS, account_id, None)]


def tier_at(sequence: int) -> str:
    """The tier after so many transitions."""
    return LADDER[sequence % len(LADDER)]


def score_micro_at(sequence: int) -> int:
    """Another one after each transition."""
    return (sequence * 7_300_001) % 100_000_000


def _step(sequence: int) -> dict[str, Any]:
    """What a transition and its lead say alike of the step."""
    return {"scheme": SCHEME, "sequence": sequence, "from_tier": tier_at(sequence - 1), "to_tier": tier_at(sequence)}


def tiers(account_id: str, sequence: int, generation: str, owner: str | None, application: str = "tierstream") -> AccountTiers:
    """As of a transition."""
    tier = tier_at(sequence)
    standing = Standing(
        scheme=SCHEME, tier=tier, earned_tier=tier, sequence=sequence, effective_at=NOW_MS + sequence, score_micro=score_micro_at(sequence)
    )
    return AccountTiers(
        **_decided(account_id, generation, owner, application), revision=sequence + 1, standings=[standing], effective_at=NOW_MS
    )


def transition(account_id: str, sequence: int, generation: str, owner: str | None, application: str = "tierstream") -> TierTransition:
    """The transition of this number."""
    return TierTransition(
        **_decided(account_id, generation, owner, application),
        transition_id=f"{account_id}-{generation}-{sequence}",
        **_step(sequence),
        direction="DOWN" if tier_at(sequence) == LADDER[0] else "UP",
        effective_at=NOW_MS + sequence,
        lag_ms=3,
        cause=_CAUSE,
        score_before_micro=score_micro_at(sequence - 1),
        score_after_micro=score_micro_at(sequence),
        dimensions=[],
        contributions=[Contribution(dimension="behaviour", line="VISIT", micro=score_micro_at(sequence), count=sequence, last_at=NOW_MS)],
        trail=[Stage(stage="earned", tier=tier_at(sequence), because="the score reaches it")],
    )


def lead(account_id: str, sequence: int, generation: str, owner: str | None, application: str = "tierstream") -> HotLead:
    """The lead of the transition of this number."""
    return HotLead(
        **_decided(account_id, generation, owner, application),
        lead_id=f"lead-{account_id}-{generation}-{sequence}",
        **_step(sequence),
        score_micro=score_micro_at(sequence),
        evidence=[],
        cause=_CAUSE,
        effective_at=NOW_MS,
        act_before=NOW_MS + 3_600_000,
        lag_ms=3,
    )


_CAUSE = Cause(kind="INTERACTION", topic="interactions", partition=0, offset=1, event_id="i-1", occurred_at=NOW_MS, detail="VISIT")


def _decided(account_id: str, generation: str, owner: str | None, application: str) -> dict[str, Any]:
    return {
        "account_id": account_id, "generation": generation, "application": application, "policy": "sabc", "policy_version": "1",
        "policy_digest": "d", "decided_at": NOW_MS, "mode": "LIVE", "owner_id": owner,
    }  # fmt: skip


def publish(settings: Settings, units: Iterable[Sequence[Published]], transactional_id: str = "published") -> None:
    """Each unit in a transaction of its own, as a lane commits it."""
    producer, codec = clients.transactional_producer(settings, f"{settings.topic_prefix}{transactional_id}"), Codec()
    producer.init_transactions(30)
    for unit in units:
        producer.begin_transaction()
        for topic, account_id, record in unit:
            payload, number = codec.encode(record) if record is not None else None, partition_for(account_id.encode(), settings.partitions)
            producer.produce(settings.topic_name(topic), payload, account_id.encode(), partition=number)
        producer.commit_transaction(30)
