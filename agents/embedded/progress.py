"""How a slow step tells its caller what it does; the caller decides how it looks."""

from typing import Protocol


class Progress(Protocol):
    """Called on the caller's own thread. `done_bytes` None: a step without a size; otherwise bytes of `jars.total_bytes()` so far."""

    def __call__(self, message: str, done_bytes: int | None = None) -> None: ...


def silent(message: str, done_bytes: int | None = None) -> None:
    """Tell nobody."""
