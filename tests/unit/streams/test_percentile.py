"""Where a measure stands among all accounts, by breakpoints of the policy."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from streams.forward.planning import NotPlanned, planned
from streams.policy import CompiledPolicy
from tests.builders import DAY, NOON, order
from tests.folding import Folding, policy_of

REVENUE = {"from": "orders", "sum": "amount", "status": ["PAID"], "window": "10d"}
POINTS = [{"at": 100, "percent": 20}, {"at": 1_000, "percent": 50}, {"at": 10_000, "percent": 90}]


def ranked(breakpoints: list[dict[str, Any]] = POINTS, **more: Any) -> CompiledPolicy:
    dimension = {"percentile": {"measure": "m", "breakpoints": breakpoints, **more}}
    return policy_of(measures={"m": REVENUE}, dimensions={"d": dimension}, score={"d": 1.0})


def score_of(policy: CompiledPolicy, units: int) -> int:
    folding = Folding(policy)
    folding.fold(order(amount_minor=units * 100))
    return round(folding.score() * 1_000_000)


@pytest.mark.parametrize(("units", "percent"), [(0, 20), (100, 20), (550, 35), (1_000, 50), (5_500, 70), (10_000, 90), (99_999, 90)])
def test_between_two_breakpoints_the_percentage_is_interpolated_and_beyond_them_it_is_theirs(units: int, percent: int) -> None:
    assert score_of(ranked(), units) == percent * 1_000_000


def test_the_less_may_be_the_better() -> None:
    assert score_of(ranked(best="low"), 1_000) == 50_000_000
    assert score_of(ranked(best="low"), 10_000) == 10_000_000


def test_it_falls_to_the_millisecond_when_the_window_ends() -> None:
    folding = Folding(ranked())
    folding.fold(order(amount_minor=1_000_000))
    folding.tick(NOON + 10 * DAY - 1)
    assert [(each.to_tier, each.effective_at) for each in folding.published] == [("A", NOON)]
    folding.tick(NOON + 10 * DAY)
    assert [(each.to_tier, each.effective_at) for each in folding.published] == [("A", NOON), ("C", NOON + 10 * DAY)]


@pytest.mark.parametrize("wrong", [POINTS[::-1], [POINTS[0], {"at": 200, "percent": 20}], [POINTS[0], {"at": 100, "percent": 30}]])
def test_breakpoints_rise_in_both(wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(PolicyError, match="breakpoints must rise"):
        ranked(wrong)


def test_compiled_code_does_not_know_it() -> None:
    policy = policy_of(
        measures={"m": {"from": "interactions", "count": "VISIT", "window": "10d"}},
        dimensions={"d": {"percentile": {"measure": "m", "breakpoints": POINTS}}},
        score={"d": 1.0},
    )
    with pytest.raises(NotPlanned, match="dimension d"):
        planned(policy)
