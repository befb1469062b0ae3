"""What the clocks that only warn have in common: they read a tier, move none, and have a warning for each."""

from typing import Any

from schemas.records import CauseKind
from streams.clocks.common import Consequence, Follows, TieredSpec, WarningSpec, limit_text, limits_of, of_tier
from streams.kinds import Row
from streams.units import UNBOUNDED


class WarningClock:
    """Base of the compiled clocks: what does not depend on what they watch."""

    cause: CauseKind = "CLOCK"
    warns_only = True
    _business_days = False

    def __init__(self, name: str, spec: TieredSpec, scheme: str, tiers: tuple[str, ...], limits: Any, then: Any) -> None:
        self.name, self.scheme, self.tiers = name, scheme, tiers
        self._by_tier = isinstance(limits, dict)
        self._limits = limits_of(limits, tiers)
        self._then: list[Consequence | None] = [of_tier(then, tier) for tier in tiers]
        reads = spec.reads or "published"
        self._tier = f"schemes.{scheme}.{reads}"
        self._since = f"schemes.{scheme}.{'since_ms' if reads == 'earned' else 'effective_at_ms'}"

    def tier(self, row: Row) -> int:
        """The tier that counts."""
        return int(row[self._tier])

    def watches(self, tier: int) -> bool:
        """Whether accounts in this tier are watched."""
        return self._limits[tier] < UNBOUNDED and self._then[tier] is not None

    def in_tier_ms(self, row: Row) -> int:
        """Since when the account is in its tier, where that matters."""
        return int(row[self._since]) if self._by_tier else 0

    def ceiling(self, row: Row) -> int:  # noqa: ARG002
        """It leaves every tier."""
        return len(self.tiers) - 1

    def consequence(self, tier: int) -> Follows | WarningSpec | None:
        """The warning for a tier; None: it is not watched."""
        return self._then[tier]

    def limit_ms(self, tier: int) -> int:
        """The limit for a tier, in ms."""
        return self._limits[tier]

    def limit_text(self, tier: int) -> str:
        """The limit for a tier as people write it."""
        return limit_text(self._limits[tier], self._business_days)

    def contacts(self, tier: int) -> bool:
        """Whether its warning asks to contact the customer: a notice to the owner, unless the policy says so."""
        warning = self._then[tier]
        return isinstance(warning, WarningSpec) and warning.contact is True
