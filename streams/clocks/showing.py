"""The clocks of one account as people look at them."""

from collections.abc import Callable, Sequence
from typing import Any

from streams.clocks.common import Clock, WarningSpec
from streams.dossier import Dossier
from streams.kinds import Row
from streams.units import UNBOUNDED


def clocks_shown(clocks: Sequence[Clock], row: Row, dossier: Callable[[], Dossier]) -> list[dict[str, Any]]:
    """Each clock: since when it runs, when it runs out and what follows then (null: nothing, as things are), and breaches that last."""
    return [_shown(clock, row, dossier) for clock in clocks]


def _shown(clock: Clock, row: Row, dossier: Callable[[], Dossier]) -> dict[str, Any]:
    due_ms, since_ms = clock.due_ms(row), clock.since_ms(row)
    coming = {"due_at": due_ms, "then": _follows(clock, row)} if due_ms < UNBOUNDED else {"due_at": None, "then": None}
    breaches = [{"due_at": each.due_ms, "of": each.subject or None, "because": each.said} for each in clock.breached(row, dossier)]
    return {
        "name": clock.name,
        "scheme": clock.scheme,
        "since_at": since_ms if since_ms < UNBOUNDED else None,
        **coming,
        "breaches": breaches,
    }


def _follows(clock: Clock, row: Row) -> str:
    """`demote`, `recycle`, or the name of the action."""
    consequence = clock.consequence(clock.tier(row))
    return consequence.action if isinstance(consequence, WarningSpec) else str(consequence)
