"""The policies that runs are made under: those of the tests, which the oracle understands, and those that are shipped."""

from functools import cache
from typing import Any
from unittest.mock import patch

import msgspec
import yaml

from streams.columns import Column, Layout, laid_out
from streams.policy import CompiledPolicy, load_policy
from tests.folding import JUDGED, SHIPPED

FILES = {path.stem: path for path in (*JUDGED, *SHIPPED)}
UNDERSTOOD = frozenset(path.stem for path in JUDGED)
"""What the oracle can recompute."""


@cache
def policy_of(name: str, moved: bool = False) -> CompiledPolicy:
    """A policy by name. `moved`: as another version of the engine would lay its rows out, one column more and in another order."""
    with patch("streams.policy.compiled.laid_out", _moved if moved else laid_out):
        return load_policy(FILES[name])


FOLLOWS = (".deadline_ms", ".kept")
"""Columns that follow from others: a version that means something else by them works them out again."""


def _moved(columns: list[Column]) -> Layout:
    other = [msgspec.structs.replace(each, identity="another") if each.name.endswith(FOLLOWS) else each for each in columns]
    return laid_out([Column("spare.word", "<i8", "of another version"), *reversed(other)])


@cache
def document_of(name: str) -> dict[str, Any]:
    """A policy's file as the oracle reads it."""
    return dict(yaml.safe_load(FILES[name].read_text()))
