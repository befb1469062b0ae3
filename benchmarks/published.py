"""What a worker publishes, made up: transitions with their accounts' records, as much explained as those of `sabc-live` are. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.workload import account_id
from schemas.records import AccountTiers, Cause, Contribution, Stage, Standing, TierTransition
from schemas.records.outputs import DimensionChange, Forecast

_TIERS = ("C", "B", "A", "S")
_OWNERS = 50
_SCHEME, _DIGEST = "sabc", "sha256:" + 64 * "7"
_DAY_MS = 86_400_000


class Unit(NamedTuple):
    """What is committed together: why an account moved, and where it is since."""

    transition: TierTransition
    tiers: AccountTiers


def units(application: str, accounts: int, transitions: int, at_ms: int) -> Iterator[Unit]:
    """So many transitions, one of each account in turn, each a millisecond after the one before."""
    for number in range(transitions):
        yield _unit(application, number % accounts, 1 + number // accounts, at_ms + number)


def _unit(application: str, number: int, sequence: int, at_ms: int) -> Unit:
    tier, score = _tier(number, sequence), _score_micro(number, sequence)
    said: dict[str, Any] = {
        "account_id": account_id(number), "generation": f"profiles:{number % 8}:{number}", "application": application,
        "policy": "sabc-live", "policy_version": "2026.1", "policy_digest": _DIGEST, "decided_at": at_ms, "mode": "LIVE",
        "owner_id": f"owner-{number % _OWNERS:03d}" if number % 5 else None,
    }  # fmt: skip
    standing = Standing(scheme=_SCHEME, tier=tier, earned_tier=tier, sequence=sequence, effective_at=at_ms, score_micro=score)
    return Unit(
        TierTransition(
            **said, transition_id=f"{said['generation']}:{_SCHEME}:{sequence}", scheme=_SCHEME, sequence=sequence,
            from_tier=_tier(number, sequence - 1) if sequence > 1 else None, to_tier=tier, direction="OTHER" if sequence > 1 else "ENTRY",
            effective_at=at_ms, lag_ms=12, score_before_micro=_score_micro(number, sequence - 1), score_after_micro=score,
            cause=Cause(kind="INTERACTION", topic="interactions", partition=number % 8, offset=number, event_id=f"{number:08x}-{sequence}",
                        occurred_at=at_ms, detail="PRICE_INQUIRY"),
            **_explained(tier, score, at_ms),
        ),
        AccountTiers(**said, revision=sequence, standings=[standing], effective_at=at_ms),
    )  # fmt: skip


def _explained(tier: str, score: int, at_ms: int) -> dict[str, Any]:
    """The ledger, whose lines sum to the score; the stages; what comes next."""
    part = score // 8
    lines = ("size", "industry", "VISIT", "EMAIL_OPEN", "DOWNLOAD", "PRICE_INQUIRY", "conversion")
    micros = [part] * 6 + [score - 6 * part]
    dimensions = ("attributes", "attributes", "behaviour", "behaviour", "behaviour", "behaviour", "prediction")
    return {
        "dimensions": [
            DimensionChange(name=name, before_micro=part, after_micro=2 * part, weighted_micro=part)
            for name in ("attributes", "behaviour", "prediction")
        ],
        "contributions": [
            Contribution(dimension=dimension, line=line, micro=micro, count=3, last_at=at_ms)
            for dimension, line, micro in zip(dimensions, lines, micros, strict=True)
        ],
        "trail": [
            Stage(stage="earned", tier=tier, because=f"the score {score / 1e6:.1f} reaches it"),
            Stage(stage="gated", tier=tier, because="no gate holds it"),
            Stage(stage="published", tier=tier, because="it is another one than before"),
        ],
        "forecast": Forecast(at=at_ms + 30 * _DAY_MS, to_tier="C", because="interactions fade", points_to_keep_micro=2_500_000),
    }


def _tier(number: int, sequence: int) -> str:
    return _TIERS[(number + sequence) % len(_TIERS)]


def _score_micro(number: int, sequence: int) -> int:
    return (number * 7_919 + sequence * 7_300_001) % 100_000_000
