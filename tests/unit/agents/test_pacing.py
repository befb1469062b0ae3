"""Laws of the size of a cycle."""

from hypothesis import given
from hypothesis import strategies as st

from agents.pacing import CYCLE_S, FIRST_RECORDS, Pace

MOST = 20_000


def after(*cycles: tuple[int, float]) -> Pace:
    pace = Pace(MOST)
    for records, us_for_one in cycles:
        pace.spent(records, records * us_for_one / 1e6)
    return pace


def test_cheap_records_come_in_full_batches_within_a_few_cycles() -> None:
    pace = after((FIRST_RECORDS, 3))
    pace.spent(pace.records, pace.records * 3e-6)
    pace.spent(pace.records, pace.records * 3e-6)
    assert pace.records == MOST


def test_dear_records_come_in_batches_of_about_half_a_second() -> None:
    pace = after((1_000, 3), (4_000, 3), (16_000, 100))
    assert pace.records == 5_000
    pace.spent(5_000, 5.0)
    assert pace.records == 500


def test_a_trickle_does_not_shrink_the_next_burst() -> None:
    grown = after((1_000, 3), (4_000, 3), (16_000, 3))
    for _ in range(100):
        grown.spent(2, 0.002)
    assert grown.records == MOST


@given(st.lists(st.tuples(st.integers(1, MOST), st.floats(0, 1e6))))
def test_there_is_always_something_to_do_and_never_too_much(cycles: list[tuple[int, float]]) -> None:
    assert 1 <= after(*cycles).records <= MOST


@given(st.lists(st.tuples(st.integers(1, MOST), st.floats(0, 1e4))), st.floats(0.1, 1e4))
def test_what_a_record_costs_is_soon_found_out_whatever_came_before(cycles: list[tuple[int, float]], us_for_one: float) -> None:
    pace = after(*cycles)
    for _ in range(10):
        pace.spent(pace.records, pace.records * us_for_one / 1e6)
    assert pace.records == min(MOST, max(1, int(CYCLE_S * 1e6 / us_for_one))) or abs(pace.records * us_for_one / 1e6 - CYCLE_S) < 0.01
