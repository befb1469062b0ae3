"""Laws of `matrix`, the first kind of scheme that does not go by the score; what they say of ratings holds for every kind."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from streams.words import Words
from tests.builders import DAY, NOON, interaction, order, prediction, profile, risk
from tests.folding import Folding, bytes_of, policy_of, restored

MEASURES = {"revenue": {"from": "orders", "sum": "amount", "status": ["PAID"], "window": "365d"}}
TIERS = [{"name": name} for name in "CBAS"]
MATRIX: dict[str, Any] = {
    "kind": "matrix",
    "tiers": TIERS,
    "rows": {"dimension": "influence", "classes": ["small", "large"], "limits": [60]},
    "columns": {"measure": "revenue", "classes": ["small", "large"], "limits": [1000]},
    "cells": [["C", "B"], ["A", "S"]],
}
INFLUENCE = {"influence": {"prediction": "influence", "fallback": 0}}


def matrix(**parts: Any) -> Any:
    return policy_of(measures=MEASURES, dimensions=INFLUENCE, score=None, schemes={"mcr": {**MATRIX, **parts}})


def influence(points: float, at: int = NOON) -> Any:
    return prediction(model="influence", score=points, at=at)


@pytest.mark.parametrize(
    ("points", "amount", "tier"), [(0, 0, "C"), (59, 99_999, "C"), (0, 100_000, "B"), (60, 0, "A"), (60, 99_999, "A"), (60, 100_000, "S")]
)
def test_003_09_the_pair_of_classes_names_the_tier(points: float, amount: int, tier: str) -> None:
    f = Folding(matrix())
    f.fold(influence(points), order(amount_minor=amount, at=NOON + 1))
    assert f.tier() == tier


def test_an_order_that_leaves_its_window_moves_the_account_at_that_very_millisecond() -> None:
    f = Folding(matrix())
    f.fold(influence(70), order(amount_minor=200_000))
    (fall,) = f.tick(NOON + 400 * DAY)
    assert (fall.from_tier, fall.to_tier, fall.effective_at, fall.cause.kind) == ("S", "A", NOON + 365 * DAY, "WINDOW")


def test_a_change_says_which_classes_made_it_and_its_ledger_sums_to_what_is_shown() -> None:
    f = Folding(matrix())
    (change,) = f.fold(influence(70))
    assert change.trail[0].because == "influence is large, revenue is small: A"
    assert (change.score_before_micro, change.score_after_micro) == (0, 66_666_667)
    assert [(line.dimension, line.line, line.micro) for line in change.contributions] == [
        ("mcr", "influence is large, revenue is small", 66_666_667)
    ]
    assert change.dimensions == []
    assert change.forecast is None


def test_the_forecast_of_a_fall_comes_true() -> None:
    f = Folding(matrix())
    *_, change = f.fold(influence(70), order(amount_minor=200_000))
    assert change.forecast is not None
    assert (change.forecast.to_tier, change.forecast.at, change.forecast.points_to_keep_micro) == ("A", NOON + 365 * DAY, None)
    (fall,) = f.tick(NOON + 365 * DAY)
    assert (fall.to_tier, fall.effective_at) == (change.forecast.to_tier, change.forecast.at)


def test_stay_steps_risks_and_triggers_work_on_it_as_on_any_ladder() -> None:
    stay = [{"name": name, "minimum_stay": "7d"} for name in "CBAS"]
    f = Folding(matrix(tiers=stay, steps={"at_most": 1, "every": "0s"}, risk={"LAWSUIT": {"ceiling": "B"}}))
    assert [change.to_tier for change in f.fold(influence(70))] == ["B", "A"]
    assert [change.to_tier for change in f.fold(influence(0, NOON + DAY))] == []
    assert [(change.to_tier, change.effective_at - NOON) for change in f.tick(NOON + 8 * DAY)] == [("B", 7 * DAY)]
    f.fold(influence(90, NOON + 9 * DAY))
    assert [change.to_tier for change in f.fold(risk(at=NOON + 10 * DAY))] == ["B"]


def test_a_scheme_by_score_and_one_by_matrix_stand_side_by_side_each_with_its_ledger() -> None:
    by_score = {"kind": "score", "tiers": [{"name": "low"}, {"name": "high", "enter_at": 50}]}
    f = Folding(policy_of(measures=MEASURES, dimensions=INFLUENCE, score={"influence": 1.0}, schemes={"mcr": MATRIX, "plain": by_score}))
    in_mcr, in_plain = f.fold(influence(70))
    assert (in_mcr.scheme, in_mcr.to_tier, in_mcr.sequence) == ("mcr", "A", 1)
    assert (in_plain.scheme, in_plain.to_tier, in_plain.sequence, in_plain.score_after_micro) == ("plain", "high", 1, 70_000_000)
    assert sum(line.micro for line in in_plain.contributions) == 70_000_000
    assert [standing.tier for standing in f.records("account-tiers")[-1].standings] == ["A", "high"]


def test_looking_at_every_record_and_restoring_change_nothing() -> None:
    records = [influence(70), order(amount_minor=200_000, at=NOON + DAY), interaction(at=NOON + 2 * DAY), influence(3, NOON + 3 * DAY)]
    f, watched = Folding(matrix()), Folding(matrix(), guarded=False)
    assert bytes_of(f.fold(*records)) == bytes_of(watched.fold(*records)) != []
    f.keep()
    again = restored(f.changelog, f.policy)
    assert again.view("acme") == f.view()
    assert [o.record.to_tier for o in again.fold_tick(NOON + 500 * DAY, "LIVE", 0) if o.topic == "tier-transitions"] == ["C"]


def test_a_profile_is_enough_to_enter() -> None:
    f = Folding(matrix())
    f.fold(profile(industry="finance"))
    assert f.tier() == "C"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"cells": [["C", "B"]]}, "cells must be 2 rows of 2 tiers"),
        ({"cells": [["C", "B"], ["A", "X"]]}, "cells.1.1: unknown tier 'X'"),
        ({"rows": {**MATRIX["rows"], "limits": [1, 2]}}, "needs a limit for each class but the lowest: 1, got 2"),
        ({"rows": {**MATRIX["rows"], "measure": "revenue"}}, "must name one of measure, dimension and profile"),
        ({"rows": {**MATRIX["rows"], "dimension": "fame"}}, "rows.dimension: unknown dimension 'fame'"),
        ({"columns": {**MATRIX["columns"], "measure": "income"}}, "columns.measure: unknown measure 'income'"),
        ({"columns": {"measure": "revenue", "classes": ["a", "b", "c"], "limits": [2, 1]}}, "limits must rise"),
    ],
)
def test_a_matrix_that_is_none_is_refused(parts: Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said.replace("(", r"\(")):
        matrix(**parts)


def test_it_says_itself_in_plain_words() -> None:
    spec = matrix(risk={"LAWSUIT": {"ceiling": "B"}}).document.schemes["mcr"]
    said = [each.text for each in spec.said(Words({}, "CNY"))]
    assert said == [
        "influence is large from 60 points on; revenue is large from 1,000 on",
        "influence small and revenue small make C; influence small and revenue large make B; "
        "influence large and revenue small make A; influence large and revenue large make S",
        "at most B while a risk is open: lawsuit",
    ]
