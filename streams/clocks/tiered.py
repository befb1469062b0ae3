"""What all compiled clocks have in common: they read a tier, and have a limit and a consequence for each."""

from typing import Any

from schemas.records import CauseKind
from streams.clocks.common import Consequence, Follows, TieredSpec, WarningSpec, limit_text, limits_of, of_tier
from streams.kinds import Row


class TieredClock:
    """Base of the compiled clocks: what does not depend on what they wait for."""

    cause: CauseKind = "CLOCK"
    _business_days = False

    def __init__(
        self, name: str, spec: TieredSpec, scheme: str, tiers: tuple[str, ...], limits: Any, then: Any, *, warns_only: bool
    ) -> None:
        self.name, self.scheme, self.tiers, self.warns_only = name, scheme, tiers, warns_only
        self._by_tier = isinstance(limits, dict)
        self._limits = limits_of(limits, tiers)
        self._then: list[Consequence | None] = [of_tier(then, tier) for tier in tiers]
        reads = spec.reads or ("published" if warns_only else "earned")
        self._tier = f"schemes.{scheme}.{reads}"
        self._since = f"schemes.{scheme}.{'since_ms' if reads == 'earned' else 'effective_at_ms'}"

    def owned_again(self, row: Row) -> None:
        """Nothing: who never recycles has nothing to begin anew."""

    def tier(self, row: Row) -> int:
        """The tier that counts."""
        return int(row[self._tier])

    def consequence(self, tier: int) -> Follows | WarningSpec | None:
        """What follows for an account in this tier when the clock runs out; None: nothing."""
        return self._then[tier]

    def limit_ms(self, tier: int) -> int:
        """The limit for a tier, in ms."""
        return self._limits[tier]

    def limit_text(self, tier: int) -> str:
        """The limit for a tier as people write it."""
        return limit_text(self._limits[tier], self._business_days)
