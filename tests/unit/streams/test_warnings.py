"""Clocks that warn: cadence and executive visits. Fixture 12 of the facts, to the millisecond."""

from typing import Any

import pytest

from schemas.records import Action, Event
from streams.replay import FileReplay, LoggedEvent
from tests.builders import DAY, HOUR, NOON, interaction, prediction, profile, risk, tick
from tests.folding import TOPIC_OF, Folding, policy_of, restored, shipped

WORTH = {"S": 97.0, "A": 85.0, "B": 65.0, "C": 10.0}
LADDER = [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}, {"name": "S", "enter_at": 95}]
CADENCE = {
    "resets_on": {"actor": "OWNER"},
    "after": {"S": "7d", "A": "14d", "B": "30d", "C": "90d"},
    "then": {"action": "cadence_breached"},
}


def watched(**clocks: Any) -> Folding:
    return Folding(policy_of(schemes={"s": {"kind": "score", "tiers": LADDER}}, clocks=clocks or {"cadence": CADENCE}))


def told(f: Folding, *, since: int = 0) -> list[Action]:
    return [action for action in f.records("actions") if action.kind != "PLAYBOOK"][since:]


def call(at: int, **more: Any) -> Event:
    return interaction(kind="CALL", actor="OWNER", at=at, **more)


def replayed(name: str, *events: Event | Any) -> list[Action]:
    """What a file of these records publishes on `actions` under a shipped policy."""
    replay = FileReplay("test", shipped(name))
    large = profile(industry="manufacturing", size="large", at=NOON)
    said = replay.fold_all([LoggedEvent(TOPIC_OF[type(event)], event) for event in (large, *events)])
    outputs = [output.record for _, each in said if isinstance(each, list) for output in each]
    return [record for record in outputs if isinstance(record, Action) and record.kind in ("BREACHED", "RESOLVED")]


@pytest.mark.parametrize(("tier", "days"), [("S", 7), ("A", 14), ("B", 30), ("C", 90)])
def test_002_18_fixture_12_who_is_not_touched_in_time_is_one_breach_to_the_millisecond(tier: str, days: int) -> None:
    due_ms, start = NOON + days * DAY, (call(NOON, dwell_seconds=90.0), prediction(score=WORTH[tier], at=NOON))
    assert replayed("cadence", *start, tick(due_ms - 1), tick(due_ms - 1 + 300_000)) == []
    (breach,) = replayed("cadence", *start, tick(due_ms - 1), tick(due_ms + 300_000), tick(due_ms + 5 * HOUR))
    assert (breach.kind, breach.name, breach.due_at, breach.scheme, breach.tier) == ("BREACHED", "cadence_breached", due_ms, "sabc", tier)
    assert f"ran out after {days}d in {tier}" in breach.reason
    assert "resolves it" in breach.reason


def test_000_17_fixture_12_an_s_account_without_an_executive_visit_in_the_quarter_is_one_breach() -> None:
    touches = [call(NOON + touch * 6 * DAY, dwell_seconds=90.0) for touch in range(1, 16)]
    last_ms = NOON + 92 * DAY
    events = [prediction(score=97.0, at=NOON), *touches, tick(last_ms - 1), tick(last_ms + 300_000)]
    (breach,) = replayed("cadence", *events)
    assert (breach.name, breach.due_at, breach.tier) == ("executive_visit_due", last_ms, "S")
    assert breach.reason == "executive_visit ran out after 92d in S; an interaction (executive visit) resolves it"


def test_a_breach_is_announced_once_and_the_reset_resolves_it_once() -> None:
    f = watched()
    f.fold(profile(owner_id="kim", at=NOON), prediction(score=97.0, at=NOON))
    for day in (7, 8, 30):
        f.tick(NOON + day * DAY)
    (breach,) = told(f)
    f.fold(call(NOON + 31 * DAY), call(NOON + 31 * DAY + 1))
    (resolved,) = told(f, since=1)
    assert (resolved.kind, resolved.name, resolved.resolves) == ("RESOLVED", "cadence_breached", breach.action_id)
    assert (resolved.due_at, resolved.owner_id, resolved.cause.kind) == (NOON + 31 * DAY, "kim", "INTERACTION")
    f.tick(NOON + 38 * DAY)
    assert [each.due_at for each in told(f, since=2)] == [], "a tick after the second reset's seven days less a millisecond"
    f.tick(NOON + 38 * DAY + 1)
    assert [(each.kind, each.due_at) for each in told(f, since=2)] == [("BREACHED", NOON + 38 * DAY + 1)]


def test_a_breach_that_was_not_announced_is_not_resolved() -> None:
    too_late, left_alone = watched(), watched()
    too_late.fold(prediction(score=97.0, at=NOON))
    too_late.tick(NOON + 7 * DAY + 2 * HOUR), too_late.tick(NOON + 8 * DAY)
    left_alone.fold(profile(do_not_contact=True, at=NOON), prediction(score=97.0, at=NOON))
    left_alone.tick(NOON + 7 * DAY)
    for f in (too_late, left_alone):
        f.fold(call(NOON + 9 * DAY))
        assert told(f) == []
        assert f.view()["clocks"][0]["due_at"] == NOON + 16 * DAY


