"""Laws of what `explain` says in words: it counts, dates and rounds as one does, and what it shows adds up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cli import wording
from agents.cli.wording import Clock
from tests.builders import DAY, HOUR, NOON

CLOCK = Clock("Asia/Shanghai", NOON + 30 * DAY)


def line(label: str, count: int | None, last_at: int | None = NOON) -> dict[str, Any]:
    return {"line": label, "count": count, "last_at": last_at}


@pytest.mark.parametrize(
    ("stands", "said"),
    [
        (line("DOWNLOAD", 3), "3 downloads, the last on 10 January 2024, 20:00"),
        (line("VISIT", 1), "1 visit, on 10 January 2024, 20:00"),
        (line("PRICE_INQUIRY", 2), "2 price inquiries, the last on 10 January 2024, 20:00"),
        (line("DOWNLOAD, EMAIL_OPEN", 1200), "1,200 downloads, email opens, the last on 10 January 2024, 20:00"),
        (line("order", 2), "2 orders, the last on 10 January 2024, 20:00"),
        (line("frequency: paid_orders", 2), "frequency: paid orders ×2, the last on 10 January 2024, 20:00"),
        (line("DOWNLOAD", 3, None), "3 downloads"),
        (line("score", None), "score, the last on 10 January 2024, 20:00"),
        (line("industry", None), "industry: finance, since 10 January 2024, 20:00"),
        (line("qualifications", None), "qualifications: ISO9001, AAA, since 10 January 2024, 20:00"),
        (line("region missing", None, None), "region missing"),
        (line("limited", None, None), "limited"),
    ],
)
def test_a_line_says_what_happened_how_often_and_when_last(stands: dict[str, Any], said: str) -> None:
    assert wording.evidence_of(stands, {"industry": "finance", "qualifications": ["ISO9001", "AAA"]}, CLOCK) == said


def test_what_is_near_is_said_to_the_second() -> None:
    clock = Clock("UTC", NOON)
    assert [clock.on(NOON + HOUR - 1), clock.on(NOON - HOUR)] == ["10 January 2024, 12:59:59", "10 January 2024, 11:00"]


@pytest.mark.parametrize(("noun", "said"), [("visit", "visits"), ("inquiry", "inquiries"), ("survey", "surveys"), ("pitch", "pitches")])
def test_plurals(noun: str, said: str) -> None:
    assert (wording.plural(noun, 1), wording.plural(noun, 2)) == (noun, said)


@pytest.mark.parametrize(
    ("length_ms", "said"), [(30 * DAY, "30 days"), (DAY, "1 day"), (HOUR, "1 hour"), (90_000, "2 minutes"), (500, "500 milliseconds")]
)
def test_durations(length_ms: int, said: str) -> None:
    assert wording.duration(length_ms) == said


@given(st.lists(st.integers(-50_000_000, 50_000_000), min_size=1, max_size=20))
def test_what_is_shown_of_the_parts_adds_up_to_what_is_shown_of_the_whole(micros: list[int]) -> None:
    total = wording.hundredths(sum(micros))
    assert sum(wording.parts(total, micros)) == total


def test_a_score_is_not_shown_as_one_that_it_has_not_reached_and_what_is_missing_suffices() -> None:
    assert wording.points(wording.hundredths(79_999_999)) == "79.99"
    assert wording.missing(1) == "0.01"
    assert wording.missing(20_000) == "0.02"
