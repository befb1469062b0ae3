"""Instants as text: ISO 8601 with a zone, to and from epoch milliseconds. Exact; what is finer than a millisecond is cut."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_iso(at_ms: int) -> str:
    """The instant in UTC, such as 2024-01-10T12:00:00.000Z. Years 1 to 9999."""
    return (_EPOCH + at_ms * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> int:
    """Epoch milliseconds of a time with a zone. Raises ValueError, whose text starts with `must`, for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a time in ISO 8601 with a zone, or epoch milliseconds, got {text[:60]!r}") from None
    if at.tzinfo is None:
        raise ValueError(f"must say its time zone, got {text[:60]!r}: append Z for UTC, or an offset such as +08:00")
    return (at - _EPOCH) // _MILLISECOND