def test_a_warning_that_is_no_contact_is_announced_whoever_must_not_be_contacted() -> None:
    f = watched(cadence=CADENCE | {"then": {"action": "look", "contact": False}})
    f.fold(profile(do_not_contact=True, at=NOON), prediction(score=97.0, at=NOON))
    f.tick(NOON + 7 * DAY)
    assert [each.name for each in told(f)] == ["look"]


def test_nothing_is_announced_unless_live() -> None:
    f = Folding(watched().policy, mode="BACKFILL")
    f.fold(prediction(score=97.0, at=NOON))
    f.tick(NOON + 7 * DAY)
    f.fold(call(NOON + 8 * DAY))
    assert told(f) == []


def test_a_cadence_reads_the_published_tier_and_gives_a_new_tier_its_full_time() -> None:
    risky = {"kind": "score", "tiers": LADDER, "risk": {"LAWSUIT": {"ceiling": "C"}}}
    f = Folding(policy_of(schemes={"s": risky}, clocks={"cadence": CADENCE}))
    f.fold(prediction(score=10.0, at=NOON), prediction(score=97.0, at=NOON + 20 * DAY))
    assert f.view()["clocks"][0]["due_at"] == NOON + 27 * DAY
    f.fold(risk(at=NOON + 21 * DAY))
    assert f.view()["clocks"][0]["due_at"] == NOON + 111 * DAY, "published is C, whatever is earned"


def test_an_update_without_substance_resets_nothing() -> None:
    substance = [{"kinds": ["MEETING"]}, {"kinds": ["CALL"], "dwell_seconds": 60}, {"contact": "another"}]
    f = watched(cadence=CADENCE | {"resets_on": {"actor": "OWNER", "substance": substance}})
    f.fold(prediction(score=97.0, at=NOON))

    def due_after(record: Event) -> float:
        f.fold(record)
        return (f.view()["clocks"][0]["due_at"] - NOON) / DAY - 7

    assert due_after(interaction(kind="NOTE", actor="OWNER", at=NOON + DAY)) == 0
    assert due_after(call(NOON + DAY, dwell_seconds=59.9)) == 0
    assert due_after(call(NOON + DAY, dwell_seconds=60.0)) == 1
    assert due_after(call(NOON + 2 * DAY, contact_id="ann")) == 2
    assert due_after(call(NOON + 3 * DAY, contact_id="ann")) == 2, "the same contact again"
    assert due_after(call(NOON + 4 * DAY, contact_id="bob")) == 4
    assert due_after(interaction(kind="MEETING", actor="CUSTOMER", at=NOON + 5 * DAY)) == 4
    assert due_after(interaction(kind="MEETING", actor="OWNER", at=NOON + 5 * DAY)) == 5


def test_breaches_are_the_same_after_a_restore() -> None:
    f = watched()
    f.fold(prediction(score=97.0, at=NOON))
    f.tick(NOON + 7 * DAY)
    (breach,) = told(f)
    f.keep()
    f.partition = restored(f.changelog, f.policy)
    f.tick(NOON + 8 * DAY)
    f.fold(call(NOON + 9 * DAY))
    (resolved,) = told(f, since=1)
    assert resolved.resolves == breach.action_id


def test_a_late_touch_resolves_at_the_accounts_clock() -> None:
    f = watched()
    f.fold(prediction(score=97.0, at=NOON))
    f.tick(NOON + 7 * DAY)
    f.fold(call(NOON + 6 * DAY))
    _, resolved = told(f)
    assert (resolved.due_at, resolved.cause.kind, resolved.cause.occurred_at) == (NOON + 7 * DAY, "LATE", NOON + 6 * DAY)
    assert f.view()["clocks"][0]["due_at"] == NOON + 13 * DAY


def test_the_view_says_what_a_clock_leads_to_and_what_has_run_out() -> None:
    f = watched()
    f.fold(prediction(score=97.0, at=NOON))
    assert f.view()["clocks"][0]["then"] == "cadence_breached"
    f.tick(NOON + 7 * DAY)
    (clock,) = f.view()["clocks"]
    assert (clock["due_at"], [breach["due_at"] for breach in clock["breaches"]]) == (None, [NOON + 7 * DAY])
    assert f.view()["schemes"]["s"]["forecast"] is None, "a warning moves no tier"


def test_one_clock_may_warn_in_one_tier_and_demote_in_another() -> None:
    clock = {
        "resets_on": {"actor": "CUSTOMER"},
        "after": "60d",
        "then": {"S": {"action": "call"}, "A": "demote", "B": "demote", "C": "recycle"},
    }
    f = watched(silence=clock)
    f.fold(prediction(score=97.0, at=NOON))
    f.tick(NOON + 60 * DAY)
    assert [each.name for each in told(f)] == ["call"]
    assert f.tier() == "S"
