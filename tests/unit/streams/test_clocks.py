"""Time alone: clocks, patience, leads and forecasts, to the millisecond. Fixtures 4 and 5 of the facts."""

from typing import Any

import pytest

from schemas.records import Action
from tests.builders import DAY, NOON, interaction, prediction, profile
from tests.folding import Folding, policy_of, shipped

SILENCE = {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": {"A": "demote", "B": "demote", "C": "recycle"}}
LADDER = [{"name": "C"}, {"name": "B", "enter_at": 40}, {"name": "A", "enter_at": 80}]


def watched(clocks: dict[str, Any] | None = None, **scheme: Any) -> Folding:
    """Accounts whose score is the model's prediction, on a ladder C, B (40), A (80)."""
    return Folding(policy_of(schemes={"s": {"kind": "score", "tiers": LADDER} | scheme}, clocks=clocks or {}))


def ticked(f: Folding, at_ms: int) -> list[Any]:
    """What a tick publishes."""
    return [output.record for output in f.partition.fold_tick(at_ms, "LIVE", at_ms)]


def changes(records: list[Any]) -> list[tuple[str, str, int, str]]:
    return [(r.from_tier, r.to_tier, r.effective_at, r.cause.kind) for r in records if type(r).__name__ == "TierTransition"]


def test_002_13_a_millisecond_before_60_days_of_silence_nothing_changes_then_the_account_falls_without_an_event() -> None:
    f = watched({"silence": SILENCE})
    f.fold(interaction(kind="VISIT", at=NOON), prediction(score=90.0, at=NOON))
    assert ticked(f, NOON + 60 * DAY - 1) == []
    assert changes(ticked(f, NOON + 60 * DAY)) == [("A", "B", NOON + 60 * DAY, "SILENCE")]


def test_002_13_while_silence_lasts_it_falls_again_every_period_and_is_recycled_at_the_bottom() -> None:
    f = watched({"silence": SILENCE})
    f.fold(interaction(kind="VISIT", at=NOON), prediction(score=90.0, at=NOON), profile(owner_id="sdr-1", at=NOON))
    told = ticked(f, NOON + 200 * DAY)
    assert changes(told) == [("A", "B", NOON + 60 * DAY, "SILENCE"), ("B", "C", NOON + 120 * DAY, "SILENCE")]
    assert [record for record in told if isinstance(record, Action)] == [], "it is not young any more"
    view = f.partition.view("acme")
    assert view is not None
    assert view["pool"] == {"since_at": NOON + 180 * DAY, "reason": "silence ran out after 60d in C", "previous_owner_id": "sdr-1"}
    assert view["owner_id"] is None


def test_a_customers_interaction_lifts_what_silence_had_lowered() -> None:
    f = watched({"silence": SILENCE})
    f.fold(interaction(kind="VISIT", at=NOON), prediction(score=90.0, at=NOON))
    ticked(f, NOON + 60 * DAY)
    f.fold(interaction(kind="VISIT", at=NOON + 61 * DAY))
    assert f.tier() == "A"


def test_q5_an_owners_silence_recycles_and_a_customers_demotes() -> None:
    clocks = {"silence": SILENCE, "owner_update": {"resets_on": {"actor": "OWNER"}, "after": {"A": "30d"}, "then": "recycle"}}
    f = watched(clocks)
    f.fold(interaction(kind="CALL", actor="OWNER", at=NOON), prediction(score=90.0, at=NOON))
    f.fold(interaction(kind="VISIT", at=NOON + 20 * DAY))
    (recycled,) = [record for record in ticked(f, NOON + 30 * DAY) if isinstance(record, Action)]
    assert (recycled.kind, recycled.name, recycled.due_at, recycled.tier) == ("RECYCLED", "owner_update", NOON + 30 * DAY, "A")
    assert f.tier() == "A", "recycling changes the owner, not the tier"

    g = watched(clocks)
    g.fold(interaction(kind="VISIT", at=NOON), prediction(score=90.0, at=NOON))
    g.fold(*(interaction(kind="CALL", actor="OWNER", at=NOON + day * DAY) for day in range(1, 60, 20)))
    assert changes(ticked(g, NOON + 60 * DAY)) == [("A", "B", NOON + 60 * DAY, "SILENCE")]


def test_lateness_delays_the_decision_and_not_the_effect() -> None:
    document = {"schemes": {"s": {"kind": "score", "tiers": LADDER}}, "clocks": {"silence": SILENCE}, "lateness": "5m"}
    f = Folding(policy_of(**document))
    f.fold(interaction(kind="VISIT", at=NOON), prediction(score=90.0, at=NOON))
    assert ticked(f, NOON + 60 * DAY + 299_999) == []
    assert changes(ticked(f, NOON + 60 * DAY + 300_000)) == [("A", "B", NOON + 60 * DAY, "SILENCE")]


def test_a_tier_is_kept_for_its_minimum_stay_and_lost_exactly_after_it() -> None:
    f = watched(tiers=[LADDER[0], LADDER[1], LADDER[2] | {"minimum_stay": "7d"}])
    f.fold(prediction(score=90.0, at=NOON), prediction(score=10.0, at=NOON + DAY))
    assert f.tier() == "A"
    assert changes(ticked(f, NOON + 30 * DAY)) == [("A", "C", NOON + 7 * DAY, "CLOCK")]


@pytest.mark.parametrize(("every", "second"), [("0s", NOON), ("2d", NOON + 2 * DAY)])
def test_one_step_at_a_time_and_the_next_one_waits_its_time(every: str, second: int) -> None:
    f = watched(steps={"at_most": 1, "every": every})
    f.fold(prediction(score=90.0, at=NOON))
    ticked(f, NOON + 10 * DAY)
    steps = [(t.from_tier, t.to_tier, t.effective_at) for t in f.published] or []
    assert steps[0] == ("C", "B", NOON)
    view = f.partition.view("acme")
    assert view is not None
    assert (view["schemes"]["s"]["published"], view["schemes"]["s"]["effective_at"]) == ("A", second)


def test_a_hot_lead_says_why_now_and_is_published_only_live_young_and_where_contact_is_allowed() -> None:
    downloads = [interaction(kind="DOWNLOAD", campaign_id="spring", at=NOON + hour) for hour in range(3)]
    f = Folding(shipped("sabc"))
    f.fold(*downloads)
    (lead,) = f.records("hot-leads")
    assert (lead.trigger, lead.to_tier, lead.next_tier, lead.campaign_id) == ("downloads_14d at least 3", "B", "A", "spring")
    assert lead.evidence[0].micro >= lead.evidence[-1].micro > 0
    left_alone, replayed = Folding(shipped("sabc")), Folding(shipped("sabc"), mode="BACKFILL")
    left_alone.fold(profile(do_not_contact=True, at=NOON - 1), *downloads)
    replayed.fold(*downloads)
    assert left_alone.records("hot-leads") == replayed.records("hot-leads") == []


def test_the_forecast_says_when_and_to_what_and_comes_true() -> None:
    f = watched({"silence": SILENCE})
    f.fold(interaction(kind="VISIT", at=NOON), prediction(score=90.0, at=NOON))
    forecast = f.published[-1].forecast
    assert forecast is not None
    assert (forecast.at, forecast.to_tier) == (NOON + 60 * DAY, "B")
    assert changes(ticked(f, forecast.at))[0][:3] == ("A", "B", forecast.at)
