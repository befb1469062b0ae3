"""The worked examples of `docs/policies/` are what the engine does: under each block that has a table, every row is computed again."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from schemas.json_values import from_json
from schemas.records import Event
from streams.policy import load_policy_text
from streams.schemes import SCHEME_KINDS
from streams.units import points_text
from tests.folding import Folding
from tests.house.test_policy_docs import DOCS, whole

PAGES = sorted((DOCS / "policies").glob("*.md"))
CHINA = timezone(timedelta(hours=8))
EXAMPLE = re.compile(r"^```yaml\n(.*?)^```\n\n\| at \| what comes \| tier \| points \|\n\|.*?\n(.*?)\n\n", re.DOTALL | re.MULTILINE)
WITHOUT_A_TABLE = {"score"}
"""`score` is worked through in README.md and docs/time.md."""


class Example(NamedTuple):
    """A policy, and what becomes of an account under it, a row each: when, what, tier, points."""

    page: str
    block: str
    rows: list[list[str]]


def examples() -> Iterator[Example]:
    for page in PAGES:
        for block, table in EXAMPLE.findall(page.read_text(encoding="utf-8")):
            yield Example(page.stem, block, [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()])


def midnight_ms(day: str) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=CHINA).timestamp() * 1000)


def told(what: str, at: str, number: int) -> Event:
    """The record of a row: its topic and what it carries, in YAML."""
    ((topic, carried),) = yaml.safe_load(what).items()
    plain = {name: midnight_ms(str(entry)) if isinstance(entry, date) else entry for name, entry in carried.items()}
    said: dict[str, Any] = {"event_id": f"e{number}", "account_id": "acme", "occurred_at": midnight_ms(at), **plain}
    record = from_json(topic, said, 1_000)
    assert isinstance(record, Event), what
    return record


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example.page}-{example.rows[0][0]}")
def test_a_worked_example_is_what_the_engine_does(example: Example) -> None:
    f = Folding(load_policy_text(whole(example.block), example.page))
    scheme = f.policy.scheme_names[0]
    for number, (at, what, tier, points) in enumerate(example.rows):
        if what == "`tick`":
            f.tick(midnight_ms(at))
        else:
            f.fold(told(what.strip("`"), at, number))
        standing = f.partition.view("acme", midnight_ms(at))["schemes"][scheme]
        assert (standing["published"], points_text(standing["rating"]["points_micro"])) == (tier, points), at


def test_every_kind_of_scheme_has_a_worked_example() -> None:
    shown = {scheme["kind"] for example in examples() for scheme in yaml.safe_load(example.block)["schemes"].values()}
    assert set(SCHEME_KINDS) - shown == WITHOUT_A_TABLE


def test_the_pages_are_there() -> None:
    assert {path.stem for path in PAGES} >= {"tracks", "conditions", "bands", "matrix", "lifecycle"}
    assert all(Path(page).stat().st_size for page in PAGES)
