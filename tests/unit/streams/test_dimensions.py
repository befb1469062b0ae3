"""Laws of the kinds of dimension: table, linear, prediction."""

from typing import Any

import pytest

from tests.builders import NOON, interaction, prediction, profile
from tests.folding import Folding, measured, policy_of

FIELDS: dict[str, Any] = {
    "industry": {"weight": 50, "values": {"finance": 100, "retail": 30, "other": 10}},
    "qualifications": {"weight": 20, "each": 40, "at_most": 90},
    "executive_relation": {"weight": 10, "values": {"true": 100}},
    "industry_rank": {"weight": 10, "values": {"1": 100, "2": 50}},
    "custom.fit": {"weight": 10, "values": {"good": 80}},
}


def tabled() -> Folding:
    return Folding(policy_of(dimensions={"d": {"table": FIELDS}}, score={"d": 1.0}))


@pytest.mark.parametrize(
    ("known", "points"),
    [
        ({}, 0.0),
        ({"industry": "finance"}, 50.0),
        ({"industry": "retail"}, 15.0),
        ({"industry": "anything else"}, 5.0),
        ({"qualifications": []}, 0.0),
        ({"qualifications": ["a"]}, 8.0),
        ({"qualifications": ["a", "b", "c"]}, 18.0),
        ({"executive_relation": True}, 10.0),
        ({"executive_relation": False}, 0.0),
        ({"industry_rank": 2}, 5.0),
        ({"industry_rank": 7}, 0.0),
        ({"custom": {"fit": "good"}}, 8.0),
        ({"custom": {"other": "good"}}, 0.0),
        ({"industry": "finance", "qualifications": ["a", "b", "c"], "industry_rank": 1, "custom": {"fit": "good"}}, 86.0),
    ],
)
def test_a_table_gives_each_field_its_points_by_weight(known: dict[str, Any], points: float) -> None:
    f = tabled()
    f.fold(profile(**known))
    assert f.score() == pytest.approx(points, abs=1e-6)


def test_a_missing_field_is_worth_nothing_and_is_listed() -> None:
    f = tabled()
    f.fold(profile(industry="finance"))
    lines = {line["line"]: line["micro"] for line in f.view()["contributions"]}
    assert lines["industry"] == 50_000_000
    assert {name for name, micro in lines.items() if name.endswith(" missing") and micro == 0} == {
        "qualifications missing", "executive_relation missing", "industry_rank missing", "custom.fit missing",
    }  # fmt: skip


def stretched(low: float, high: float) -> Folding:
    return Folding(measured({"from": "interactions", "points": {"GAIN": 10, "LOSS": -10}}, low, high))


@pytest.mark.parametrize(
    ("low", "high", "gains", "points"),
    [(0, 40, 0, 0), (0, 40, 1, 25), (0, 40, 4, 100), (0, 40, 5, 100), (20, 40, 1, 0), (20, 40, 3, 50), (-10, 10, 0, 50), (-10, 10, 1, 100)],
)
def test_a_stretch_is_worth_0_at_from_and_100_at_to_and_is_cut_off_beyond(low: float, high: float, gains: int, points: float) -> None:
    f = stretched(low, high)
    f.fold(interaction(kind="CALL"), *(interaction(kind="GAIN") for _ in range(gains)))
    assert f.score() == points


@pytest.mark.parametrize(("gains", "limited"), [(6, -50_000_000), (4, None)])
def test_what_the_limit_took_away_is_a_line_of_its_own(gains: int, limited: int | None) -> None:
    f = stretched(0, 40)
    f.fold(*(interaction(kind="GAIN") for _ in range(gains)))
    lines = {line["line"]: line["micro"] for line in f.view()["contributions"]}
    assert (lines["GAIN"], lines.get("limited")) == (gains * 25_000_000, limited)


def test_below_from_the_limit_gives_back_what_is_missing() -> None:
    f = stretched(20, 40)
    f.fold(interaction(kind="GAIN"), interaction(kind="LOSS"), interaction(kind="LOSS"))
    lines = {line["line"]: line["micro"] for line in f.view()["contributions"]}
    assert lines == {"GAIN": 50_000_000, "LOSS": -100_000_000, "from": -100_000_000, "limited": 150_000_000}


def test_a_prediction_falls_back_while_the_model_is_silent() -> None:
    f = Folding(policy_of(dimensions={"ai": {"prediction": "conversion", "fallback": 42}}))
    f.fold(prediction(score=99.0, model="another"))
    assert f.score() == 42.0
    assert f.view()["contributions"] == [{"dimension": "ai", "line": "fallback", "micro": 42_000_000, "count": None, "last_at": None}]
    f.fold(prediction(score=0.0))
    assert f.score() == 0.0
    assert f.view()["contributions"][0]["line"] == "score"


def test_the_latest_prediction_stands() -> None:
    f = Folding(policy_of())
    f.fold(prediction(score=70.0, at=NOON + 1), prediction(score=30.0, at=NOON))
    assert f.score() == 70.0
