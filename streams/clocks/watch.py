"""What alerts and health have in common: something about an account is watched, a breach begins when it comes true and ends with it.

A watch has no limit of its own: it turns with a record, or at the instant at which time makes it turn, which the search for the next
change finds (`streams/deadlines.py`). It is looked at wherever the account is decided, and speaks as a clock that warns does
(`streams/breaches.py`): announced once, resolved once if it was announced.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from streams.clocks.common import Breach, Ended, Ran, TieredSpec
from streams.clocks.warning import WarningClock
from streams.columns import Column, identity
from streams.dossier import Dossier
from streams.kinds import Opener, Row
from streams.units import UNBOUNDED

_NEVER = -1
_EVERY_TIER = 1
_HUSHED = 2


class Watch(WarningClock):
    """Base of the compiled watches."""

    topics: tuple[str, ...] = ()

    def __init__(self, place: str, name: str, spec: TieredSpec, scheme: str, tiers: tuple[str, ...], then: Any, meaning: Any) -> None:
        """`place`: begins the names of its columns; `meaning`: what they mean, besides the scheme and its tiers."""
        limits: int | Mapping[str, int] = dict.fromkeys(then, _EVERY_TIER) if isinstance(then, dict) else _EVERY_TIER
        super().__init__(name, spec, scheme, tiers, limits, then)
        self._on, self._since_ms, self._told, self._breach_tier, self._ended = (
            f"{place}.{part}" for part in ("on", "since_ms", "told_ms", "breach_tier", "ended")
        )
        self._meaning = identity([meaning, scheme, tiers])
        self.columns = [
            *(Column(part, "<i8", self._meaning, start=_NEVER) for part in (self._since_ms, self._told)),
            *(Column(part, "<u1", self._meaning) for part in (self._on, self._breach_tier, self._ended)),
        ]

    # -- what each kind says -------------------------------------------------------------------------------------------

    @abstractmethod
    def _may_turn(self, row: Row, from_ms: int, to_ms: int) -> bool:
        """Whether there may be something to observe within [from_ms, to_ms]; exact for one instant."""

    @abstractmethod
    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """Every instant after `from_ms`, as far as the row knows, at which there may be; None if there may be between."""

    @abstractmethod
    def _observed(self, row: Row, dossier: Opener, at_ms: int) -> list[Breach]:
        """Take in what the instant brings; the breach that begins there."""

    @abstractmethod
    def said(self, row: Row) -> str:
        """Why there is a breach, and what resolves it."""

    # -- for the kinds -------------------------------------------------------------------------------------------------

    def _begin(self, row: Row, at_ms: int) -> list[Breach]:
        """It has come true; a tier without an action is not watched."""
        tier = self.tier(row)
        row[self._on], row[self._since_ms], row[self._breach_tier] = 1, at_ms, tier
        return self.breached(row, Dossier)

    def _end(self, row: Row) -> None:
        row[self._on] = 0
        row[self._ended] = int(row[self._told]) >= 0

    # -- for the fold --------------------------------------------------------------------------------------------------

    def may_turn(self, row: Row, from_ms: int, to_ms: int) -> bool:
        """Whether there may be something to observe within [from_ms, to_ms]; exact for one instant."""
        return int(row[self._on]) != _HUSHED and self._may_turn(row, from_ms, to_ms)

    def observe(self, row: Row, dossier: Opener, at_ms: int) -> list[Breach]:
        """Take in what the instant brings; the breach that begins there."""
        return self._observed(row, dossier, at_ms) if int(row[self._on]) != _HUSHED else []

    # -- as a clock ----------------------------------------------------------------------------------------------------

    def fold(self, row: Row, record: object, event: int, dossier: Opener, *, first: bool) -> bool:  # noqa: ARG002
        """Records reach it through what it looks at."""
        return False

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Nothing of it is in the dossier."""

    def due_ms(self, row: Row) -> int:  # noqa: ARG002
        """It has no time of its own."""
        return UNBOUNDED

    def fire(self, row: Row, dossier: Opener, at_ms: int) -> Ran:  # noqa: ARG002
        """It never runs out."""
        raise AssertionError("a watch is never due")

    def since_ms(self, row: Row) -> int:
        """Since when the breach lasts."""
        return int(row[self._since_ms]) if row[self._on] else UNBOUNDED

    def remember(self, row: Row, dossier: Opener, breach: Breach) -> None:  # noqa: ARG002
        """The breach was announced."""
        row[self._told] = breach.due_ms

    def take_ended(self, row: Row, dossier: Opener) -> list[Ended]:  # noqa: ARG002
        """The announced breach, if it is over."""
        if not row[self._ended]:
            return []
        ended = Ended(int(row[self._told]), int(row[self._breach_tier]), "", f"{self.name} is over")
        row[self._ended], row[self._told] = 0, _NEVER
        return [ended]

    def hush(self, row: Row) -> None:
        """Watch no more."""
        row[self._on] = _HUSHED

    def breached(self, row: Row, dossier: Callable[[], Dossier]) -> list[Breach]:  # noqa: ARG002
        """The breach that lasts."""
        tier = int(row[self._breach_tier])
        return [Breach(int(row[self._since_ms]), tier, "", self.said(row))] if row[self._on] and self.watches(tier) else []
