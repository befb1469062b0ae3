"""Laws of the measure `decayed`."""

import pytest

from schemas.records import Interaction
from streams.account import Fate
from tests.builders import DAY, HOUR, NOON, interaction, order, risk
from tests.folding import Folding, measured

DOWNLOADS = {"from": "interactions", "points": {"DOWNLOAD": 10, "VISIT": {"per_second_of_dwell": 0.5, "at_most": 4}, "UNSUBSCRIBE": -20}}


def folding(**more: object) -> Folding:
    return Folding(measured({**DOWNLOADS, **more}))


def test_without_a_half_life_points_are_summed_and_do_not_fade() -> None:
    f = folding(half_life="none")
    f.fold(interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD", at=NOON + 300 * DAY))
    assert f.score() == 20.0


@pytest.mark.parametrize(("days", "worth"), [(0, 10.0), (15, 10 * 2**-0.5), (30, 5.0), (60, 2.5), (300, 10 / 1024)])
def test_points_lose_half_their_worth_each_half_life(days: int, worth: float) -> None:
    f = folding(half_life="30d")
    f.fold(interaction(kind="DOWNLOAD"), interaction(kind="VISIT", dwell_seconds=0.0, at=NOON + days * DAY))
    assert f.score() == pytest.approx(worth, abs=1e-6)


def test_each_kind_can_have_a_half_life_of_its_own() -> None:
    f = folding(half_life={"default": "30d", "VISIT": "none"})
    f.fold(
        interaction(kind="DOWNLOAD"),
        interaction(kind="VISIT", dwell_seconds=8.0),
        interaction(kind="VISIT", dwell_seconds=0.0, at=NOON + 30 * DAY),
    )
    assert f.score() == 5.0 + 4.0


def test_points_by_dwell_stop_at_the_most_a_record_can_give_and_none_without_dwell() -> None:
    f = folding()
    f.fold(interaction(dwell_seconds=3.0))
    assert f.score() == 1.5
    f.fold(interaction(dwell_seconds=1e300))
    assert f.score() == 5.5
    f.fold(interaction(dwell_seconds=None))
    assert f.score() == 5.5


def test_a_late_record_is_worth_what_it_would_be_worth_had_it_come_in_time() -> None:
    in_time, late = folding(half_life="30d"), folding(half_life="30d")
    old, new = interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD", at=NOON + 30 * DAY)
    in_time.fold(old, new)
    late.fold(new, old)
    assert in_time.score() == late.score() == 15.0
    assert late.view()["clock_at"] == NOON + 30 * DAY


def test_negative_points_take_away_and_the_dimension_stays_at_zero() -> None:
    f = folding()
    f.fold(interaction(kind="DOWNLOAD"), interaction(kind="UNSUBSCRIBE"))
    assert f.score() == 0.0
    f.fold(interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD"))
    assert f.score() == 10.0
    assert {line["line"]: line["micro"] for line in f.view()["contributions"]} == {"DOWNLOAD": 30_000_000, "UNSUBSCRIBE": -20_000_000}


def test_a_kind_without_a_price_is_seen_and_changes_no_points() -> None:
    f = folding()
    assert f.fate(interaction(kind="CALL")) is Fate.UNPRICED
    assert f.fate(interaction(kind="DOWNLOAD")) is Fate.FOLDED
    assert (f.score(), f.view()["records"]) == (10.0, 2)


def test_a_repeated_event_counts_once_within_the_last_sixteen() -> None:
    f = folding()
    records = [interaction(kind="DOWNLOAD", event_id=f"d-{n}") for n in range(16)]
    f.fold(*records)
    assert [f.fate(record) for record in records] == [Fate.REPEATED] * 16
    f.fold(interaction(kind="CALL", event_id="the seventeenth"))
    assert [f.fate(record) for record in records[1:]] == [Fate.REPEATED] * 15
    assert f.fate(records[0]) is Fate.FOLDED
    assert f.fate(records[1]) is Fate.FOLDED
    assert f.fate(records[2]) is Fate.FOLDED


def test_an_event_id_is_known_by_its_topic_too() -> None:
    f = Folding(measured({"from": "orders", "points": {"PAID": 5}}, policy="both", schemes={"s": {
        "kind": "score", "tiers": [{"name": "low"}, {"name": "high", "enter_at": 50}], "risk": {"LAWSUIT": {"ceiling": "low"}},
    }}))  # fmt: skip
    f.fold(order(event_id="same"))
    assert f.score() == 5.0
    assert f.fate(risk(event_id="same")) is Fate.FOLDED


# -- caps --------------------------------------------------------------------------------------------------------------

CAPS = {"caps": {"per_day": {"DOWNLOAD": 25}}}


def at_hours(*hours: float) -> list[Interaction]:
    return [interaction(kind="DOWNLOAD", at=NOON + int(hour * HOUR)) for hour in hours]


def test_a_cap_counts_only_so_many_points_a_local_day() -> None:
    f = folding(**CAPS)
    f.fold(*at_hours(0, 1, 2, 3, 4))
    assert f.score() == 25.0
    f.fold(*at_hours(12))
    assert f.score() == 35.0


def test_a_local_day_begins_where_the_policy_says() -> None:
    f = Folding(measured({**DOWNLOADS, **CAPS}, timezone="Asia/Shanghai"))
    f.fold(*at_hours(0, 1, 2))
    f.fold(*at_hours(3.99))
    assert f.score() == 25.0
    f.fold(*at_hours(4))
    assert f.score() == 35.0


def test_a_late_record_of_yesterday_is_capped_with_yesterdays() -> None:
    f = folding(**CAPS)
    f.fold(*at_hours(0, 1))
    f.fold(*at_hours(24, 25))
    f.fold(*at_hours(2))
    assert f.score() == 45.0
    f.fold(*at_hours(3, 4))
    assert f.score() == 45.0
    f.fold(*at_hours(26))
    assert f.score() == 50.0


def test_a_record_of_a_forgotten_day_is_capped_by_itself() -> None:
    f = Folding(measured({"from": "interactions", "points": {"DOWNLOAD": 10}, "caps": {"per_day": {"DOWNLOAD": 7}}}))
    f.fold(*at_hours(48, 0, 1))
    assert f.score() == 21.0


def test_a_pause_of_two_days_leaves_no_yesterday() -> None:
    f = folding(**CAPS)
    f.fold(*at_hours(0, 1, 2, 72))
    f.fold(*at_hours(48, 49, 50))
    assert f.score() == 25 + 10 + 25


def test_a_cap_holds_negative_points_by_their_size() -> None:
    f = Folding(measured({**DOWNLOADS, "caps": {"per_day": {"UNSUBSCRIBE": 30}}}))
    f.fold(*at_hours(0, 0, 0, 0, 0, 0))
    f.fold(interaction(kind="UNSUBSCRIBE"), interaction(kind="UNSUBSCRIBE"), interaction(kind="UNSUBSCRIBE"))
    assert f.score() == 30.0


def test_each_capped_kind_has_a_cap_of_its_own() -> None:
    f = folding(caps={"per_day": {"DOWNLOAD": 15, "VISIT": 5}})
    f.fold(*at_hours(0, 1), *(interaction(dwell_seconds=100.0) for _ in range(3)))
    assert f.score() == 20.0
