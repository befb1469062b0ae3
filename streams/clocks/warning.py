"""What the clocks that only warn have in common: they move no tier, and have a warning for each that they watch."""

from typing import Any

from streams.clocks.common import TieredSpec, WarningSpec
from streams.clocks.tiered import TieredClock
from streams.kinds import Row
from streams.units import UNBOUNDED


class WarningClock(TieredClock):
    """Base of the compiled clocks that only warn."""

    def __init__(self, name: str, spec: TieredSpec, scheme: str, tiers: tuple[str, ...], limits: Any, then: Any) -> None:
        super().__init__(name, spec, scheme, tiers, limits, then, warns_only=True)

    def watches(self, tier: int) -> bool:
        """Whether accounts in this tier are watched."""
        return self._limits[tier] < UNBOUNDED and self._then[tier] is not None

    def in_tier_ms(self, row: Row) -> int:
        """Since when the account is in its tier, where that matters."""
        return int(row[self._since]) if self._by_tier else 0

    def ceiling(self, row: Row) -> int:  # noqa: ARG002
        """It leaves every tier."""
        return len(self.tiers) - 1

    def contacts(self, tier: int) -> bool:
        """Whether its warning asks to contact the customer: a notice to the owner, unless the policy says so."""
        warning = self._then[tier]
        return isinstance(warning, WarningSpec) and warning.contact is True
