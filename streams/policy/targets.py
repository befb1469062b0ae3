"""What share of accounts and of effort should each tier have? Said in the policy, compared in reports, decided by nobody.

The engine never moves an account to meet a target: thresholds and seats decide. So targets are no part of the policy's digest.
Source: facts 002-16, 002-17, 002-18.
"""

from collections.abc import Iterator

from pydantic import Field, field_validator

from streams.kinds import Problem, Spec, unknown
from streams.units import PositiveDurationMs


class TargetSpec(Spec):
    """The mixes that a ladder is held against."""

    accounts: dict[str, float] = Field(default={}, description="tier -> share of accounts (002-16); the shares sum to 1")
    effort: dict[str, float] = Field(default={}, description="tier -> share of touches by owners (002-17); the shares sum to 1")
    touch_every: dict[str, PositiveDurationMs] = Field(
        default={}, description="tier -> each account hears from its owner once in this time (002-18)"
    )

    @field_validator("accounts", "effort")
    @classmethod
    def _shares(cls, shares: dict[str, float]) -> dict[str, float]:
        if wrong := [f"{tier} {share:g}" for tier, share in shares.items() if not 0 <= share <= 1]:
            raise ValueError(f"shares must be 0 to 1, got {', '.join(wrong)}")
        if shares and abs((total := sum(shares.values())) - 1) > 1e-9:
            raise ValueError(f"shares must sum to 1, got {total:g}")
        return shares

    def tier_problems(self, tiers: frozenset[str]) -> Iterator[Problem]:
        """References: the tiers of the ladder."""
        for part in ("accounts", "effort", "touch_every"):
            for tier in getattr(self, part):
                if tier not in tiers:
                    yield f"{part}.{tier}", unknown("tier", tier, tiers)
