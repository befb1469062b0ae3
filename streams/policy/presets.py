"""Presets: parts that many policies have in common, by name, so that a policy that `extends` them repeats nothing.

A preset's entries are put under the policy's own, section by section: what the policy says of an entry replaces the preset's, and null
takes it away. Presets are part of the engine, so that a policy means the same wherever its text is read.
"""

from typing import Any

_PAID = {"from": "orders", "status": ["PAID"], "window": "365d"}
_SETTLED = {"from": "invoices", "count": "invoice", "status": ["PAID"], "window": "365d"}

PRESETS: dict[str, dict[str, Any]] = {
    "orders": {
        "measures": {
            "orders_12m": {**_PAID, "count": "order"},
            "revenue_12m": {**_PAID, "sum": "amount"},
        }
    },
    "repurchase": {
        "measures": {
            "orders_12m": {**_PAID, "count": "order"},
            "repeats_12m": {**_PAID, "count": "order", "where": {"recurring": True}},
            "repurchase": {"ratio": "repeats_12m", "to": "orders_12m", "while_zero": 0},
        }
    },
    "payment": {
        "measures": {
            "invoices_12m": _SETTLED,
            "on_time_12m": {**_SETTLED, "where": {"on_time": True}},
            "punctuality": {"ratio": "on_time_12m", "to": "invoices_12m", "while_zero": 0},
        }
    },
}
"""Name -> parts of a policy: the orders of the last 12 months (002-21), what share of them are repeat orders, payment on time (001-02)."""

PRESET_NAMES = tuple(PRESETS)


def extended(raw: dict[str, Any]) -> dict[str, Any]:
    """The policy with what it extends put under it; a name that is no preset is left for validation to find."""
    named = raw.get("extends")
    names = named if isinstance(named, list) else []
    found = dict(raw)
    for name in reversed([name for name in names if isinstance(name, str) and name in PRESETS]):
        for section, entries in PRESETS[name].items():
            own = found.get(section, {})
            if isinstance(own, dict):
                found[section] = {**entries, **own}
    return {section: _without_nulls(content) for section, content in found.items()} if names else found


def _without_nulls(content: Any) -> Any:
    return {name: entry for name, entry in content.items() if entry is not None} if isinstance(content, dict) else content
