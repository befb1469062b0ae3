"""What `policy check` finds odd: each rule fires on the mistake that it is for, and on nothing that is shipped."""

from datetime import date, timedelta
from typing import Any, Literal

import pytest

from streams.kinds import Spec
from streams.policy import CompiledPolicy
from streams.policy.factors import factors_of
from streams.policy.linting import MOST_FACTORS, MOST_TIERS, REVIEW_DAYS, Finding, findings
from tests.folding import SHIPPED, policy_of, shipped

REVIEWED = date(2026, 1, 1)
REVENUE = {"from": "orders", "sum": "amount", "status": ["PAID"], "window": "365d"}
ORDERS = {"from": "orders", "count": "order", "status": ["PAID"], "window": "365d"}


MEANT = {"tracks": ["clocks"]}
"""What is odd about a shipped policy on purpose: the document grades by the profile alone."""


def linear(measure: str, to: float = 100) -> dict[str, Any]:
    return {"linear": {"measure": measure, "from": 0, "to": to}}


def laddered(*tiers: float, **parts: Any) -> dict[str, Any]:
    rungs = [{"name": "T0"}] + [{"name": f"T{place}", "enter_at": at} for place, at in enumerate(tiers, 1)]
    return {"abc": {"kind": "score", "tiers": rungs, **parts}}


def two_rulers(**parts: Any) -> CompiledPolicy:
    """A policy that nothing is odd about, with some of its parts replaced."""
    sound: dict[str, Any] = {
        "measures": {"revenue": REVENUE, "orders_12m": ORDERS},
        "dimensions": {"worth": linear("revenue"), "often": linear("orders_12m")},
        "score": {"worth": 0.5, "often": 0.5},
        "schemes": laddered(60, 80),
    }
    return policy_of(**{**sound, **parts})


def found(policy: CompiledPolicy, today: date = REVIEWED) -> list[Finding]:
    return findings(policy.document, today)


def paths(policy: CompiledPolicy, fact: str) -> list[str]:
    return [finding.path for finding in found(policy) if finding.fact == fact]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nothing_is_odd_about_what_is_shipped_on_the_day_of_its_review(path: Any) -> None:
    policy = shipped(path.stem)
    assert [finding.path for finding in found(policy, policy.reviewed_on)] == MEANT.get(path.stem, [])


def test_every_finding_says_where_why_and_how_to_mend_it() -> None:
    odd = [*found(policy_of()), *found(two_rulers(schemes=laddered(50)), REVIEWED + timedelta(days=400))]
    assert len(odd) > 3
    assert all(each.path and each.fact and each.text and each.mend and each.severity == "warning" for each in odd)


def test_000_14_revenue_alone_is_one_ruler_too_few() -> None:
    growth = {"change": "revenue", "over": "90d"}
    alone = two_rulers(measures={"revenue": REVENUE, "growth": growth}, dimensions={"worth": linear("revenue"), "often": linear("growth")})
    assert paths(alone, "000-14") == ["schemes.abc"]
    assert paths(two_rulers(), "000-14") == []


def test_a_measure_may_be_called_as_the_field_that_it_sums() -> None:
    years = {"from": "orders", "status": ["PAID"], "yearly_weighted": "amount", "weights": [0.6, 0.4]}
    alone = two_rulers(measures={"amount": years}, dimensions={"worth": linear("amount")}, score={"worth": 1.0})
    assert paths(alone, "000-14") == ["schemes.abc"]


def test_004_10_a_single_criterion_is_found_whatever_it_is() -> None:
    assert paths(policy_of(), "004-10")[0] == "schemes.abc"
    assert "conversion" in found(policy_of())[0].text


def test_001_29_too_fine_a_ladder_and_too_coarse_a_one() -> None:
    assert paths(two_rulers(schemes=laddered(*range(10, 10 + 10 * (MOST_TIERS - 1), 10))), "001-29") == []
    assert paths(two_rulers(schemes=laddered(*range(10, 10 + 10 * MOST_TIERS, 10))), "001-29") == ["schemes.abc.tiers"]
    assert paths(two_rulers(schemes=laddered(50)), "001-29") == ["schemes.abc.tiers"]


def test_004_10_more_indicators_than_anybody_can_explain() -> None:
    fields = {f"custom.f{place}": {"weight": 100 / (MOST_FACTORS - 1), "each": 25} for place in range(MOST_FACTORS - 1)}
    at_most = two_rulers(dimensions={"worth": {"table": fields}, "often": linear("orders_12m")}, measures={"orders_12m": ORDERS})
    too_many = two_rulers(dimensions={"worth": {"table": fields}, "often": {"prediction": "m", "fallback": 0}, "b": linear("orders_12m")},
                          measures={"orders_12m": ORDERS}, score={"worth": 0.5, "often": 0.25, "b": 0.25})  # fmt: skip
    assert paths(at_most, "004-10") == []
    assert paths(too_many, "004-10") == ["schemes.abc"]


def test_004_10_a_policy_that_time_does_not_touch_goes_stale() -> None:
    plain = {"from": "interactions", "points": {"VISIT": 1}}
    dimensions = {"worth": linear("m"), "often": {"prediction": "p", "fallback": 0}}
    assert paths(two_rulers(measures={"m": plain}, dimensions=dimensions), "004-10") == ["clocks"]
    assert paths(two_rulers(measures={"m": plain | {"half_life": "30d"}}, dimensions=dimensions), "004-10") == []
    silence = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": "demote"}}
    assert paths(two_rulers(measures={"m": plain}, dimensions=dimensions, clocks=silence), "004-10") == []


