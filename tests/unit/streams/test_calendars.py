"""Business days, exact in the policy's time zone, with holidays and the days that are worked in their stead."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.calendars import Calendar, CalendarSpec
from tests.builders import DAY, prediction
from tests.folding import Folding, policy_of

CHINA = {
    "weekend": ["sat", "sun"],
    "holidays": ["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"],
    "working": ["2026-10-10"],
}
SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def at(text: str, zone: str = SHANGHAI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("begins", "days", "ends"),
    [
        ("2026-09-30T15:00:00.001", 2, "2026-10-09T15:00:00.001"),
        ("2026-10-08T15:00", 2, "2026-10-10T15:00"),
        ("2026-10-08T15:00", 3, "2026-10-12T15:00"),
        ("2026-10-03T15:00", 1, "2026-10-09T00:00"),
        ("2026-10-10T23:59:59.999", 1, "2026-10-12T23:59:59.999"),
    ],
)
def test_holidays_are_days_off_and_make_up_days_are_worked(begins: str, days: int, ends: str) -> None:
    assert Calendar(CalendarSpec.model_validate(CHINA), SHANGHAI).after(at(begins), days) == at(ends)


def test_a_clock_on_business_days_runs_out_to_the_millisecond() -> None:
    clock = {"resets_on": {"actor": "OWNER"}, "after": "2d", "business_days": True, "then": {"action": "answer_due"}}
    f = Folding(policy_of(reviewed_on="2026-09-30", timezone=SHANGHAI, calendar=CHINA, clocks={"answer": clock}))
    f.fold(prediction(at=at("2026-09-30T15:00")))
    due_ms = at("2026-10-09T15:00")
    f.tick(due_ms - 1)
    assert f.records("actions") == []
    f.tick(due_ms)
    assert [(each.due_at, each.reason.split(";")[0]) for each in f.records("actions")] == [
        (due_ms, "answer ran out after 2 business days in C")
    ]


@given(st.integers(at("2026-03-20T00:00", BERLIN), at("2026-11-10T00:00", BERLIN)), st.integers(0, 3 * DAY), st.integers(1, 12))
def test_who_begins_later_ends_no_sooner_and_ends_on_a_business_day_wherever_clocks_are_changed(
    begins_ms: int, later_ms: int, days: int
) -> None:
    calendar = Calendar(CalendarSpec(), BERLIN)
    ends_ms = calendar.after(begins_ms, days)
    assert ends_ms <= calendar.after(begins_ms + later_ms, days)
    assert calendar.is_working(calendar.local_day(ends_ms))
    between = range(calendar.local_day(begins_ms) + 1, calendar.local_day(ends_ms) + 1)
    began_working = calendar.is_working(calendar.local_day(begins_ms))
    assert sum(map(calendar.is_working, between)) == days + (not began_working)
    walls = [datetime.fromtimestamp(each / 1000, ZoneInfo(BERLIN)) for each in (begins_ms, ends_ms)]
    if began_working and walls[0].utcoffset() == walls[1].utcoffset():
        assert walls[0].time() == walls[1].time()


def test_a_day_cannot_be_off_and_worked() -> None:
    with pytest.raises(ValueError, match="2026-10-01"):
        CalendarSpec.model_validate(CHINA | {"working": ["2026-10-01"]})
