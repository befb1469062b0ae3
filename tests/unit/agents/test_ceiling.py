"""Laws of the ceiling: a topic is never emptied into `dead-letters`, however its records are cut into transactions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.ceiling import WINDOW, Ceiling
from schemas.changelog import Progress
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason, SettingsError
from streams.batches import RecordBatch
from streams.intake import RawRecord

START = Progress(0, "digest", "id")


def letter(offset: int, reason: Reason = Reason.UNDECODABLE) -> DeadLetter:
    return DeadLetter(
        topic="orders", partition=3, offset=offset, appended_at_ms=0, schema_id=None, reason=reason, message=f"no {offset}", key=None,
        payload=None,
    )  # fmt: skip


def folded(share: float, refused: set[int], begin: int, end: int, at: Progress, reason: Reason = Reason.UNDECODABLE) -> Progress:
    """The progress after the orders of [begin, end), of which some are refused, with risks between them."""
    raws = [RawRecord(topic, 3, offset, 0, b"", b"") for offset in range(begin, end) for topic in ("orders", "risks")]
    dead = [letter(offset, reason) for offset in range(begin, end) if offset in refused]
    windows = Ceiling(share).windows({"orders": at, "risks": START}, RecordBatch.of(raws), dead)
    return Progress(end, "digest", "id", *windows.get("orders", ()))


def stopped_at(share: float, refused: set[int], cuts: list[int]) -> int | None:
    """The first record of the transaction that was not written, None if all were; the record named last is that of the limit."""
    at = START
    for begin, end in zip([0, *cuts], cuts, strict=False):
        try:
            at = folded(share, refused, begin, end, at)
        except SettingsError as stop:
            return int(str(stop).partition("orders:3:")[2].split()[0])
    return None


def expected(share: float, refused: set[int]) -> int | None:
    """The same, counted the slow way: in each window that opens with a refused record."""
    begin = count = 0
    for offset in sorted(refused):
        if not count or offset >= begin + WINDOW:
            begin, count = offset, 0
        count += 1
        if count > int(share * WINDOW):
            return offset
    return None


@given(
    st.sampled_from([0.0, 0.002, 0.01]),
    st.sets(st.integers(0, 3_999), max_size=60),
    st.lists(st.integers(1, 3_999), max_size=6, unique=True).map(sorted),
)
def test_it_stops_at_the_same_record_however_the_topic_is_cut_into_transactions(share: float, refused: set[int], cuts: list[int]) -> None:
    assert stopped_at(share, refused, [*cuts, 4_000]) == expected(share, refused)


def test_half_of_a_thousand_may_be_refused_and_not_one_more() -> None:
    assert stopped_at(0.5, set(range(0, 1_000, 2)), [4_000]) is None
    assert stopped_at(0.5, {*range(0, 1_000, 2), 999}, [4_000]) == 999
    assert stopped_at(1.0, set(range(4_000)), [4_000]) is None
    assert stopped_at(0.0, {17}, [4_000]) == 17


def test_a_worker_that_starts_again_stops_at_the_same_record() -> None:
    at = folded(0.5, set(range(400)), 0, 400, START)
    assert (at.judged, at.refused) == (400, 400)
    for _ in range(3):
        with pytest.raises(SettingsError, match=r"501 of 501 records up to orders:3:500 .* \(UNDECODABLE 101; the last: no 500\)"):
            folded(0.5, set(range(900)), 400, 900, at)


def test_what_the_operator_quarantined_is_not_counted() -> None:
    assert folded(0.0, {1, 2}, 0, 10, START, Reason.QUARANTINED) == Progress(10, "digest", "id")


def test_a_window_without_refusals_says_nothing() -> None:
    assert folded(0.5, set(), 0, 10, START) == Progress(10, "digest", "id")
    assert folded(0.5, {0}, 0, 1_000, START) == Progress(1_000, "digest", "id")
    assert folded(0.5, {0}, 0, 999, START) == Progress(999, "digest", "id", 999, 1)
