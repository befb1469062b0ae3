"""What options say: instants, lengths of time, shares by tier. Each mistake is one sentence that names the option."""

from collections.abc import Callable
from typing import TypeVar

from schemas.errors import SettingsError

Said = TypeVar("Said")


def instant_ms(option: str, text: str | None) -> int | None:
    """An instant in ISO 8601 with a zone."""
    from schemas.instants import from_iso

    return None if text is None else _read(option, text, from_iso)


def length_ms(option: str, text: str | None) -> int | None:
    """A duration such as 30d."""
    from streams.units import duration_ms

    return None if text is None else _read(option, text, duration_ms)


def shares(option: str, text: str | None) -> dict[str, float] | None:
    """Tier -> share of 1, from percent; they sum to 100."""
    if text is None:
        return None
    found = {tier: _read(option, share, _percent) for tier, share in _pairs(option, text)}
    if abs((total := sum(found.values())) - 1) > 1e-9:
        raise SettingsError(f"{option} must sum to 100 percent, got {100 * total:g}")
    return found


def durations(option: str, text: str | None) -> dict[str, int] | None:
    """Tier -> length of time."""
    from streams.units import duration_ms

    return None if text is None else {tier: _read(option, length, duration_ms) for tier, length in _pairs(option, text)}


def _pairs(option: str, text: str) -> list[tuple[str, str]]:
    pairs = [(tier.strip(), said.strip()) for tier, _, said in (part.partition("=") for part in text.split(","))]
    if not all(tier and said for tier, said in pairs) or len(dict(pairs)) < len(pairs):
        raise SettingsError(f"{option} must be TIER=...,TIER=..., each tier once, got {text!r}")
    return pairs


def _percent(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        raise ValueError(f"must be a percentage, got {text!r}") from None
    if not 0 <= share <= 1:
        raise ValueError(f"must be 0 to 100 percent, got {text!r}")
    return share


def _read(option: str, text: str, read: Callable[[str], Said]) -> Said:
    try:
        return read(text)
    except ValueError as fault:
        raise SettingsError(f"{option} {fault}") from None
