"""Grafana's files are what the code says, and what a person needs to read them is on them."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from agents.metric_catalogue import METRICS, PROJECTION
from ops.dashboards.files import FOLDER, pages
from ops.dashboards.queries import metrics_of, series
from ops.dashboards.scope import MANUAL
from tests.house.documents import leads_somewhere
from tests.house.tree import ROOT

BOARDS = {path.name: json.loads(page) for path, page in pages().items()}
_BUILT_IN = {"__interval", "__rate_interval", "__range", "__all"}
_COLUMNS = 24

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


def test_the_files_are_what_the_code_says() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == {
        path.name: page for path, page in pages().items()
    }, "the dashboards are out of date: `python -m ops.dashboards` writes them"


@each_board
def test_grafanas_own_library_reads_them_and_leaves_nothing_out(board: Any) -> None:
    plugins.register_default_plugins()
    assert json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder)) == board


@each_board
def test_every_panel_says_what_it_shows(board: Any) -> None:
    panels = _panels(board)
    assert [panel["title"] for panel in panels if not panel["description"].strip() or not panel["targets"]] == []
    assert [panel["title"] for panel in panels if panel["type"] != "state-timeline" and "unit" not in _unit_of(panel)] == []
    assert len({panel["title"] for panel in panels}) == len(panels)


@each_board
def test_no_panel_lies_over_another(board: Any) -> None:
    places = {panel["title"]: panel["gridPos"] for panel in board["panels"]}
    assert [title for title, at in places.items() if at["x"] + at["w"] > _COLUMNS] == []
    assert [(one, other) for (one, a), (other, b) in combinations(places.items(), 2) if _overlap(a, b)] == []
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@each_board
def test_every_variable_that_is_used_can_be_chosen(board: Any) -> None:
    used = set(re.findall(r"\$\{?(\w+)", json.dumps({**board, "description": ""})))
    assert used - _BUILT_IN == {variable["name"] for variable in board["templating"]["list"]}


@each_board
def test_links_lead_to_the_manual(board: Any) -> None:
    links = [link["url"].removeprefix(f"{MANUAL}/") for link in board["links"] if link["type"] == "link"]
    assert links
    assert [link for link in links if not leads_somewhere(ROOT / "docs" / "README.md", link)] == []


def test_a_metric_that_is_not_in_the_catalogue_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        series("tierstream_scoring_lag_second")


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {
        name for board in BOARDS.values() for panel in _panels(board) for asked in panel["targets"] for name in metrics_of(asked["expr"])
    }
    assert set(METRICS | PROJECTION) - shown == {"process_virtual_memory_bytes"}  # which says nothing to anybody


def _panels(board: Any) -> list[Any]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def _unit_of(panel: Any) -> Any:
    """Where its unit stands: a heat map's is that of its axis."""
    return panel["options"]["yAxis"] if panel["type"] == "heatmap" else panel["fieldConfig"]["defaults"]


def _overlap(a: Any, b: Any) -> bool:
    return bool(a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])
