"""Laws of `lifecycle`: fixture 14 and the stages of source document 004 under `policies/lifecycle.yaml`."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from schemas.errors import PolicyError
from schemas.records import Event
from tests.builders import DAY, HOUR, interaction, order
from tests.folding import Folding, policy_of, restored, shipped

CHINA = 8 * HOUR


def day(text: str) -> int:
    """The beginning of a day in China, in ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) - CHINA


def bought(*days: str) -> list[Event]:
    return [order(at=day(each) + 9 * HOUR, order_id=each) for each in days]


def living(*log: Event) -> Folding:
    f = Folding(shipped("lifecycle"))
    f.fold(*log)
    return f


def stages(f: Folding, until: str) -> list[tuple[str, str, int]]:
    """Every change of stage that follows from time alone."""
    changes = f.tick(day(until))
    return [(str(each.from_tier), each.to_tier, each.effective_at) for each in changes if each.scheme == "lifecycle"]


def test_004_04_fixture_14_who_buys_every_november_is_not_lost_in_march_and_is_lost_once_the_season_passed_without() -> None:
    f = living(*bought("2024-11-10", "2025-11-12"))
    assert f.tier() == "active"
    assert stages(f, "2026-03-31") == []
    assert stages(f, "2026-11-30") == []
    assert stages(f, "2027-01-01") == [("active", "lost", day("2026-12-01"))]
    assert "its season passed without a purchase" in f.published[-1].trail[0].because
    f.fold(*bought("2027-01-05"))
    assert (f.tier(), f.published[-1].direction) == ("active", "UP")


def test_who_bought_one_november_only_is_lost_in_march() -> None:
    f = living(*bought("2025-08-01", "2025-11-12"))
    assert stages(f, "2026-03-31") == [("active", "lost", day("2025-11-12") + 9 * HOUR + 120 * DAY)]


def test_a_season_is_what_the_last_years_show_and_not_something_of_long_ago() -> None:
    f = living(*bought("2022-11-10", "2023-11-12", "2025-11-12"))
    assert stages(f, "2026-03-31") == [("active", "lost", day("2025-11-12") + 9 * HOUR + 120 * DAY)]


def test_who_buys_all_the_year_round_has_no_season() -> None:
    f = living(*bought("2024-02-01", "2024-05-01", "2024-08-01", "2024-11-01", "2025-02-01", "2025-05-01", "2025-08-01", "2025-11-01"))
    assert stages(f, "2026-06-30") == [("active", "lost", day("2025-11-01") + 9 * HOUR + 120 * DAY)]


def test_004_01_potential_new_active_lost_and_back_each_to_the_millisecond() -> None:
    f = living(interaction(at=day("2025-01-01")))
    assert f.tier() == "potential"
    f.fold(*bought("2025-02-01"))
    first_ms = day("2025-02-01") + 9 * HOUR
    assert (f.tier(), f.published[-1].effective_at) == ("new", first_ms)
    assert stages(f, "2026-01-01") == [("new", "active", first_ms + 60 * DAY), ("active", "lost", first_ms + 120 * DAY)]
    assert "has bought nothing for 120d" in f.published[-1].trail[0].because
    f.fold(*bought("2026-02-01"))
    assert (f.tier(), f.published[-1].score_after_micro) == ("active", 100_000_000)


def test_004_01_who_uses_the_product_is_active_though_he_bought_long_ago() -> None:
    f = living(*bought("2025-01-01"), interaction(kind="FEATURE_USE", at=day("2025-05-01")))
    assert [(to, at) for _, to, at in stages(f, "2025-08-01")] == [("lost", day("2025-05-31") + 1)]
    f.fold(interaction(kind="FEATURE_USE", at=day("2025-08-02")))
    assert f.tier() == "active"


def test_the_order_of_arrival_does_not_matter_and_a_restored_account_goes_on() -> None:
    log = bought("2024-11-10", "2025-11-12", "2025-10-01")
    seen = []
    for arrival in permutations(log):
        f = living(*arrival)
        f.keep()
        f.partition = restored(f.changelog, f.policy)
        seen.append([at for _, to, at in stages(f, "2027-06-01") if to == "lost"])
    assert seen == [[day("2026-12-01")]] * 6


@pytest.mark.parametrize(
    ("orders", "each", "value"), [(6, 10_000_000, "high"), (2, 2_500_000, "medium"), (1, 90_000_000, "medium"), (1, 1_000, "low")]
)
def test_004_02_value_is_high_medium_or_low_by_how_often_and_how_much(orders: int, each: int, value: str) -> None:
    f = living(*(order(at=day("2025-02-01"), amount_minor=each) for _ in range(orders)))
    assert f.tier(scheme="value") == value


def test_what_is_no_purchase_is_none() -> None:
    assert living(order(status="PLACED", at=day("2025-02-01"))).tier() == "potential"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"tiers": [{"name": "a"}, {"name": "b"}]}, "tiers: must be four"),
        ({"purchases": {"from": "order"}}, "purchases.from: unknown topic to measure 'order', did you mean 'orders'"),
        ({"kept_by": {"last_use": {"at_most": "1d"}}}, "kept_by.last_use: unknown measure"),
    ],
)
def test_a_lifecycle_that_cannot_be_is_refused_with_its_path(parts: dict[str, Any], said: str) -> None:
    tiers = [{"name": name} for name in ("potential", "lost", "new", "active")]
    scheme = {"kind": "lifecycle", "tiers": tiers, "purchases": {"from": "orders", "status": ["PAID"]}, "new_for": "1d", "lost_after": "9d"}
    with pytest.raises(PolicyError, match=said):
        policy_of(schemes={"l": {**scheme, **parts}})
