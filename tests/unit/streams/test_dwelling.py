"""An opportunity stays too long in one stage: fixture 6 of the facts, and what else ends or begins a stay."""

from typing import Any

from schemas.records import Action, Event
from streams.replay import FileReplay, LoggedEvent
from streams.stays import FOLLOWED
from tests.builders import DAY, NOON, prediction, profile, stage_change, tick
from tests.folding import TOPIC_OF, Folding, policy_of, restored, shipped

OVERDUE = {"of": "opportunities", "process": "L2C", "after": "7d", "then": {"action": "stage_overdue"}}
TIERS = [{"name": "C"}, {"name": "A", "enter_at": 80}]


def watched(**more: Any) -> Folding:
    return Folding(policy_of(schemes={"s": {"kind": "score", "tiers": TIERS}}, clocks={"stage_dwell": OVERDUE | more}))


def moved(at: int, **more: Any) -> Event:
    return stage_change(at=at, **({"process": "L2C"} | more))


def told(f: Folding) -> list[tuple[str, int]]:
    return [(each.kind, each.due_at) for each in f.records("actions")]


def replayed(*events: Any) -> list[Action]:
    replay = FileReplay("test", shipped("cadence"))
    said = replay.fold_all([LoggedEvent(TOPIC_OF[type(event)], event) for event in events])
    outputs = [output.record for _, each in said if isinstance(each, list) for output in each]
    return [record for record in outputs if isinstance(record, Action) and record.kind in ("BREACHED", "RESOLVED")]


def test_002_11_fixture_6_seven_days_in_one_stage_are_silent_one_millisecond_more_alerts_once_and_a_change_resets() -> None:
    start = [profile(industry="manufacturing", size="large"), prediction(score=80.0), moved(NOON)]
    due_ms, late = NOON + 7 * DAY + 1, 300_000
    assert replayed(*start, tick(due_ms - 1 + late)) == []
    (alert,) = replayed(*start, tick(due_ms - 1 + late), tick(due_ms + late), tick(due_ms + 2 * late))
    assert (alert.kind, alert.name, alert.due_at, alert.tier) == ("BREACHED", "stage_overdue", due_ms, "A")
    assert alert.reason == "opportunity op-1 is in stage NEGOTIATION for more than 7d; another stage, WON or LOST resolves it"
    _, resolved = replayed(*start, tick(due_ms + late), moved(due_ms + DAY, stage="CONTRACT"), tick(due_ms + 2 * DAY))
    assert (resolved.kind, resolved.resolves, resolved.reason) == ("RESOLVED", alert.action_id, "opportunity op-1 is in stage CONTRACT")


def test_002_11_a_stage_change_at_exactly_seven_days_comes_in_time() -> None:
    f = watched()
    f.fold(moved(NOON), moved(NOON + 7 * DAY, stage="CONTRACT"))
    f.tick(NOON + 14 * DAY)
    assert told(f) == []
    f.tick(NOON + 14 * DAY + 1)
    assert told(f) == [("BREACHED", NOON + 14 * DAY + 1)]


def test_a_word_about_the_same_stage_does_not_reset_it() -> None:
    f = watched()
    f.fold(moved(NOON), moved(NOON + 5 * DAY, amount_minor=5))
    f.tick(NOON + 7 * DAY + 1)
    f.fold(moved(NOON + 8 * DAY))
    assert told(f) == [("BREACHED", NOON + 7 * DAY + 1)]


def test_won_or_lost_ends_the_stay_and_the_breach() -> None:
    won_before, lost_after = watched(), watched()
    won_before.fold(moved(NOON), moved(NOON + DAY, status="WON"))
    lost_after.fold(moved(NOON))
    for f in (won_before, lost_after):
        f.tick(NOON + 7 * DAY + 1)
    lost_after.fold(moved(NOON + 9 * DAY, status="LOST"))
    assert told(won_before) == []
    assert told(lost_after) == [("BREACHED", NOON + 7 * DAY + 1), ("RESOLVED", NOON + 9 * DAY)]
    assert lost_after.view()["clocks"][0]["breaches"] == []


