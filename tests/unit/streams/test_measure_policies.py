"""What a policy may not say of its measures: each mistake is named with its path."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from tests.folding import measured, policy_of

VISITS = {"from": "interactions", "window": "30d"}
ORDERS = {"from": "orders", "status": ["PAID"], "window": "30d"}
POINTS = {"from": "interactions", "points": {"VISIT": 1}}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({**VISITS, "from": "visits", "count": "VISIT"}, "from: unknown topic to measure 'visits'"),
    ({**VISITS, "count": "VISIT", "status": ["PAID"]}, "status: unknown field of interactions 'status'"),
    ({**VISITS, "count": "VISIT", "where": {"actr": "OWNER"}}, "where.actr: unknown field of interactions 'actr', did you mean 'actor'"),
    ({**VISITS, "count": "VISIT", "where": {"actor": ["OWNR"]}}, "where.actor: unknown actor 'OWNR', did you mean 'OWNER'"),
    ({"from": "orders", "window": "30d", "count": "order"}, "status: must say which status counts"),
    ({**ORDERS, "status": ["PAI"], "count": "order"}, "status: unknown status 'PAI', did you mean 'PAID'"),
    ({**ORDERS, "count": "PAID"}, "count: unknown record of orders 'PAID'; there is order"),
    ({**ORDERS, "distinct_days": "day"}, "distinct_days: unknown record of orders 'day'; there is order"),
    ({**ORDERS, "sum": "amount_minor"}, "sum: unknown number of orders 'amount_minor', did you mean 'amount'"),
    ({**ORDERS, "maximum": "order_id"}, "maximum: unknown number of orders 'order_id'"),
    ({**VISITS, "mean": "amount"}, "mean: unknown number of interactions 'amount'; there is dwell_seconds"),
    ({**VISITS, "count": "VISIT", "window": "0s"}, "window: must be positive"),
    ({**VISITS, "count": "VISIT", "exact": 4}, "exact: input should be greater than or equal to 8"),
    ({"from": "orders", "since": "first", "status": ["PAID"]}, "since: "),
    ({"change": "n", "over": "30d"}, "change: unknown measure 'n'"),
    ({"change": "m", "over": "30d"}, "change: measure 'm' must be of kind count, maximum, mean, sum, got change"),
    ({"ratio": "m", "to": "n"}, "ratio: measure 'm' must be a number, got kind ratio"),
    ({"ratio": "m", "to": "n"}, "to: unknown measure 'n'"),
    ({**POINTS, "caps": {"per_contact_day": 0}}, "caps.per_contact_day: input should be greater than 0"),
    ({**POINTS, "caps": {"per_day": {"CALL": 3}}}, "caps.per_day.CALL: unknown priced kind 'CALL'"),
    ({**POINTS, "caps": {"burst": {"kinds": ["CALL"], "within": "1s"}}}, "caps.burst.kinds: unknown priced kind 'CALL'"),
]


@pytest.mark.parametrize(("measure", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_mistake_in_a_measure_is_named_with_its_path(measure: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        measured(measure)
    assert any(problem.startswith(f"policy: measures.m.{said}") for problem in refused.value.problems), refused.value.problems


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"CNY": {"2026-01-01": 1}}, "rates.CNY: is the policy's own currency"),
        ({"USD": {"2026-01-01": 0}}, "rates.USD.2026-01-01: input should be greater than 0"),
        ({"USD": {"soon": 7.1}}, "rates.USD.soon"),
        ({"USD": {}}, "rates.USD: "),
        ({"dollar": {"2026-01-01": 7}}, "rates.dollar"),
    ],
)
def test_a_mistake_in_the_rates_is_named_with_its_path(rates: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(rates=rates)
    assert any(problem.startswith(f"policy: {said}") for problem in refused.value.problems), refused.value.problems


def test_another_rate_or_time_zone_is_another_measure_and_starts_anew() -> None:
    measure = {**ORDERS, "sum": "amount"}
    identities = {
        measured(measure, **parts).measures[0].columns[0].identity
        for parts in ({}, {"rates": {"USD": {"2026-01-01": 7.1}}}, {"rates": {"USD": {"2026-01-01": 7.2}}}, {"timezone": "Asia/Tokyo"})
    }
    assert len(identities) == 4
