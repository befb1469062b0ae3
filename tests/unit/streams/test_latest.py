"""Laws of the measure `latest`."""

import pytest

from streams.account import Fate
from tests.builders import NOON, order, prediction, ticket
from tests.folding import Folding, measured

SATISFACTION = {"from": "tickets", "latest": "satisfaction"}


def test_the_latest_number_by_its_own_time_stands() -> None:
    f = Folding(measured(SATISFACTION, 1, 5))
    f.fold(ticket(satisfaction=2, at=NOON), ticket(satisfaction=5, at=NOON + 10), ticket(satisfaction=1, at=NOON + 5))
    assert f.score() == 100.0


def test_a_record_without_the_number_changes_nothing() -> None:
    f = Folding(measured(SATISFACTION, 0, 5))
    f.fold(ticket(satisfaction=4, at=NOON))
    assert f.fate(ticket(satisfaction=None, at=NOON + 1)) is Fate.UNPRICED
    assert f.score() == 80.0


def test_equal_times_are_decided_by_the_event_and_not_by_arrival() -> None:
    records = [ticket(satisfaction=n, event_id=f"e-{n}") for n in (1, 3, 5)]
    there, back = Folding(measured(SATISFACTION, 1, 5)), Folding(measured(SATISFACTION, 1, 5))
    there.fold(*records)
    back.fold(*reversed(records))
    assert there.score() == back.score()


def test_a_filter_leaves_other_records_out() -> None:
    f = Folding(measured({"from": "predictions", "latest": "score", "where": {"model": "churn"}}))
    f.fold(prediction(score=90.0, model="churn"))
    assert f.fate(prediction(score=10.0, model="conversion", at=NOON + 1)) is Fate.UNPRICED
    assert f.score() == 90.0


def test_unknown_is_nought() -> None:
    f = Folding(measured(SATISFACTION, -5, 5))
    f.fold(ticket(satisfaction=None))
    assert f.score() == 50.0


@pytest.mark.parametrize("amount", [2**53 + 1, 10**15, 2**63 - 1])
def test_a_number_beyond_all_bounds_is_still_explained(amount: int) -> None:
    f = Folding(measured({"from": "orders", "latest": "amount_minor"}, 0, 1000))
    f.fold(order(amount_minor=amount))
    lines = f.published[-1].contributions
    assert sum(line.micro for line in lines) == f.published[-1].score_after_micro == 100_000_000
    assert all(abs(line.micro) < 2**63 for line in lines)
