"""Breakpoints from real data: quantiles that accounts really have, and YAML that the policy then takes."""

import json
from math import inf
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.policy import load_policy_text
from streams.policy.quantiles import breakpoints, snippet
from tests.folding import SMALL
from tests.unit.agents.test_command_line import tierstream


def test_a_quantile_is_the_smallest_number_that_so_many_are_at_or_below() -> None:
    found = breakpoints("m", [float(number) for number in range(1, 11)], 5)
    assert found.points == [(1, 10), (2, 20), (4, 40), (6, 60), (8, 80), (10, 100)]


def test_a_number_that_many_share_is_one_breakpoint_with_all_of_them_at_or_below_it() -> None:
    assert breakpoints("m", [0.0] * 7 + [1.0, 2.0, 3.0], 5).points == [(0, 70), (1, 80), (3, 100)]
    assert breakpoints("m", [5.0] * 9, 5).points == [(5, 100)]


def test_who_has_no_number_yet_is_counted_apart() -> None:
    found = breakpoints("m", [inf, 1.0, 2.0, inf], 2)
    assert (found.accounts, found.endless, found.points) == (4, 2, [(1, 50), (2, 100)])
    assert breakpoints("m", [], 5).points == []


def document(dimension: dict[str, Any]) -> str:
    money = {"from": "orders", "sum": "amount", "status": ["PAID"], "window": "365d"}
    return yaml.safe_dump({**SMALL, "measures": {"m": money}, "dimensions": {"d": dimension}, "score": {"d": 1.0}})


@pytest.mark.parametrize("kind", ["percentile", "bands"])
def test_what_is_printed_is_a_dimension_that_a_policy_takes(kind: str) -> None:
    found = breakpoints("m", [0.0, 0.0, 10.5, 20.0, 30.0, 30.0, 40.0], 4)
    assert load_policy_text(document(snippet(kind, found, is_time=False))).dimensions


def test_what_is_printed_for_rfm_is_a_part_of_one() -> None:
    part = snippet("rfm", breakpoints("m", [10.0, 20.0, 30.0, 40.0, 50.0], 5), is_time=False) | {"weight": 1 / 3}
    assert load_policy_text(document({"rfm": {"recency": part, "frequency": part, "monetary": part}})).dimensions


def test_times_are_written_in_days_and_the_shorter_the_better() -> None:
    day = 86_400_000.0
    said = snippet("percentile", breakpoints("m", [1 * day, 10.2 * day, 30 * day], 2), is_time=True)
    assert said["percentile"] == {"measure": "m", "best": "low", "breakpoints": [
        {"at": "1d", "percent": 33.33}, {"at": "10d", "percent": 66.67}, {"at": "30d", "percent": 100.0},
    ]}  # fmt: skip


ORDERS = "account_id,occurred_at,amount\n" + "".join(f"a{number},2026-03-{number:02},{number * 100}.00\n" for number in range(1, 11))


def test_the_command_folds_an_order_history_and_asks_every_account(tmp_path: Path) -> None:
    shop = tmp_path / "shop.csv"
    shop.write_text(ORDERS, encoding="utf-8")
    said = tierstream("policy", "calibrate", "orders-rfm", str(shop), "-m", "revenue_12m", "-m", "last_order", "--json")
    assert said.returncode == 0, said.stderr
    answer = json.loads(said.stdout)
    by_name = {each["measure"]: each for each in answer["measures"]}
    assert by_name["revenue_12m"]["points"] == [[100, 10], [200, 20], [400, 40], [600, 60], [800, 80], [1000, 100]]
    assert by_name["last_order"]["points"][0] == [0, 10]  # the last instant of the log is the newest order
    shown = tierstream("policy", "calibrate", "orders-rfm", str(shop), "-m", "revenue_12m", "--kind", "rfm")
    assert "breakpoints: [200, 400, 600, 800]" in shown.stdout


def test_a_line_that_is_no_order_is_counted_and_exits_1_and_a_wrong_measure_2(tmp_path: Path) -> None:
    shop = tmp_path / "shop.csv"
    shop.write_text(ORDERS + "a11,yesterday,5\n", encoding="utf-8")
    said = tierstream("policy", "calibrate", "orders-rfm", str(shop))
    assert said.returncode == 1
    assert "1 records that were refused" in said.stderr
    wrong = tierstream("policy", "calibrate", "orders-rfm", str(shop), "-m", "revenu")
    assert wrong.returncode == 2
    assert "--measure must be a measure of orders-rfm" in wrong.stderr


def test_what_divides_nobody_is_said_and_not_pasted(tmp_path: Path) -> None:
    shop = tmp_path / "shop.csv"
    shop.write_text("account_id,occurred_at,amount\na1,2026-03-02T00:00:00Z,5\na2,2026-03-02T00:00:00Z,9\n", encoding="utf-8")
    said = tierstream("policy", "calibrate", "orders-rfm", str(shop), "-m", "revenue_12m", "--kind", "rfm")
    assert said.returncode == 0, said.stderr
    assert "breakpoints" not in said.stdout
    assert "nothing divides them" in said.stderr
    nothing = tierstream("policy", "calibrate", "cadence", str(shop))
    assert (nothing.returncode, "policy cadence has no measures" in nothing.stderr) == (2, True)
