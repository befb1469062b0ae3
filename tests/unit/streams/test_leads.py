"""Whom to call, and when not any more: hot leads and actions are for what is young, by recorded times alone, to the millisecond."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from tests.builders import DAY, HOUR, MINUTE, NOON, interaction, prediction, profile
from tests.folding import Folding, policy_of

TIERS = [{"name": "C"}, {"name": "B", "enter_at": 40}, {"name": "A", "enter_at": 80}]
QUIET = {"quiet": {"from": "interactions", "since": "last"}}
CALL_BACK = {"when": {"quiet": {"at_least": 14 * DAY, "at_most": 15 * DAY}}, "lift_to": "B"}
SILENCE = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "14d", "then": "recycle"}}
FIRED_AT = NOON + 14 * DAY


def hot(**parts: Any) -> Folding:
    """Accounts whose score is the model's prediction; A is hot, and 14 days of quiet fire a trigger."""
    scheme = {"kind": "score", "tiers": TIERS, "hot": ["A"], "triggers": [CALL_BACK]}
    return Folding(policy_of(measures=QUIET, schemes={"s": scheme}, **parts))


def tick(f: Folding, at_ms: int) -> None:
    """A tick as the lane makes it: at its own time, whatever the policy's lateness."""
    f._publish(f.partition.fold_tick(at_ms, "LIVE", at_ms))


@pytest.mark.parametrize(("age_ms", "leads"), [(0, 1), (HOUR, 1), (HOUR + 1, 0), (30 * DAY, 0)])
def test_a_record_makes_a_lead_up_to_act_within_after_it_happened(age_ms: int, leads: int) -> None:
    f = hot()
    record = prediction(score=90.0, at=NOON)
    f.step(f.placed(record, NOON + age_ms), record)
    assert f.tier() == "A"
    assert [(lead.effective_at, lead.act_before) for lead in f.records("hot-leads")] == [(NOON, NOON + HOUR)] * leads


@pytest.mark.parametrize(("age_ms", "leads"), [(HOUR, 1), (HOUR + 1, 0)])
def test_a_late_record_is_as_young_as_the_change_it_makes(age_ms: int, leads: int) -> None:
    """It happened two days ago, its consequence happens at the account's clock."""
    f = hot()
    f.fold(interaction(at=NOON))
    late = prediction(score=90.0, at=NOON - 2 * DAY)
    f.step(f.placed(late, NOON + age_ms), late)
    assert len(f.records("hot-leads")) == leads


@pytest.mark.parametrize("policy_s_own", ["10m", "2d"])
def test_how_long_is_the_policys(policy_s_own: str) -> None:
    limit_ms = {"10m": 10 * MINUTE, "2d": 2 * DAY}[policy_s_own]
    for age_ms, leads in ((limit_ms, 1), (limit_ms + 1, 0)):
        f = hot(act_within=policy_s_own)
        record = prediction(score=90.0, at=NOON)
        f.step(f.placed(record, NOON + age_ms), record)
        assert len(f.records("hot-leads")) == leads


@pytest.mark.parametrize(("age_ms", "leads"), [(0, 1), (HOUR, 1), (HOUR + 1, 0)])
def test_the_first_tick_makes_a_lead_up_to_act_within_after_the_instant_it_decides(age_ms: int, leads: int) -> None:
    f = hot()
    f.fold(interaction(at=NOON))
    tick(f, FIRED_AT + age_ms)
    assert f.tier() == "B"
    assert [lead.effective_at for lead in f.records("hot-leads")] == [FIRED_AT] * leads


def test_an_outage_loses_no_lead_however_long_it_was() -> None:
    """Nobody looked for weeks: the tick before it says that nobody could have known."""
    f = hot()
    f.fold(interaction(at=NOON))
    tick(f, FIRED_AT - 1)
    tick(f, FIRED_AT + DAY)
    assert [lead.effective_at for lead in f.records("hot-leads")] == [FIRED_AT]


def test_a_later_tick_is_judged_by_the_one_before_it_however_late_it_comes() -> None:
    """The tick before came after the instant and left it for records that come late, as the policy wants."""
    f = hot(lateness="1h", act_within="61m")
    f.fold(interaction(at=NOON))
    tick(f, FIRED_AT + HOUR - 1)
    assert f.records("hot-leads") == []
    tick(f, FIRED_AT + 30 * DAY)
    assert [lead.effective_at for lead in f.records("hot-leads")] == [FIRED_AT]


@pytest.mark.parametrize(("known", "leads"), [({"do_not_contact": True}, 0), ({"do_not_contact": False}, 1), ({}, 1)])
def test_who_must_not_be_contacted_is_no_lead(known: dict[str, Any], leads: int) -> None:
    f = hot()
    f.fold(profile(at=NOON, **known), prediction(score=90.0, at=NOON))
    assert f.tier() == "A", "the tier is what it is"
    assert len(f.records("hot-leads")) == leads


def test_the_wish_not_to_be_contacted_can_be_taken_back() -> None:
    f = hot()
    f.fold(profile(at=NOON, do_not_contact=True), profile(at=NOON + 1, cleared=["do_not_contact"]), prediction(score=90.0, at=NOON + 2))
    assert len(f.records("hot-leads")) == 1


@pytest.mark.parametrize(("wish", "age_ms", "actions"), [(None, HOUR, 1), (None, HOUR + 1, 0), (True, 0, 0)])
def test_an_account_that_goes_to_the_pool_is_announced_young_and_where_contact_is_allowed(
    wish: bool | None, age_ms: int, actions: int
) -> None:
    """What is announced or not: the account is in the pool, and `account-tiers` says so."""
    f = Folding(policy_of(clocks=SILENCE))
    f.fold(interaction(at=NOON), profile(at=NOON, owner_id="kim", do_not_contact=wish))
    tick(f, FIRED_AT + age_ms)
    assert [(action.due_at, action.owner_id) for action in f.records("actions")] == [(FIRED_AT, "kim")] * actions
    told = f.records("account-tiers")[-1]
    assert (told.owner_id, told.pool.since_at, told.pool.previous_owner_id) == (None, FIRED_AT, "kim")


@pytest.mark.parametrize("lateness", ["1h", "2h"])
def test_a_policy_that_decides_when_nobody_may_act_any_more_is_refused(lateness: str) -> None:
    with pytest.raises(PolicyError, match="act_within: must be longer than lateness"):
        hot(lateness=lateness, act_within="1h")
