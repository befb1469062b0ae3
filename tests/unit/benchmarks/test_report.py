"""The page says what was measured, as it was measured, and nothing of what is measured otherwise now."""

from pathlib import Path

import pytest

from benchmarks import figures, report
from benchmarks.catalogue import PLANS
from benchmarks.figures import Conditions, Figure

AT = Conditions("abc1234", "2026-11-22", 2, 24, "3.11.7", 0.5, 1.5)


def figure(name: str, what: str = "") -> Figure:
    plan = PLANS[name]
    runs = [{row.name: float(number + place) for place, row in enumerate(plan.rows)} for number in (30, 10, 20)]
    return Figure(name, AT, plan.sizes, runs, [], what or plan.title)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (figures, report):
        monkeypatch.setattr(module, "KEPT", tmp_path / "benchmarks.json")
    monkeypatch.setattr(report, "PAGE", tmp_path / "benchmarks.md")
    return tmp_path


def test_the_page_has_median_and_spread_of_every_row_and_says_where_it_was_taken(elsewhere: Path) -> None:
    report.keep([figure("replay")])
    page = (elsewhere / "benchmarks.md").read_text()
    assert "| records a second from `export --avro` | **20** 1/s | 10 | 30 | >= 300,000 |" in page
    assert "3 runs; commit abc1234, 2026-11-22, 2 cores, 24 GiB, Python 3.11.7, load average before 0.50, after 1.50." in page
    assert all(f"| {row.label} |" in page for row in PLANS["replay"].rows)


def test_a_figure_stays_until_it_is_taken_again_and_goes_when_it_is_taken_of_something_else(elsewhere: Path) -> None:
    report.keep([figure("ticks"), figure("replay", what="A backtest, policy `sabc`")])
    assert list(report.kept()) == ["ticks"]
    report.keep([figure("rescore")])
    assert list(report.kept()) == ["ticks", "rescore"]
    assert "backtest" not in (elsewhere / "benchmarks.md").read_text()
