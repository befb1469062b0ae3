"""Laws of the rest after a commit."""

from hypothesis import given
from hypothesis import strategies as st

from agents.resting import MANY, REST_S, Rest


class Watch:
    """Time that passes only while somebody waits, or is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def stopwatch(self) -> float:
        return self.now_s


def resting() -> tuple[Rest, Watch]:
    watch = Watch()
    return Rest(watch.wait, watch.stopwatch), watch


def waited(rest: Rest, watch: Watch, most_s: float) -> float:
    before_s = watch.now_s
    rest.take(most_s)
    return watch.now_s - before_s


def test_who_has_committed_nothing_does_not_rest() -> None:
    rest, watch = resting()
    assert waited(rest, watch, 1.0) == 0


@given(passed_s=st.floats(0, 3 * REST_S), most_s=st.floats(0, 3 * REST_S), records=st.integers(0, MANY - 1))
def test_nothing_is_read_before_the_rest_is_over_or_longer_than_the_caller_would_wait(passed_s: float, most_s: float, records: int) -> None:
    rest, watch = resting()
    rest.fetched(records)
    rest.committed()
    watch.wait(passed_s)
    assert abs(waited(rest, watch, most_s) - max(0.0, min(REST_S - passed_s, most_s))) < 1e-9


def test_an_idle_lane_fetches_at_once() -> None:
    rest, watch = resting()
    rest.committed()
    rest.take(1.0)
    assert waited(rest, watch, 1.0) == 0


def test_under_load_nobody_rests() -> None:
    rest, watch = resting()
    rest.fetched(MANY)
    rest.committed()
    assert waited(rest, watch, 1.0) == 0
    rest.fetched(MANY - 1)
    assert waited(rest, watch, 1.0) > 0
