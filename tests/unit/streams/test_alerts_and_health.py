"""Laws of alerts and health: what comes true is told once, at its instant, and over once; whoever looks, and whenever."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from schemas.records import Action
from streams.dossier import Dossier
from streams.partition import Partition
from streams.replay import FileReplay, LoggedEvent
from tests.builders import DAY, HOUR, NOON, command, interaction, invoice, order, prediction, profile, ticket
from tests.folding import TOPIC_OF, Folding, policy_of, restored, shipped

PAID = {"from": "orders", "status": ["PAID"]}
SETTLED = {"from": "invoices", "status": ["PAID"]}
LADDER = {"kind": "score", "tiers": [{"name": "C"}, {"name": "A", "enter_at": 80}]}
MEASURES: dict[str, Any] = {
    "last_order": {**PAID, "since": "last"},
    "orders_30d": {**PAID, "count": "order", "window": "30d"},
    "orders_12m": {**PAID, "count": "order", "window": "365d"},
    "settled_12m": {**SETTLED, "count": "invoice", "window": "365d"},
    "on_time_12m": {**SETTLED, "count": "invoice", "where": {"on_time": True}, "window": "365d"},
    "punctuality": {"ratio": "on_time_12m", "to": "settled_12m", "while_zero": 1},
    "satisfaction": {"from": "tickets", "mean": "satisfaction", "window": "365d"},
}
DIMENSIONS: dict[str, Any] = {
    "ai": {"prediction": "conversion", "fallback": 0},
    "rfm": {"bands": {"measure": "last_order", "steps": [{"below": "90d", "points": 80}, {"below": "180d", "points": 40}, {"points": 0}]}},
    "payment": {"linear": {"measure": "punctuality", "from": 0, "to": 1}},
    "service": {"linear": {"measure": "satisfaction", "from": 1, "to": 5}},
}
ALERTS: dict[str, Any] = {
    "churn": {"when": {"last_order": {"at_least": "180d"}, "orders_12m": {"at_least": 1}}, "then": {"action": "churn_alert"}},
    "repurchase": {"when": {"orders_12m": {"at_least": 2}, "orders_30d": {"at_least": 1}}, "then": {"A": {"action": "thank_them"}}},
}
HEALTH: dict[str, Any] = {
    "of": {"rfm": 0.5, "payment": 0.25, "service": 0.25},
    "then": {"A": {"action": "csm_call", "contact": True}, "C": {"action": "email"}},
}


def watching(**parts: Any) -> Folding:
    more = {"alerts": ALERTS} | parts
    return Folding(policy_of(**{"measures": MEASURES, "dimensions": DIMENSIONS, "score": {"ai": 1.0}, "schemes": {"abc": LADDER}} | more))


def well() -> Folding:
    return watching(alerts={}, health=HEALTH)


def told(f: Folding) -> list[tuple[str, str, int]]:
    return [(action.kind, action.name, action.due_at - NOON) for action in f.records("actions")]


def paid(number: int, at: int, *, late: bool = False) -> Any:
    return invoice(invoice_id=f"i{number}", status="PAID", due_at=at, paid_at=at + (DAY if late else 0), at=at)


def test_an_alert_that_comes_true_when_an_override_expires_comes_at_that_very_millisecond() -> None:
    f = watching(schemes={"abc": {**LADDER, "override": {"at_most": "365d"}}})
    said = {"arguments": {"tier": "A"}, "requested_by": "kim", "approved_by": "lee", "reason": "pilot"}
    f.fold(order(order_id="1"), command("acme", "OVERRIDE", NOON + HOUR, expires_at=NOON + 180 * DAY, **said))
    f.tick(NOON + 180 * DAY - 1)
    f.tick(NOON + 180 * DAY)
    assert told(f)[-1] == ("BREACHED", "churn_alert", 180 * DAY)


def test_an_alert_on_the_owner_sees_an_owner_who_was_assigned() -> None:
    f = watching(alerts={"vip": {"when": {"owner_id": "lee"}, "then": {"action": "welcome"}}})
    f.fold(profile(owner_id="kim"), command("acme", "ASSIGN_OWNER", NOON + HOUR, arguments={"owner_id": "lee"}))
    assert ("BREACHED", "welcome", HOUR) in told(f)


def test_001_19_a_churn_alert_comes_by_time_alone_at_its_millisecond_and_the_next_order_resolves_it() -> None:
    f = watching()
    f.fold(order(order_id="1"))
    f.tick(NOON + 180 * DAY - 1)
    assert told(f) == []
    f.tick(NOON + 180 * DAY)
    f.tick(NOON + 180 * DAY + HOUR)
    f.fold(order(order_id="2", at=NOON + 200 * DAY))
    assert told(f) == [("BREACHED", "churn_alert", 180 * DAY), ("RESOLVED", "churn_alert", 200 * DAY)]
    breach, resolution = f.records("actions")
    assert resolution.resolves == breach.action_id
    assert breach.reason == "churn: last_order at least 180d and orders_12m at least 1 in C; it ends when that is no longer so"


def test_001_19_a_repurchase_is_told_by_its_order_and_only_where_the_tier_asks_for_it() -> None:
    low, high = watching(), watching()
    high.fold(prediction(score=90.0))
    for f in (low, high):
        f.fold(order(order_id="1", at=NOON + DAY), order(order_id="2", at=NOON + 2 * DAY))
    assert told(low) == []
    assert told(high) == [("BREACHED", "thank_them", 2 * DAY)]
    (action,) = high.records("actions")
    assert (action.cause.topic, action.cause.kind, action.tier) == ("orders", "ORDER", "A")


def test_an_alert_that_comes_true_anew_is_told_anew_with_another_id() -> None:
    f = watching()
    f.fold(prediction(score=90.0), *(order(order_id=str(n), at=NOON + n * 40 * DAY) for n in (1, 2, 3)))
    f.tick(NOON + 120 * DAY)
    begun = [action for action in f.records("actions") if action.kind == "BREACHED"]
    assert [action.due_at - NOON for action in begun] == [80 * DAY, 120 * DAY]
    assert len({action.action_id for action in begun}) == 2


def test_002_34_fixture_10_two_invoices_paid_late_take_health_from_80_to_60_and_the_sequence_starts_once() -> None:
    f = watching(alerts={}, health={**HEALTH, "of": {"rfm": 0.5, "payment": 0.3, "service": 0.2}})
    f.fold(order(order_id="1"), *(ticket(ticket_id=f"t{given}", satisfaction=given) for given in (2, 4)), paid(1, NOON + HOUR))
    assert (f.view()["health"]["points"], told(f)) == (80, [])
    f.fold(paid(2, NOON + 2 * HOUR, late=True), paid(3, NOON + 3 * HOUR, late=True))
    assert f.view()["health"] == {"points": 60, "fallen_from": 80, "since_at": NOON + 2 * HOUR}
    f.fold(paid(4, NOON + 5 * HOUR, late=True))
    assert told(f) == [("BREACHED", "email", 2 * HOUR)]
    (action,) = f.records("actions")
    assert action.reason == "health fell from 80 to 65 points within 30d; its recovery ends it"


def test_002_34_fixture_10_the_shipped_policy_wakes_up_once_through_replay() -> None:
    bad = [paid(n, NOON + n * HOUR, late=True) for n in (2, 3, 4)]
    events = [interaction(kind="FEATURE_USE"), ticket(satisfaction=5), paid(1, NOON + HOUR), *bad]
    replay = FileReplay("test", shipped("saas"))
    said = replay.fold_all([LoggedEvent(TOPIC_OF[type(event)], event) for event in events])
    records = [output.record for _, outputs in said if isinstance(outputs, list) for output in outputs]
    (woken,) = [record for record in records if isinstance(record, Action)]
    assert (woken.kind, woken.name, woken.scheme, woken.tier) == ("BREACHED", "email_sequence", "subscription", "low")


def test_recovery_ends_the_sequence_once_and_a_new_fall_counts_from_there() -> None:
    f = well()
    f.fold(order(order_id="1"), ticket(satisfaction=5, at=NOON + HOUR), paid(1, NOON + HOUR), paid(2, NOON + 2 * HOUR, late=True))
    f.fold(paid(3, NOON + 3 * HOUR, late=True))
    f.fold(*(paid(n, NOON + n * HOUR) for n in range(4, 9)))
    assert [kind for kind, _, _ in told(f)] == ["BREACHED", "RESOLVED"]
    f.fold(*(paid(n, NOON + n * HOUR, late=True) for n in range(9, 11)))
    assert [kind for kind, _, _ in told(f)] == ["BREACHED", "RESOLVED"], "a few points below where it recovered"


def test_while_health_is_down_its_ups_and_downs_leave_the_dossier_closed() -> None:
    f = well()
    f.fold(order(order_id="1"), ticket(satisfaction=5, at=NOON + HOUR), paid(1, NOON + HOUR), paid(2, NOON + 2 * HOUR, late=True))
    f.fold(paid(3, NOON + 3 * HOUR, late=True))
    (watch,), row, opened = f.policy.watches, f.partition.accounts.row(0).copy(), list[Dossier]()
    row["health.points"] += 1

    def opener() -> Dossier:
        opened.append(Dossier())
        return opened[-1]

    assert watch.since_ms(row) == NOON + 3 * HOUR
    assert watch.observe(row, opener, NOON + 3 * HOUR) == []
    assert (row["health.points"], opened) == (f.view()["health"]["points"], [])


def test_a_slow_fall_is_none_and_silence_alone_makes_a_fast_one() -> None:
    f = well()
    f.fold(order(order_id="1"), ticket(satisfaction=5))
    f.tick(NOON + 90 * DAY - 1)
    assert told(f) == []
    f.tick(NOON + 90 * DAY)
    assert told(f) == [("BREACHED", "email", 90 * DAY)], "recency falls from 80 to 40, health by 20"


def test_the_best_of_the_time_is_what_health_was_in_it_and_not_before() -> None:
    gone = {**HEALTH, "of": {"service": 1.0}, "drop": 20, "within": "10d"}
    f = watching(alerts={}, health=gone)
    f.fold(
        ticket(satisfaction=5),
        ticket(ticket_id="2", satisfaction=4, at=NOON + DAY),
        ticket(ticket_id="3", satisfaction=4, at=NOON + 2 * DAY),
    )
    f.fold(ticket(ticket_id="4", satisfaction=3, at=NOON + 13 * DAY))
    assert (f.view()["health"]["points"], told(f)) == (75, []), "100 was left 11 days before; 87 and 83 are the best since"


def test_a_fall_into_a_lower_band_is_a_fall_too() -> None:
    banded = watching(alerts={}, health={**HEALTH, "drop": 100, "bands": [40, 75]})
    banded.fold(order(order_id="1"), ticket(satisfaction=5, at=NOON + HOUR), paid(1, NOON + HOUR), paid(2, NOON + 2 * HOUR, late=True))
    assert told(banded) == []
    banded.fold(paid(3, NOON + 3 * HOUR, late=True))
    assert told(banded) == [("BREACHED", "email", 3 * HOUR)]


def acted(partition: Partition, days: range) -> list[tuple[str, str]]:
    """What a tick on each of these days asks for."""
    said = [output.record for day in days for output in partition.fold_tick(NOON + day * DAY, "LIVE", 0)]
    return [(record.kind, record.action_id) for record in said if isinstance(record, Action)]


def test_whoever_looks_and_whenever_it_is_restored_the_same_is_told() -> None:
    records = [order(order_id="1"), ticket(satisfaction=5, at=NOON + HOUR)]
    records += [paid(n, NOON + n * DAY, late=n % 2 == 0) for n in range(2, 9)]
    plain, ticked, kept = (watching(health=HEALTH, act_within="2d") for _ in range(3))
    plain.fold(*records)
    for record in records:
        ticked.tick(record.occurred_at - 1)
        ticked.fold(record)
        kept.fold(record)
    kept.keep()
    again = restored(kept.changelog, kept.policy)
    assert [a.action_id for a in plain.records("actions")] == [a.action_id for a in ticked.records("actions")] != []
    assert again.view("acme") == plain.view()
    daily, every_other_day = range(9, 400), range(10, 401, 2)
    assert acted(plain.partition, daily) == acted(ticked.partition, every_other_day) == acted(again, daily) != []


def test_what_is_watched_on_the_way_does_not_keep_a_forecast_from_being_made() -> None:
    fading = {"m": {"from": "interactions", "points": {"VISIT": 100}, "half_life": "10d"}}
    shown = {"warm": {"linear": {"measure": "m", "from": 0, "to": 100}}}
    health = {"of": {"warm": 1.0}, "drop": 90, "within": "400d", "then": {"action": "wake_up"}}
    ladder = {"kind": "score", "tiers": [{"name": "C"}, {"name": "A", "enter_at": 2}]}
    f = Folding(policy_of(measures=fading, dimensions=shown, score={"warm": 1.0}, schemes={"abc": ladder}, health=health))
    (change,) = f.fold(interaction(kind="VISIT"))
    assert change.forecast is not None, "health falls by 97 whole points before"
    (fall,) = f.tick(change.forecast.at)
    assert (fall.to_tier, fall.effective_at) == (change.forecast.to_tier, change.forecast.at)


def test_who_is_to_be_left_alone_is_not_woken_up_where_that_means_contact() -> None:
    f = well()
    f.fold(profile(do_not_contact=True), prediction(score=90.0), order(order_id="1"), ticket(satisfaction=5))
    f.tick(NOON + 90 * DAY)
    assert told(f) == []
    assert f.view()["health"] == {"points": 70, "fallen_from": 90, "since_at": NOON + 90 * DAY}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"alerts": {"x": {"when": {"orders": {"at_least": 1}}, "then": {"action": "a"}}}}, "alerts.x.when.orders: unknown measure"),
        ({"alerts": {"x": {"when": {"orders_12m": {"at_least": 1}}, "then": {"S": {"action": "a"}}}}}, "alerts.x.then.S: unknown tier 'S'"),
        ({"alerts": {"x": {"when": {"orders_12m": {"at_least": 1}}, "then": "demote"}}}, "alerts.x.then"),
        ({"health": {**HEALTH, "of": {"rfm": 0.5}}}, "health.of: weights must be above 0 and sum to 1, got 0.5"),
        ({"health": {**HEALTH, "of": {"fame": 1.0}}}, "health.of.fame: unknown dimension 'fame'"),
        ({"health": {**HEALTH, "bands": [60, 40]}}, "health.bands: bands must rise"),
    ],
)
def test_what_cannot_be_watched_is_refused(parts: Any, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        watching(**parts)
    assert said in str(refused.value)
