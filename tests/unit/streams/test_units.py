"""Laws of durations, micro-points and local days."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.units import DAY_MS, duration_ms, duration_text, local_day_in, micro


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("12h", 43_200_000), ("30d", 30 * DAY_MS), ("2w", 14 * DAY_MS), ("1.5h", 5_400_000)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, length_ms: int) -> None:
    assert duration_ms(text) == length_ms


@pytest.mark.parametrize("text", ["", "30", "d", "-5d", "5 days", "1e3s", "٣d", None, 30, True, ["5d"]])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be a duration such as"):
        duration_ms(text)


@given(st.integers(0, 10**13))
def test_a_duration_comes_back_as_it_was_written(length_ms: int) -> None:
    assert duration_ms(duration_text(length_ms)) == length_ms


def test_micro_points_are_rounded_halves_up() -> None:
    assert [micro(points) for points in (0.0, 59.9999994, 59.9999996, 60.0, 100.0, 0.1 + 0.2)] == [
        0, 59_999_999, 60_000_000, 60_000_000, 100_000_000, 300_000,
    ]  # fmt: skip


ZONES = [
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
]
DAYS = {name: local_day_in(ZoneInfo(name)) for name in ZONES}
EPOCH = date(1970, 1, 1).toordinal()


@given(st.sampled_from(ZONES), st.integers(0, 4_102_444_800_000 - 1))
@example("Asia/Shanghai", 15 * 3_600_000)
@example("Asia/Shanghai", 16 * 3_600_000)
@example("Pacific/Apia", 1_325_239_200_000)
def test_a_local_day_is_the_calendars(name: str, at_ms: int) -> None:
    there = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(name))
    assert DAYS[name](at_ms) == there.toordinal() - EPOCH
