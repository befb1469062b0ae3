"""The policies that runs are made under: those of the tests, which the oracle understands, and those that are shipped."""

from functools import cache
from typing import Any
from unittest.mock import patch

import msgspec
import yaml

from streams.columns import Column, Layout, laid_out
from streams.policy import CompiledPolicy, load_policy, load_policy_text
from streams.units import duration_ms, duration_text
from tests.folding import JUDGED, SHIPPED

FILES = {path.stem: path for path in (*JUDGED, *SHIPPED)}
UNDERSTOOD = frozenset(path.stem for path in JUDGED)
"""What the oracle can recompute, overridden or not."""


@cache
def policy_of(name: str, moved: bool = False) -> CompiledPolicy:
    """A policy by name. `moved`: as another version of the engine would lay its rows out, one column more and in another order."""
    with patch("streams.policy.compiled.laid_out", _moved if moved else laid_out):
        return load_policy_text(_written(_document(name))) if name.endswith(OVERRIDDEN) else load_policy(FILES[name])


OVERRIDDEN = "+overrides"
"""Behind a policy's name: its schemes allow overrides, whatever its file says."""


def _document(name: str) -> dict[str, Any]:
    """A policy as it may be written again."""
    document: dict[str, Any] = yaml.safe_load(FILES[name.removesuffix(OVERRIDDEN)].read_text())
    if name.endswith(OVERRIDDEN):
        for scheme in document["schemes"].values():
            scheme["override"] = {"at_most": "3650d"}
    return document


def _written(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


VARIANTS = 4
"""0 is the policy itself; 1 has lower thresholds, 2 besides another ladder, 3 a highest tier of another name and slower clocks."""


@cache
def variant_of(name: str, variant: int) -> CompiledPolicy:
    """A policy as somebody might change it."""
    document = _document(name)
    document["version"] = f"{document['version']}-{variant}" if variant else document["version"]
    first, ladder = next(iter(document["schemes"].items()))
    if variant in (1, 2):
        for tier in ladder["tiers"]:
            tier |= {limit: round(tier[limit] * 0.8, 3) for limit in ("enter_at", "leave_below") if limit in tier}
    if variant == 2:
        tiers = [{"name": "low"}, {"name": "middle", "enter_at": 40}, {"name": "high", "enter_at": 65}]
        document["schemes"]["second"] = {"kind": "score", "tiers": tiers}
        for clock in document.get("clocks", {}).values():
            clock.setdefault("scheme", first)
    if variant == 3:
        document = _renamed(document, ladder["tiers"][-1]["name"])
        for clock in document.get("clocks", {}).values():
            clock["after"] = _doubled(clock["after"])
    return load_policy_text(_written(document))


def _renamed(part: Any, name: str) -> Any:
    """The part, in which a tier has another name wherever it is named."""
    if isinstance(part, dict):
        return {f"{key}-new" if key == name else key: _renamed(inner, name) for key, inner in part.items()}
    if isinstance(part, list):
        return [_renamed(inner, name) for inner in part]
    return f"{name}-new" if part == name else part


def _doubled(after: Any) -> Any:
    if isinstance(after, dict):
        return {tier: _doubled(limit) for tier, limit in after.items()}
    return duration_text(2 * duration_ms(after))


FOLLOWS = (".deadline_ms", ".kept")
"""Columns that follow from others: a version that means something else by them works them out again."""


def _moved(columns: list[Column]) -> Layout:
    other = [msgspec.structs.replace(each, identity="another") if each.name.endswith(FOLLOWS) else each for each in columns]
    return laid_out([Column("spare.word", "<i8", "of another version"), *reversed(other)])


@cache
def document_of(name: str) -> dict[str, Any]:
    """A policy's file as the oracle reads it."""
    return _document(name)
