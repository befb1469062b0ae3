"""Laws of `bands` and `rfm`, and the grading by orders of 002-21 and 002-31."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from tests.builders import DAY, NOON, interaction, order
from tests.folding import Folding, policy_of, shipped

ORDERS = {"from": "orders", "status": ["PAID"]}
LAST = {"last": {**ORDERS, "since": "last"}}
COUNT = {"n": {**ORDERS, "count": "order", "window": "365d"}}


def banded(measures: dict[str, Any], bands: dict[str, Any]) -> Any:
    return policy_of(measures=measures, dimensions={"d": {"bands": bands}}, score={"d": 1.0})


def rfm(measures: dict[str, Any], **parts: Any) -> Any:
    return policy_of(measures=measures, dimensions={"d": {"rfm": parts}}, score={"d": 1.0})


def test_a_number_that_is_equal_to_the_end_of_a_band_belongs_to_the_next() -> None:
    f = Folding(banded(COUNT, {"measure": "n", "steps": [{"below": 1, "points": 5}, {"below": 3, "points": 50}, {"points": 90}]}))
    seen = []
    for _ in range(3):
        f.fold(order())
        seen.append(f.score())
    assert seen == [50, 50, 90]


def test_time_moves_an_account_through_the_bands_to_the_millisecond() -> None:
    steps = [{"below": "30d", "points": 90}, {"below": "90d", "points": 70}, {"points": 0}]
    f = Folding(banded(LAST, {"measure": "last", "steps": steps}))
    f.fold(order())
    changes = [output.record for output in f.partition.fold_tick(NOON + 400 * DAY, "LIVE", 0) if output.topic == "tier-transitions"]
    assert [(each.to_tier, each.effective_at) for each in changes] == [("B", NOON + 30 * DAY), ("C", NOON + 90 * DAY)]


def test_an_account_that_never_did_it_is_in_the_last_band() -> None:
    f = Folding(banded(LAST, {"measure": "last", "steps": [{"below": "30d", "points": 90}, {"points": 7}]}))
    f.fold(order(status="PLACED"))
    assert f.score() == 7.0
    assert [(line["line"], line["micro"]) for line in f.view()["contributions"]] == [("last", 7_000_000)]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"below": 1, "points": 5}], "every step but the last must have `below`"),
        ([{"points": 5}, {"points": 6}], "every step but the last must have `below`"),
        ([{"below": 2, "points": 5}, {"below": 2, "points": 6}, {"points": 7}], "`below` must rise"),
        ([{"below": "long", "points": 5}, {"points": 7}], "must be a duration"),
    ],
)
def test_bands_that_are_no_bands_are_refused(steps: Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        banded(COUNT, {"measure": "n", "steps": steps})


R = {"measure": "last", "weight": 0.5, "best": "low", "breakpoints": ["30d", "90d"]}
F = {"measure": "n", "weight": 0.3, "breakpoints": [2, 4]}
M = {"measure": "m", "weight": 0.2, "steps": [{"below": 1000, "points": 10}, {"points": 80}]}
MEASURES = {**LAST, **COUNT, "m": {**ORDERS, "sum": "amount", "window": "365d"}}


def test_recency_frequency_and_monetary_are_weighted_and_explained() -> None:
    f = Folding(rfm(MEASURES, recency=R, frequency=F, monetary=M))
    f.fold(order(amount_minor=99_999), order(amount_minor=1, at=NOON + DAY))
    assert f.score() == 0.5 * 100 + 0.3 * 50 + 0.2 * 80
    lines = [(line["line"], line["micro"], line["count"]) for line in f.view()["contributions"]]
    assert lines == [("recency: last", 50_000_000, None), ("frequency: n", 15_000_000, 2), ("monetary: m", 16_000_000, 2)]


def test_classes_between_breakpoints_have_equal_points_and_the_best_end_is_the_policys_choice() -> None:
    f = Folding(rfm(MEASURES, recency={**R, "weight": 0.98}, frequency={**F, "weight": 0.01}, monetary={**M, "weight": 0.01}))
    f.fold(order(amount_minor=0))
    seen = []
    for day in (0, 29, 30, 89, 90, 400):
        f.fold(interaction(at=NOON + day * DAY))
        seen.append(f.view()["contributions"][0]["micro"] / 0.98e6)
    assert [round(points) for points in seen] == [100, 100, 50, 50, 0, 0]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"recency": {**R, "weight": 0.6}}, "weights must sum to 1, got 1.1"),
        ({"recency": {**R, "steps": [{"points": 1}]}}, "either steps"),
        ({"frequency": {**F, "breakpoints": [4, 2]}}, "`below` must rise"),
        ({"monetary": {**M, "measure": "mm"}}, "dimensions.d.rfm.monetary.measure: unknown measure 'mm'"),
    ],
)
def test_an_rfm_that_does_not_add_up_is_refused(parts: Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        rfm(MEASURES, **{"recency": R, "frequency": F, "monetary": M, **parts})


def test_the_same_orders_mean_different_things_to_trade_to_subscriptions_and_to_projects() -> None:
    """002-31: F is usage or orders, M is revenue per paying month or project money."""
    window = {"window": "365d"}
    trade = rfm(MEASURES, recency=R, frequency=F, monetary=M)
    subscriptions = rfm(
        {
            "used": {"from": "interactions", "since": "last", "kinds": "FEATURE_USE"},
            "days": {"from": "interactions", "distinct_days": "FEATURE_USE", "window": "30d"},
            "arpu": {**ORDERS, "mean": "amount", "where": {"recurring": True}, **window},
        },
        recency={**R, "measure": "used"}, frequency={**F, "measure": "days"}, monetary={**M, "measure": "arpu"},
    )  # fmt: skip
    projects = rfm(
        {**LAST, **COUNT, "m": {**ORDERS, "sum": "amount", "where": {"project": True}, **window}}, recency=R, frequency=F, monetary=M
    )
    log = [order(amount_minor=60_000), order(amount_minor=60_000, recurring=True), interaction(kind="FEATURE_USE")]
    scores = []
    for policy in (trade, subscriptions, projects):
        f = Folding(policy)
        f.fold(*log)
        scores.append(f.score())
    assert scores == [50 + 15 + 16, 50 + 0 + 2, 50 + 15 + 2]


def test_silence_of_orders_moves_a_customer_down_step_by_step_at_exact_times() -> None:
    """002-21 under the shipped policy: 1,500.00 on each of four days, and never again."""
    f = Folding(shipped("orders-rfm"))
    f.fold(*(order(amount_minor=150_000, at=NOON + n * DAY) for n in range(4)))
    assert (f.score(), f.tier()) == (100 * 0.4 + 75 * 0.3 + 100 * 0.3, "S")
    changes = [output.record for output in f.partition.fold_tick(NOON + 500 * DAY, "BACKFILL", 0) if output.topic == "tier-transitions"]
    assert [(each.from_tier, each.to_tier, each.effective_at) for each in changes] == [
        ("S", "A", NOON + (3 + 90) * DAY),  # recency 50: 20 + 22.5 + 30
        ("A", "B", NOON + 365 * DAY),  # the first order leaves: 10 + 15 + 22.5
        ("B", "C", NOON + 367 * DAY),  # the third one leaves: 10 + 7.5 + 15
    ]
