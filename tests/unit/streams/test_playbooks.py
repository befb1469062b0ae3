"""Laws of playbooks: what is to be done on entering a tier, told once, while it is worth something."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from schemas.records import Action
from streams.words import Words
from tests.builders import DAY, HOUR, NOON, command, prediction, profile, risk
from tests.folding import Folding, policy_of, restored, shipped

PLAYBOOKS: dict[str, Any] = {
    "A": {
        "process": "MCR",
        "team": ["sales", "solution", "delivery"],
        "priority": "raised",
        "milestones": ["strategy paper", "executive visit", "joint lab"],
    },
    "C": {"channel": "public pool"},
}
LADDER = {"kind": "score", "tiers": [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}]}


def playing(**scheme: Any) -> Folding:
    return Folding(policy_of(schemes={"abc": {**LADDER, **scheme}}, playbooks={"abc": PLAYBOOKS}))


def scored(points: float, at: int = NOON) -> Any:
    return prediction(score=points, at=at)


def played(f: Folding) -> list[Action]:
    return [action for action in f.records("actions") if action.kind == "PLAYBOOK"]


def test_002_10_coming_into_a_tier_names_its_process_its_team_and_its_milestones() -> None:
    f = playing()
    (change,) = f.fold(scored(90))
    (action,) = played(f)
    assert (action.name, action.scheme, action.tier, action.due_at, action.owner_id) == ("MCR", "abc", "A", NOON, None)
    assert action.playbook is not None
    assert action.playbook.team == ["sales", "solution", "delivery"]
    assert action.playbook.milestones == ["strategy paper", "executive visit", "joint lab"]
    assert action.playbook.priority == "raised", "001-11: the green channel"
    assert action.reason == "C to A: score 90 reaches A (from 80)"
    assert action.cause == change.cause


def test_a_tier_without_a_playbook_and_the_silent_entry_call_for_nothing() -> None:
    f = playing()
    f.fold(profile(), scored(70, NOON + 1))
    assert f.tier() == "B"
    assert played(f) == []


def test_a_way_down_ends_in_the_playbook_of_the_lower_tier_and_says_which_stage_decided() -> None:
    f = playing(risk={"LAWSUIT": {"ceiling": "C"}})
    f.fold(scored(90), risk(at=NOON + HOUR))
    assert [(action.tier, action.name) for action in played(f)] == [("A", "MCR"), ("C", "C")]
    assert played(f)[-1].reason.startswith("A to C: LAWSUIT ")


def test_of_steps_at_the_same_instant_only_the_last_is_played() -> None:
    f = Folding(
        policy_of(
            schemes={"abc": {**LADDER, "steps": {"at_most": 1, "every": "0s"}}}, playbooks={"abc": {**PLAYBOOKS, "B": {"tasks": ["call"]}}}
        )
    )
    assert [change.to_tier for change in f.fold(scored(90))] == ["B", "A"]
    assert [action.tier for action in played(f)] == ["A"]


def test_each_coming_has_an_id_of_its_own_and_computing_it_again_gives_the_same() -> None:
    records = [scored(90), scored(10, NOON + HOUR), scored(90, NOON + 2 * HOUR)]
    once, again = playing(), playing()
    once.fold(*records)
    again.fold(*records)
    ids = [action.action_id for action in played(once)]
    assert ids == [action.action_id for action in played(again)]
    assert len(set(ids)) == len(ids) == 3


def test_neither_history_nor_a_rebuild_nor_who_is_to_be_left_alone_is_played() -> None:
    past = Folding(playing().policy, mode="BACKFILL")
    past.fold(scored(90))
    late = playing()
    late.step(late.placed(scored(90), NOON + DAY), scored(90))
    alone = playing()
    alone.fold(profile(do_not_contact=True), scored(90, NOON + 1))
    assert [f.tier() for f in (past, late, alone)] == ["A", "A", "A"]
    assert [played(f) for f in (past, late, alone)] == [[], [], []]


@pytest.mark.parametrize("looked", [True, False])
def test_who_asks_to_be_left_alone_later_was_played_whoever_looked_and_whenever(looked: bool) -> None:
    f = playing(override={"at_most": "90d"})
    said = {"arguments": {"tier": "C"}, "requested_by": "kim", "approved_by": "lee", "reason": "audit"}
    f.fold(scored(90), command("acme", "OVERRIDE", NOON + HOUR, expires_at=NOON + HOUR + 1, **said))
    if looked:
        f.tick(NOON + HOUR + 1)
    f.fold(profile(at=NOON + HOUR + 2, do_not_contact=True))
    assert [(action.tier, action.due_at - NOON) for action in played(f)] == [("A", 0), ("C", HOUR), ("A", HOUR + 1)]


def test_a_restore_plays_nothing_again() -> None:
    f = playing()
    f.fold(scored(90))
    f.keep()
    again = restored(f.changelog, f.policy)
    assert [output for output in again.fold_tick(NOON + HOUR, "LIVE", 0) if output.topic == "actions"] == []


def test_a_playbook_says_itself_in_plain_words() -> None:
    (said,) = playing().policy.document.playbooks["abc"]["A"].said(Words({}, "CNY"))
    assert said.text == (
        "process MCR; worked on by sales, solution and delivery; raised priority; milestones strategy paper, executive visit, joint lab"
    )


@pytest.mark.parametrize(
    ("playbooks", "said"),
    [
        ({"abd": PLAYBOOKS}, "playbooks.abd: unknown scheme 'abd', did you mean 'abc'?"),
        ({"abc": {"S": {"process": "MCR"}}}, "playbooks.abc.S: unknown tier 'S'"),
        ({"abc": {"A": {}}}, "playbooks.abc.A: must say at least one of process, team"),
        ({"abc": {"A": {"priority": "urgent"}}}, "playbooks.abc.A.priority"),
    ],
)
def test_a_playbook_of_nobody_is_refused(playbooks: Any, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(schemes={"abc": LADDER}, playbooks=playbooks)
    assert said in str(refused.value)


def test_002_10_002_11_002_12_the_shipped_policy_has_the_processes_of_its_tiers() -> None:
    playbooks = shipped("cadence").playbooks
    assert [playbooks["sabc", tier].process for tier in "CBAS"] == ["light", "light", "L2C", "MCR"]
