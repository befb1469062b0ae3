"""What a lane's thread drives: something that owns one partition and works in steps. Lanes score; projections write to Redis."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Positions(Protocol):
    """What is read, and how far."""

    def positions(self) -> dict[str, int]:
        """How far each topic has been read."""

    def ends(self) -> dict[str, int]:
        """Each topic's end, asked of the broker now, by any thread. Raises LogError."""

    def close(self) -> None:
        """Let go of the clients."""


class Known(Protocol):
    """What is known of accounts."""

    def view(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:
        """One account, None if it was never seen."""

    def overdue(self, at_ms: int) -> int:
        """How many accounts a tick at this time would look at."""


class Steps(Protocol):
    """Owns one partition from `recover` until its log is closed. One caller at a time."""

    @property
    def log(self) -> Positions:
        """What it reads."""

    @property
    def rows(self) -> Known:
        """What it knows."""

    def recover(self, given_up: Callable[[], bool], fencing: AbstractContextManager[object]) -> None:
        """Take the partition. Raises GivenUp."""

    def gather(self, timeout_s: float) -> None:
        """Read what is there."""

    def cycle(self) -> bool:
        """One unit of work. True: something was done."""

    def waiting(self) -> int:
        """Records that were read and not dealt with yet."""

    def folded_to(self) -> dict[str, int]:
        """Where each topic has been dealt with to. Asked between two units of work."""

    def offer_tick(self, at_ms: int, heartbeat_ms: int) -> None:
        """Time may pass up to an instant. Raises LogError."""