def test_a_tier_that_no_score_reaches_is_found_to_the_micro_point() -> None:
    table = {"industry": {"weight": 100, "values": {"finance": 60}}}
    capped = {"dimensions": {"worth": {"table": table}, "often": linear("orders_12m")}, "measures": {"orders_12m": ORDERS}}
    assert paths(two_rulers(**capped, schemes=laddered(60, 80)), "002-08") == []
    unreachable = two_rulers(**capped, schemes=laddered(60, 80.000001))
    assert paths(unreachable, "002-08") == ["schemes.abc.tiers.2.enter_at"]
    lifted = [{"when": {"orders_12m": {"at_least": 3}}, "lift_to": "T2"}]
    assert paths(two_rulers(**capped, schemes=laddered(60, 90, triggers=lifted)), "002-08") == []


def matrix(top: str) -> dict[str, Any]:
    axis = {"measure": "orders_12m", "classes": ["small", "large"], "limits": [5]}
    tiers = [{"name": name} for name in ("C", "B", "A")]
    rows = {"measure": "revenue", "classes": ["small", "large"], "limits": [5]}
    return {"abc": {"kind": "matrix", "tiers": tiers, "rows": rows, "columns": axis, "cells": [["C", "B"], ["B", top]]}}


def test_003_09_a_tier_of_a_matrix_that_no_cell_names_is_found() -> None:
    assert paths(two_rulers(schemes=matrix("A")), "003-09") == []
    assert paths(two_rulers(schemes=matrix("B")), "003-09") == ["schemes.abc.tiers.2"]


def test_001_06_a_tier_of_bands_that_begins_beyond_every_composite_is_found() -> None:
    def banded(begin: float) -> dict[str, Any]:
        indicators = {
            "often": {"weight": 50, "of": "orders_12m", "from": {"B": 5}},  # nobody looks like A by it
            "worth": {"weight": 50, "of": "revenue", "from": {"B": 5, "A": 9}},
        }
        points, tiers = {"C": 50, "B": 70, "A": 90}, [{"name": name} for name in ("C", "B", "A")]
        return {"abc": {"kind": "bands", "tiers": tiers, "points": points, "cut_offs": {"B": 60, "A": begin}, "indicators": indicators}}

    assert paths(two_rulers(schemes=banded(80)), "001-06") == []
    assert paths(two_rulers(schemes=banded(80.1)), "001-06") == ["schemes.abc.tiers.2"]


def test_a_lowest_tier_that_nobody_stays_in_is_found() -> None:
    steps = [{"below": 1, "points": 40}, {"points": 100}]
    bands = {"bands": {"measure": "orders_12m", "steps": steps}}
    policy = two_rulers(dimensions={"worth": bands, "often": bands}, measures={"orders_12m": ORDERS}, schemes=laddered(40, 80))
    assert paths(policy, "002-08") == ["schemes.abc.tiers.0"]


def test_a_lift_to_the_bottom_and_a_ceiling_at_the_top_do_nothing() -> None:
    lifts = [{"when": {"orders_12m": {"at_least": 3}}, "lift_to": "T0"}]
    policy = two_rulers(schemes=laddered(60, 80, triggers=lifts, risk={"LAWSUIT": {"ceiling": "T2"}, "TAX_ARREARS": {"ceiling": "T1"}}))
    assert [finding.path for finding in found(policy)] == ["schemes.abc.triggers.0.lift_to", "schemes.abc.risk.LAWSUIT.ceiling"]


def test_001_06_bands_that_rise_and_fall_again_or_say_nothing_are_found() -> None:
    def odd(*points: float) -> list[str]:
        steps = [{"below": place + 1, "points": each} for place, each in enumerate(points[:-1])] + [{"points": points[-1]}]
        dimensions = {"worth": {"bands": {"measure": "orders_12m", "steps": steps}}, "often": linear("orders_12m")}
        return paths(two_rulers(dimensions=dimensions, measures={"orders_12m": ORDERS}), "001-06")

    assert odd(0, 50, 100) == []
    assert odd(100, 50, 0) == []
    assert odd(0, 100, 50) == ["dimensions.worth.bands.steps"]
    assert odd(0, 50, 50, 100) == ["dimensions.worth.bands.steps.1"]


def test_what_nothing_asks_for_is_found() -> None:
    policy = two_rulers(measures={"revenue": REVENUE, "orders_12m": ORDERS, "idle": ORDERS})
    assert [finding.path for finding in found(policy)] == ["measures.idle"]


def test_001_21_fixture_15_a_rule_set_is_due_for_review_after_183_days_and_not_on_the_last_of_them() -> None:
    assert found(two_rulers(), REVIEWED + timedelta(days=REVIEW_DAYS)) == []
    (due,) = found(two_rulers(), REVIEWED + timedelta(days=REVIEW_DAYS + 1))
    assert (due.path, due.fact) == ("reviewed_on", "001-21")
    assert "184 days" in due.text
    assert [finding.path for finding in found(two_rulers(), REVIEWED - timedelta(days=1))] == ["reviewed_on"]


class Unheard(Spec):
    """A kind of scheme that no rule knows."""

    kind: Literal["unheard"] = "unheard"
    looks_at: dict[str, float]
    rungs: int


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of a model that was told to hold what it does not know
def test_rules_and_words_survive_a_kind_they_have_never_heard_of() -> None:
    document = two_rulers().document
    unheard = document.model_copy(update={"schemes": {"odd": Unheard(looks_at={"industry": 1.0}, rungs=3)}})
    assert [finding for finding in findings(unheard, REVIEWED) if finding.path != "schemes.odd"] == []
    assert [factor.name for factor in factors_of(unheard, "odd")] == ["industry"]
