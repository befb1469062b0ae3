"""A date comes nearer: the warning ahead of it, per tier, earlier while a risk is open. Fact 001-13."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.records import Action
from tests.builders import DAY, NOON, prediction, profile, risk
from tests.folding import Folding, policy_of, restored

TIERS = [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}]
RENEWAL = {
    "before": "custom.contract_ends",
    "ahead": {"A": "90d", "B": "60d"},
    "early": {"by": "30d"},
    "then": {"action": "renewal_due"},
}
ENDS = "2024-12-31"


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)


def watched(**more: Any) -> Folding:
    schemes = {"s": {"kind": "score", "tiers": TIERS}}
    return Folding(policy_of(timezone="Asia/Shanghai", schemes=schemes, clocks={"renewal": RENEWAL | more}))


def told(f: Folding) -> list[tuple[str, int]]:
    return [(each.kind, each.due_at) for each in f.records("actions")]


def contract(ends: Any = ENDS, when: int = NOON) -> Any:
    return profile(custom={"contract_ends": ends}, at=when)


@pytest.mark.parametrize(("score", "ahead"), [(90.0, 90), (70.0, 60)])
@pytest.mark.parametrize("ends", [ENDS, float(at(ENDS))])
def test_001_13_each_tier_is_warned_of_its_own_time_ahead_to_the_millisecond(score: float, ahead: int, ends: Any) -> None:
    f = watched()
    f.fold(prediction(score=score), contract(ends))
    due_ms = at(ENDS) - ahead * DAY
    f.tick(due_ms - 1)
    assert told(f) == []
    f.tick(due_ms)
    f.tick(due_ms + DAY)
    assert told(f) == [("BREACHED", due_ms)]
    action: Action = f.records("actions")[0]
    assert (action.name, "2024-12-31" in action.reason) == ("renewal_due", True)


def test_001_13_a_customer_at_risk_is_warned_of_earlier() -> None:
    f = watched()
    f.fold(prediction(score=90.0), contract(), risk(at=NOON))
    assert f.view()["clocks"][0]["due_at"] == at(ENDS) - 120 * DAY
    f.fold(risk(status="WITHDRAWN", at=NOON + DAY))
    assert f.view()["clocks"][0]["due_at"] == at(ENDS) - 90 * DAY
    raised_ms = at(ENDS) - 100 * DAY
    f.fold(risk(at=raised_ms))
    assert told(f) == [("BREACHED", raised_ms)], "it should have been warned of already: now"


def test_a_warning_that_came_early_is_resolved_when_the_risk_is_withdrawn_and_comes_again_in_its_time() -> None:
    f = watched()
    raised_ms = at(ENDS) - 100 * DAY
    f.fold(prediction(score=90.0), contract(), risk(at=raised_ms), risk(status="WITHDRAWN", at=raised_ms + DAY))
    f.tick(at(ENDS) - 90 * DAY)
    assert told(f) == [("BREACHED", raised_ms), ("RESOLVED", raised_ms + DAY), ("BREACHED", at(ENDS) - 90 * DAY)]


def test_a_tier_without_a_limit_is_quiet_and_who_rises_late_is_warned_of_then() -> None:
    f = watched()
    f.fold(contract())
    f.tick(at(ENDS) - 80 * DAY)
    assert told(f) == []
    f.fold(prediction(score=90.0, at=at(ENDS) - 70 * DAY))
    assert told(f) == [("BREACHED", at(ENDS) - 70 * DAY)]


def test_another_date_resolves_the_warning_and_is_warned_of_in_its_turn() -> None:
    f = watched()
    f.fold(prediction(score=90.0), contract())
    due_ms = at(ENDS) - 90 * DAY
    f.tick(due_ms)
    f.fold(contract("2025-12-31", due_ms + DAY))
    f.tick(at("2025-12-31") - 90 * DAY)
    assert told(f) == [("BREACHED", due_ms), ("RESOLVED", due_ms + DAY), ("BREACHED", at("2025-12-31") - 90 * DAY)]
    breach, resolved, _ = f.records("actions")
    assert resolved.resolves == breach.action_id


def test_the_day_itself_resolves_the_warning_and_nobody_is_warned_of_the_past() -> None:
    f, past = watched(), watched()
    f.fold(prediction(score=90.0), contract())
    for when in (at(ENDS) - 90 * DAY, at(ENDS) - 1, at(ENDS)):
        f.tick(when)
    assert told(f) == [("BREACHED", at(ENDS) - 90 * DAY), ("RESOLVED", at(ENDS))]
    past.fold(prediction(score=90.0), contract("2023-12-31"))
    assert past.view()["clocks"][0]["due_at"] is None
    assert told(past) == []


@pytest.mark.parametrize("content", ["soon", True, -5.0, "2024-02-30"])
def test_what_is_no_date_is_none(content: Any) -> None:
    f = watched()
    f.fold(prediction(score=90.0), contract(content))
    assert f.view()["clocks"][0]["due_at"] is None


def test_each_anniversary_of_the_cooperation_is_warned_of_once() -> None:
    f = watched(before="cooperation_since", ahead="30d", early=None)
    f.fold(profile(cooperation_since=at("2020-02-29T18:00")))
    days = [at("2024-02-29"), at("2025-02-28")]
    for day in days:
        for when in (day - 30 * DAY - 1, day - 30 * DAY, day - 1, day):
            f.tick(when)
    assert told(f) == [(kind, when) for day in days for kind, when in (("BREACHED", day - 30 * DAY), ("RESOLVED", day))]


def test_a_warning_is_the_same_after_a_restore() -> None:
    f = watched()
    f.fold(prediction(score=90.0), contract())
    f.tick(at(ENDS) - 90 * DAY)
    f.keep()
    f.partition = restored(f.changelog, f.policy)
    f.tick(at(ENDS) - 89 * DAY)
    f.fold(profile(cleared=["custom.contract_ends"], at=at(ENDS) - 88 * DAY))
    assert told(f) == [("BREACHED", at(ENDS) - 90 * DAY), ("RESOLVED", at(ENDS) - 88 * DAY)]
