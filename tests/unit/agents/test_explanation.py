"""What `explain` tells people: it fits their terminal, what it shows adds up, and the manual shows what it says."""

import io
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from rich.console import Console

from agents.cli import explanation
from agents.json_lines import logged_event
from schemas.records import Event
from streams.replay import FileReplay
from tests.builders import DAY, NOON, command, interaction, prediction, profile, risk
from tests.folding import Folding, policy_of, shipped
from tests.house.documents import OPERATIONS, fences
from tests.house.tree import ROOT


def told(view: dict[str, Any], asked_ms: int | None = None, width: int = 80) -> str:
    """What is printed, without trailing blanks."""
    said = io.StringIO()
    explanation.show(Console(file=said, width=width, highlight=False), json.loads(json.dumps(view)), asked_ms)
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines())


def words(text: str) -> str:
    return " ".join(text.split())


def live(*more: Event) -> Folding:
    """An account whose trigger has lifted it to A."""
    f = Folding(shipped("sabc-live"))
    f.fold(profile(name="Zenith & Söhne GmbH, a company with a long name", industry="finance", owner_id="kim"), prediction(score=100.0))
    f.fold(*(interaction(kind=kind, at=NOON + DAY) for kind in ("DOWNLOAD", "DOWNLOAD", "DOWNLOAD", "PRICE_INQUIRY")), *more)
    return f


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("more", [(), (risk(at=NOON + 2 * DAY),)], ids=["lifted", "gated"])
def test_it_fits_the_terminal_and_what_it_shows_adds_up(width: int, more: Iterable[Event]) -> None:
    view = live(*more).view()
    text = told(view, width=width)
    assert max(map(len, text.splitlines())) <= width
    total = round(float(re.findall(r"([\d.]+) points of 100", text)[0]) * 100)
    of_dimensions = [round(float(points) * 100) for points in re.findall(r"^ *([\d.]+)  \S", text, re.MULTILINE)]
    of_lines = [round(float(points) * 100) for points in re.findall(r"^ *([\d.]+)    \S", text, re.MULTILINE)]
    assert sum(of_lines) == sum(of_dimensions) == total == view["score_micro"] // 10_000


def test_a_trigger_is_said_with_its_condition_and_a_gate_with_its_risk() -> None:
    text = words(told(live(risk(at=NOON + 2 * DAY)).view()))
    for said in (
        "trigger to A: downloads 14d at least 3 and inquiries 14d at least 1",
        "C on ladder sabc",
        "gated C: LAWSUIT r-1 is open: at most C",
        "LAWSUIT r-1 (HIGH) is open since 12 January 2024, 20:00",
    ):
        assert said in text


def test_an_override_is_said_with_its_reason_and_who_ordered_it() -> None:
    tiers = [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}]
    f = Folding(policy_of(schemes={"sabc": {"kind": "score", "tiers": tiers, "override": {"at_most": "90d"}}}))
    f.fold(prediction(score=70.0))
    order: dict[str, Any] = {"arguments": {"tier": "A"}, "requested_by": "kim", "approved_by": "lee", "reason": "pilot customer"}
    f.fold(command("acme", "OVERRIDE", NOON + DAY, expires_at=NOON + 30 * DAY, **order))
    text = words(told(f.view()))
    assert "published A: an override to A until" in text
    assert "pilot customer" in text
    assert "ordered by kim, approved by lee" in text


def test_points_that_are_there_already_are_not_said_to_be_missing() -> None:
    f = Folding(shipped("sabc"))
    f.fold(prediction(score=100.0), profile(industry="manufacturing", size="large", region="core", qualifications=list("abcd")))
    f.fold(*(interaction(kind="PRICE_INQUIRY", at=NOON + 1) for _ in range(9)))
    assert "A is the highest tier" in words(told(f.view()))
    f.tick(NOON + 61 * DAY)
    text = words(told(f.view()))
    assert "B on ladder sabc" in text
    assert "it has the points for A" in text


def test_an_instant_ahead_and_one_that_is_past_are_said_to_be_so() -> None:
    f = live()
    ahead = f.partition.view("acme", NOON + 40 * DAY)
    assert ahead is not None
    assert "if nothing happens from 11 January 2024, 20:00 until then" in words(told(ahead))
    assert "You asked for 9 January 2024, 20:00. Only the present is kept" in words(told(f.view(), asked_ms=NOON - DAY))


def test_an_account_in_the_pool_is_said_to_be_there_and_whose_it_was() -> None:
    f = live()
    f.tick(NOON + 400 * DAY)
    text = words(told(f.view()))
    assert "without an owner" in text
    assert "from kim: silence ran out after 60d in C" in text


def test_the_manual_shows_what_it_says_of_the_example() -> None:
    replay = FileReplay("tierstream", shipped("sabc"))
    for line in (ROOT / "docs" / "examples" / "first.jsonl").read_bytes().splitlines():
        replay.fold(logged_event(line))
    view = replay.partition(0).view("acme")
    assert view is not None
    (shown,) = [text for text in fences(OPERATIONS, "text") if text.startswith("Acme")]
    assert shown.strip() == told(view, width=100).strip()
