"""Laws of the consumer lag: what is folded has none, seconds are read off where the end was when, and a scrape asks nobody."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.counters import LaneCounters
from agents.lagging import TRAIL, Lagging, Trail
from agents.lanes import Lanes
from agents.settings import load_settings
from tests.folding import shipped


class Held:
    """A lane that is here, as far as lag goes."""

    def __init__(self, counters: LaneCounters) -> None:
        self.counters = counters


def lagging(ends: Mapping[tuple[str, int], int], folded_to: Mapping[str, int], now_ms: int = 10_000) -> tuple[Lagging, LaneCounters]:
    """The lag of one lane, number 1, after one look at these ends."""
    lanes, counters = Lanes(load_settings(), shipped("sabc"), lambda: now_ms), LaneCounters()
    counters.folded_to = folded_to
    lanes.by_number[1] = Held(counters)  # type: ignore[assignment]
    seen = Lagging(lanes, lambda: now_ms, lambda here: {place: ends[place] for place in here})
    seen.look()
    return seen, counters


def test_an_input_that_is_folded_to_its_end_has_no_lag() -> None:
    (lag,) = lagging({("orders", 1): 7}, {"orders": 7})[0].lags()
    assert (lag.number, lag.topic, lag.offsets, lag.seconds) == (1, "orders", 0, 0.0)


def test_a_lane_that_has_folded_past_the_end_that_was_seen_has_no_lag_either() -> None:
    (lag,) = lagging({("orders", 1): 7}, {"orders": 9})[0].lags()
    assert (lag.offsets, lag.seconds) == (0, 0.0)


def test_what_is_behind_everything_that_was_seen_counts_from_the_last_record_that_was_folded() -> None:
    seen, counters = lagging({("orders", 1): 700}, {"orders": 7})
    counters.appended_ms["orders"] = 4_000
    assert [(lag.offsets, lag.seconds) for lag in seen.lags()] == [(693, 6.0)]


def test_a_lane_that_is_gone_has_no_lag() -> None:
    seen, counters = lagging({("orders", 1): 7}, {"orders": 3})
    counters.folded_to = {}
    assert list(seen.lags()) == []


def test_the_end_was_there_in_proportion_between_two_looks() -> None:
    trail = Trail()
    for at_ms, end in ((1_000, 100), (2_000, 200), (9_000, 200), (10_000, 400)):
        trail.see(at_ms, end)
    assert [trail.reached_ms(offset) for offset in (50, 100, 150, 200, 300, 400)] == [None, 1_000, 1_500, 9_000, 9_500, None]


def test_an_input_that_stands_still_for_long_takes_two_points() -> None:
    trail = Trail()
    trail.see(0, 5)
    for at_ms in range(1_000, 1_000_000, 1_000):
        trail.see(at_ms, 6)
    trail.see(1_000_000, 7)
    assert trail.reached_ms(6) == 999_000, "so long everything was folded"
    assert trail.reached_ms(5) == 0


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 50)), min_size=2, max_size=3 * TRAIL), st.data())
def test_a_later_offset_was_never_reached_earlier(moves: list[tuple[int, int]], drawn: st.DataObject) -> None:
    trail, at_ms, end = Trail(), 0, 0
    for wait_ms, more in moves:
        at_ms, end = at_ms + wait_ms, end + more
        trail.see(at_ms, end)
    one, other = sorted(drawn.draw(st.lists(st.integers(0, end + 1), min_size=2, max_size=2)))
    reached = [trail.reached_ms(one), trail.reached_ms(other)]
    if reached[0] is not None and reached[1] is not None:
        assert trail.first_ms <= reached[0] <= reached[1] <= at_ms
    assert trail.reached_ms(end) is None, "it still ends there"


def test_nothing_is_asked_where_there_is_no_lane() -> None:
    def ends(_: object) -> Mapping[tuple[str, int], int]:
        pytest.fail("asked")

    Lagging(Lanes(load_settings(), shipped("sabc"), lambda: 0), lambda: 0, ends).look()