def test_each_opportunity_of_the_process_is_watched_by_itself() -> None:
    f = watched()
    f.fold(moved(NOON, opportunity_id="one"), moved(NOON + 1, opportunity_id="two"), moved(NOON, opportunity_id="light", process="light"))
    f.tick(NOON + 8 * DAY)
    assert [each.due_at for each in f.records("actions")] == [], "the first tick is its own reference: it looks a day too late"
    g = watched()
    g.fold(moved(NOON, opportunity_id="one"), moved(NOON + 1, opportunity_id="two"), moved(NOON, opportunity_id="light", process="light"))
    g.tick(NOON + 7 * DAY)
    g.tick(NOON + 8 * DAY)
    assert told(g) == [("BREACHED", NOON + 7 * DAY + 1), ("BREACHED", NOON + 7 * DAY + 2)]
    g.fold(moved(NOON + 9 * DAY, opportunity_id="two", stage="CONTRACT"))
    one, two, resolved = g.records("actions")
    assert len({one.action_id, two.action_id}) == 2
    assert resolved.resolves == two.action_id
    assert [breach["of"] for breach in g.view()["clocks"][0]["breaches"]] == ["one"]


def test_an_opportunity_that_leaves_the_process_is_watched_no_more() -> None:
    f = watched()
    f.fold(moved(NOON))
    f.tick(NOON + 7 * DAY + 1)
    f.fold(moved(NOON + 8 * DAY, process="light"))
    f.tick(NOON + 30 * DAY)
    assert told(f) == [("BREACHED", NOON + 7 * DAY + 1), ("RESOLVED", NOON + 8 * DAY)]


def test_breaches_and_stays_are_the_same_after_a_restore() -> None:
    f = watched()
    f.fold(moved(NOON, opportunity_id="one"), moved(NOON + DAY, opportunity_id="two"))
    f.tick(NOON + 7 * DAY + 1)
    f.keep()
    f.partition = restored(f.changelog, f.policy)
    f.tick(NOON + 8 * DAY + 1)
    f.fold(moved(NOON + 9 * DAY, opportunity_id="one", stage="CONTRACT"))
    assert told(f) == [("BREACHED", NOON + 7 * DAY + 1), ("BREACHED", NOON + 8 * DAY + 1), ("RESOLVED", NOON + 9 * DAY)]


def test_a_tier_that_is_not_watched_is_quiet_and_who_comes_into_a_watched_one_too_late_is_warned_of_then() -> None:
    f = watched(after={"A": "7d"})
    f.fold(moved(NOON))
    f.tick(NOON + 9 * DAY)
    assert told(f) == []
    f.fold(prediction(score=90.0, at=NOON + 10 * DAY))
    assert told(f) == [("BREACHED", NOON + 10 * DAY)]


def test_stages_are_kept_in_any_order_of_arrival() -> None:
    f, g = watched(), watched()
    records = [moved(NOON, event_id="1"), moved(NOON + DAY, event_id="2"), moved(NOON + 2 * DAY, stage="CONTRACT", event_id="3")]
    f.fold(*records)
    g.fold(*reversed(records))
    assert f.view()["clocks"] == g.view()["clocks"]
    assert f.view()["clocks"][0]["due_at"] == NOON + 9 * DAY + 1


def test_so_many_opportunities_are_followed_and_an_announced_one_that_is_forgotten_is_resolved() -> None:
    f = watched()
    f.fold(moved(NOON, opportunity_id="first"))
    f.tick(NOON + 7 * DAY + 1)
    f.fold(*(moved(NOON + 8 * DAY, opportunity_id=f"x{number}") for number in range(FOLLOWED)))
    assert told(f) == [("BREACHED", NOON + 7 * DAY + 1), ("RESOLVED", NOON + 8 * DAY)]
    assert f.records("actions")[-1].reason == "opportunity first is not followed any more"


def test_business_days_count_where_the_clock_says_so() -> None:
    f = watched(after="5d", business_days=True)
    f.fold(moved(NOON))  # a Wednesday
    assert f.view()["clocks"][0]["due_at"] == NOON + 7 * DAY + 1
