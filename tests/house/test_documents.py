"""The documents are true where a program can tell: tables, metrics, reasons, tests, files and links that they name."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents.counters import LaneCounters
from agents.lagging import Lagging
from agents.lanes import Lanes
from agents.metric_catalogue import LABELS, METRICS, PROJECTION
from agents.metrics import exposition
from agents.projecting.counting import ProjectionCounters
from agents.projecting.metrics import ProjectionCollector
from agents.settings import ENV_PREFIX, load_settings
from schemas.errors import Reason
from tests.folding import shipped
from tests.house.documents import OPERATIONS, TABLES, documents, fences, leads_somewhere, prose, with_tables
from tests.house.tree import ROOT, place

PAGES = list(documents())
COVERAGE = ROOT / "docs" / "coverage.md"
FACTS = {"000": 19, "001": 30, "002": 37, "003": 14, "004": 12}
"""How many facts each source document has; beside them stand 15 open questions and 15 fixtures."""
LONGEST = 160
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TEST = re.compile(r"`(tests/[\w./]+\.py)(?:::(\w+))?`")
_FILE = re.compile(r"`((?:schemas|streams|agents|policies|docs|tests|benchmarks|ops)/[\w./-]*\.\w+)`")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.name)
def test_tables_are_what_the_code_says(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == with_tables(page), (
        f"{page} is out of date: `python -m tests.house.documents` writes its tables"
    )


def test_a_worker_shows_every_metric_of_the_catalogue_and_no_other() -> None:
    settings = load_settings()
    lanes = Lanes(settings, shipped("sabc"), lambda: 0)
    lanes.counters[0] = LaneCounters()
    lagging = Lagging(lanes, lambda: 0, lambda _: {})
    shown = {
        (family.name + ("_total" if family.type == "counter" else ""), family.type, family.documentation)
        for family in text_string_to_metric_families(exposition(lanes, lagging, settings).decode())
    }
    assert shown == {(metric.name, metric.type, metric.means) for metric in METRICS.values()}


def test_a_projection_shows_every_metric_of_its_table_and_no_other() -> None:
    shown = [
        (family.name + ("_total" if family.type == "counter" else ""), family.type, family.documentation)
        for family in ProjectionCollector({0: ProjectionCounters()}).collect()
    ]
    assert shown == [(metric.name, metric.type, metric.means) for metric in PROJECTION.values()]


def test_every_metric_that_a_page_names_is_in_the_catalogue() -> None:
    parts = re.compile(r"\b(tierstream_[a-z_]+?)(?:_bucket|_sum|_count)?\b(?!-)")
    named = {(page.name, found) for page in PAGES for found in parts.findall(page.read_text(encoding="utf-8"))}
    assert sorted(each for each in named if each[1] not in METRICS | PROJECTION) == []


def test_metrics_are_named_as_prometheus_wants_it_and_none_has_a_label_without_bounds() -> None:
    for name, metric in (METRICS | PROJECTION).items():
        assert name.endswith("_total") == (metric.type == "counter"), name
        assert metric.type != "histogram" or name.endswith("_seconds"), name
        assert set(metric.labels) <= set(LABELS), name
    for name, metric in METRICS.items():
        assert metric.type != "gauge" or not metric.labels or metric.labels[0] == "partition" or name.endswith("_info"), name
    assert {label for metric in (METRICS | PROJECTION).values() for label in metric.labels} == set(LABELS)


def test_every_reason_of_a_dead_letter_is_in_the_manual() -> None:
    described = re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(name for name in described if not name.startswith(ENV_PREFIX)) == sorted(Reason)


@each_page
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = [(ROOT / file, test) for file, test in _TEST.findall(page.read_text(encoding="utf-8"))]
    assert [f"{file}::{test}" for file, test in named if not file.is_file() or (test and test not in _tests(file))] == []


@each_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    assert [name for name in _FILE.findall(page.read_text(encoding="utf-8")) if not (ROOT / name).is_file()] == []


@each_page
def test_no_link_is_dead(page: Path) -> None:
    links = [link for link in _LINK.findall(prose(page)) if "://" not in link]
    assert [link for link in links if not leads_somewhere(page, link)] == []


def test_every_page_of_the_documents_is_linked_from_another() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in _LINK.findall(prose(page)) if "://" not in link
    }
    folders = {page.parent for page in linked if page.name == "README.md"} | {page for page in linked if page.is_dir()}
    assert sorted(str(page.relative_to(ROOT)) for page in PAGES if page not in linked and page.parent not in folders) == ["README.md"]


@each_page
def test_lines_can_be_read(page: Path) -> None:
    """Tables apart, whose rows cannot be broken, and the page that `make bench` writes."""
    if page.name == "benchmarks.md":
        return
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
    assert [place(page, number) for number, line in lines if len(line) > LONGEST and not line.startswith("|")] == []


def test_guarantees_name_a_test_for_each_promise() -> None:
    promised = [line for line in (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [line for line in promised if not line.startswith("| promise ")]
    assert len(rows) > 20
    assert [row for row in rows if not _TEST.search(row)] == []


def test_every_fact_question_and_fixture_of_the_source_documents_is_met_or_said_to_be_missing() -> None:
    asked = {f"{document}-{number:02}" for document, count in FACTS.items() for number in range(1, count + 1)}
    asked |= {f"{kind}{number}" for kind in ("Q", "fixture ") for number in range(1, 16)}
    named = {fact for row in _coverage() for fact in _facts(row[0])}
    assert sorted(asked ^ named) == []


def test_a_fact_that_is_met_names_a_test_and_one_that_is_not_says_why() -> None:
    met = [row for row in _coverage() if not _TEST.search(row[-1])]
    said = COVERAGE.read_text(encoding="utf-8").partition("## Missing")[2]
    assert [row[0] for row in met if f"| {row[0]} |" not in said] == []
    assert [row[0] for row in _coverage() if not all(row)] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = _LINK.findall((folder / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(page.name for page in folder.glob("0*.md"))


def test_commands_that_are_run_are_marked() -> None:
    assert fences(ROOT / "README.md", "sh run")


def _coverage() -> list[list[str]]:
    """The rows of the tables of coverage, without their headings."""
    rows = [line.strip("|").split(" | ") for line in COVERAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows if row[0].strip() != "fact"]


def _facts(named: str) -> set[str]:
    """`000-01..03, Q8` are 000-01, 000-02, 000-03 and Q8. What stands in brackets says which part is meant."""
    found = set(re.findall(r"\b(?:\d{3}-\d\d|Q\d+|fixture \d+)\b", named))
    for document, first, last in re.findall(r"\b(\d{3})-(\d\d)\.\.(\d\d)\b", named):
        found |= {f"{document}-{number:02}" for number in range(int(first), int(last) + 1)}
    return found


@cache
def _tests(file: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef))
