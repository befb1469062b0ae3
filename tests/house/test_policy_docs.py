"""The examples in `docs/policies.md` and beside it are policies: each block loads, and every kind of part has one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.clocks import CLOCK_KINDS
from streams.dimensions import DIMENSION_KINDS
from streams.measures import MEASURE_KINDS
from streams.policy import load_policy_text
from tests.folding import SMALL

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "policies.md", *sorted((DOCS / "policies").glob("*.md"))))
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


def whole(block: str) -> str:
    """The block, and what it leaves out."""
    named = set(yaml.safe_load(block))
    rest = {part: content for part, content in SMALL.items() if part not in named}
    return block + (yaml.safe_dump(rest, sort_keys=False) if rest else "")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[1].strip().split(":")[0])
def test_an_example_loads(block: str) -> None:
    assert load_policy_text(whole(block), "an example").columns


@pytest.mark.parametrize(("section", "kinds"), [("measures", MEASURE_KINDS), ("dimensions", DIMENSION_KINDS), ("clocks", CLOCK_KINDS)])
def test_every_kind_has_an_example(section: str, kinds: dict[str, Any]) -> None:
    shown = [entry for block in BLOCKS for entry in yaml.safe_load(block).get(section, {}).values()]
    assert [kind for kind in kinds if not any(kind in entry for entry in shown)] == []
