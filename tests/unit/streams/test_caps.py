"""Laws of caps and bursts: what of a record's points counts."""

from typing import Any

import pytest

from streams.measures.caps import CONTACTS_IN_DOSSIER, CONTACTS_IN_ROW
from tests.builders import DAY, HOUR, NOON, SECOND, interaction
from tests.measuring import Measuring, locale

CLICKS: dict[str, Any] = {"from": "interactions", "points": {"CLICK": 10, "VISIT": 4, "LEAVE": -10}, "half_life": "none"}


def capped(**caps: Any) -> Measuring:
    return Measuring({**CLICKS, "caps": caps})


def click(contact_id: str | None = "ann", at: int = NOON, kind: str = "CLICK") -> Any:
    return interaction(kind=kind, contact_id=contact_id, at=at)


def test_a_contact_counts_up_to_its_cap_on_each_day_over_all_kinds() -> None:
    m = capped(per_contact_day=24)
    m.fold(click(), click(), click(kind="VISIT"), click())
    assert m.at(NOON) == 24
    assert m.fold(click("bob")).at(NOON) == 34
    assert m.fold(click(at=NOON + DAY)).at(NOON + DAY) == 44


def test_nobody_is_capped_who_is_not_named() -> None:
    assert capped(per_contact_day=10).fold(*(click(None) for _ in range(5))).at(NOON) == 50


def test_yesterday_is_remembered_and_a_day_before_it_is_capped_by_itself() -> None:
    m = capped(per_contact_day=15).fold(click(at=NOON), click(at=NOON + DAY))
    assert m.fold(click(at=NOON), click(at=NOON)).at(NOON + DAY) == 25
    assert m.fold(click(at=NOON - DAY), click(at=NOON - DAY)).at(NOON + DAY) == 45


@pytest.mark.parametrize("others", [CONTACTS_IN_ROW - 1, CONTACTS_IN_ROW, CONTACTS_IN_ROW + 20])
def test_every_contact_has_a_cap_of_its_own_however_many_there_are(others: int) -> None:
    m = capped(per_contact_day=15)
    names = [f"c{n}" for n in range(others + 1)]
    for _ in range(3):
        m.fold(*(click(name) for name in names))
    assert m.at(NOON) == 15 * len(names)
    assert (m.opened > 0) == (others >= CONTACTS_IN_ROW)
    m.restore()
    assert m.fold(*(click(name) for name in names)).at(NOON) == 15 * len(names)


def test_the_dossier_forgets_days_that_have_passed_and_is_bounded() -> None:
    m = capped(per_contact_day=15).fold(*(click(f"c{n}") for n in range(500)))
    assert [len(spent) for spent in m.dossier.spent.values()] == [CONTACTS_IN_DOSSIER]
    later = NOON + 2 * DAY
    m.fold(*(click(f"d{n}", at=later) for n in range(CONTACTS_IN_ROW + 1)))
    assert [len(spent) for spent in m.dossier.spent.values()] == [1]


def test_points_count_as_far_as_every_cap_has_room_and_use_no_more_room_than_counts() -> None:
    m = capped(per_day={"CLICK": 25}, per_contact_day=15)
    m.fold(click("ann"), click("ann"))
    assert m.at(NOON) == 15
    assert m.fold(click("bob")).at(NOON) == 25
    assert m.fold(click("eve")).at(NOON) == 25
    assert m.fold(click("eve", kind="VISIT")).at(NOON) == 29


def test_points_taken_away_have_room_of_their_size() -> None:
    assert capped(per_contact_day=15).fold(click(kind="LEAVE"), click(kind="LEAVE")).at(NOON) == -15


def test_the_day_of_a_cap_is_the_policys() -> None:
    spec = {**CLICKS, "caps": {"per_contact_day": 10}}
    log = [click(at=NOON + 3 * HOUR), click(at=NOON + 5 * HOUR)]  # 23:00 and 01:00 in Shanghai
    assert Measuring(spec).fold(*log).at(NOON + 5 * HOUR) == 10
    assert Measuring(spec, at_home=locale("Asia/Shanghai")).fold(*log).at(NOON + 5 * HOUR) == 20


def burst(**more: Any) -> Measuring:
    return capped(burst={"kinds": ["CLICK"], "within": "1s", **more})


def test_what_comes_within_a_moment_counts_once_and_the_next_moment_again() -> None:
    m = burst().fold(click(), click(at=NOON + 500), click(at=NOON + SECOND - 1), click(at=NOON + SECOND), click(at=NOON + SECOND + 1))
    assert m.at(NOON + 2 * SECOND) == 20
    assert [line.times for line in m.lines(NOON + 2 * SECOND)] == [2]


def test_a_burst_may_count_as_several_and_other_kinds_are_not_of_it() -> None:
    m = burst(counts_as=2).fold(*(click() for _ in range(5)), click(kind="VISIT"), click(kind="VISIT"))
    assert m.at(NOON) == 28


def test_a_late_record_belongs_to_the_burst_that_it_is_near_and_counts_where_there_is_none() -> None:
    m = burst().fold(click(at=NOON + 500), click(at=NOON))
    assert m.at(NOON + SECOND) == 10
    assert m.fold(click(at=NOON - SECOND)).at(NOON + SECOND) == 20
