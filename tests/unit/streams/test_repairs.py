"""A late record repairs what time had decided without it: a transition of its own, cause LATE, effective at the account's clock."""

from tests.builders import DAY, NOON, interaction, order, prediction
from tests.folding import Folding, measured, policy_of, shipped

SILENCE = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": "demote"}}
DOWNLOADS = {"from": "interactions", "count": "DOWNLOAD", "window": "14d"}


def test_a_late_visit_lifts_what_silence_had_lowered_and_names_its_own_time() -> None:
    f = Folding(policy_of(clocks=SILENCE))
    f.fold(interaction(at=NOON), prediction(score=90.0, at=NOON))
    (fall,) = f.tick(NOON + 61 * DAY)
    assert (fall.to_tier, fall.effective_at) == ("B", NOON + 60 * DAY)
    (repair,) = f.fold(interaction(at=NOON + 30 * DAY))
    assert (repair.to_tier, repair.cause.kind, repair.cause.occurred_at) == ("A", "LATE", NOON + 30 * DAY)
    assert repair.effective_at == NOON + 60 * DAY, "the account's clock: an effective time never goes back"
    assert [each.effective_at for each in f.tick(NOON + 90 * DAY)] == [NOON + 90 * DAY], "60 days after the visit that came late"


def test_a_late_visit_older_than_the_last_one_repairs_nothing() -> None:
    f = Folding(policy_of(clocks=SILENCE))
    f.fold(interaction(at=NOON), prediction(score=90.0, at=NOON))
    f.tick(NOON + 60 * DAY)
    assert f.fold(interaction(at=NOON - DAY)) == []
    assert f.tier() == "B"


def test_a_record_at_the_very_deadline_comes_after_it() -> None:
    f = Folding(policy_of(clocks=SILENCE))
    f.fold(interaction(at=NOON), prediction(score=90.0, at=NOON))
    fall, rise = f.fold(interaction(at=NOON + 60 * DAY))
    assert [(each.to_tier, each.cause.kind, each.effective_at) for each in (fall, rise)] == [
        ("B", "SILENCE", NOON + 60 * DAY), ("A", "INTERACTION", NOON + 60 * DAY),
    ]  # fmt: skip


def test_a_trigger_ends_exactly_when_its_window_does() -> None:
    f = Folding(shipped("sabc"))
    f.fold(*(interaction(kind="DOWNLOAD", at=NOON + day * DAY) for day in range(3)))
    (lifted,) = f.published
    assert (lifted.to_tier, lifted.cause.kind) == ("B", "TRIGGER")
    assert f.tick(NOON + 14 * DAY - 1) == []
    (ended,) = f.tick(NOON + 14 * DAY)
    assert (ended.to_tier, ended.cause.kind, ended.effective_at) == ("C", "WINDOW", NOON + 14 * DAY)
    assert ended.cause.detail == "a trigger's condition ended"


def test_a_window_that_ends_moves_the_score_then_and_the_cause_says_so() -> None:
    f = Folding(measured(DOWNLOADS, high=1))
    f.fold(interaction(kind="DOWNLOAD", at=NOON))
    assert [each.to_tier for each in f.published] == ["A"]
    assert f.tick(NOON + 14 * DAY - 1) == []
    (ended,) = f.tick(NOON + 14 * DAY)
    assert (ended.to_tier, ended.cause.kind, ended.effective_at) == ("C", "WINDOW", NOON + 14 * DAY)


def test_points_that_fade_cross_at_the_first_millisecond_at_which_the_rounded_score_is_below() -> None:
    """80 points with a half-life of a day: 60 are left after log2(80 / 60) days."""
    f = Folding(measured({"from": "interactions", "points": {"VISIT": 80}, "half_life": "1d"}))
    f.fold(interaction(at=NOON))
    assert f.published[-1].to_tier == "A"
    first, second = f.tick(NOON + 20 * DAY)
    assert (first.to_tier, first.effective_at, first.cause.kind) == ("B", NOON + 1, "DECAY")
    at_ms = second.effective_at - NOON
    scores = [round(80 * 2.0 ** (-passed / DAY) * 1e6) for passed in (at_ms - 1, at_ms)]
    assert scores[0] >= 60_000_000 > scores[1]


def test_accounts_due_at_one_tick_are_decided_by_deadline_then_key_whatever_order_they_came_in() -> None:
    there, back = Folding(policy_of(clocks=SILENCE)), Folding(policy_of(clocks=SILENCE))
    records = [prediction(account, 90.0, at=NOON + (account == "b"), event_id=f"e-{account}") for account in "cab"]
    there.fold(*records)
    back.fold(*reversed(records))
    order = [each.account_id for each in there.tick(NOON + 90 * DAY)]
    assert order == [each.account_id for each in back.tick(NOON + 90 * DAY)] == ["a", "c", "b"]
    assert len({each.transition_id for each in there.published}) == 6


def test_owner_and_pool_that_change_without_a_transition_are_published_with_the_next_record_too() -> None:
    """Time had put the account into the pool before the record came, and no tick had said so."""
    clocks = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": "recycle"}}
    f = Folding(policy_of(clocks=clocks))
    f.fold(interaction(at=NOON), interaction(at=NOON + 61 * DAY))
    entry, pooled = f.records("account-tiers")
    assert (entry.revision, entry.pool) == (1, None)
    assert (pooled.revision, pooled.pool.since_at) == (2, NOON + 60 * DAY)


def test_a_clock_whose_demotion_waits_for_the_minimum_stay_runs_on_in_its_own_rhythm() -> None:
    tiers = [{"name": "C"}, {"name": "B", "enter_at": 40}, {"name": "A", "enter_at": 80, "minimum_stay": "150d"}]
    f = Folding(policy_of(clocks=SILENCE, schemes={"s": {"kind": "score", "tiers": tiers}}))
    f.fold(interaction(at=NOON), prediction(score=90.0, at=NOON))
    falls = f.tick(NOON + 400 * DAY)
    assert [(each.to_tier, (each.effective_at - NOON) // DAY) for each in falls] == [("B", 150), ("C", 180)]


def test_recency_that_is_lost_is_age_and_an_order_that_leaves_its_window_is_a_window() -> None:
    """On day 365 recency falls too; that the order left is what is said."""
    f = Folding(shipped("orders-rfm"))
    f.fold(order(amount_minor=600_000, at=NOON))
    f.tick(NOON + 400 * DAY)
    assert [(each.from_tier, each.to_tier, (each.effective_at - NOON) // DAY, each.cause.kind) for each in f.published] == [
        ("C", "A", 0, "ORDER"), ("A", "B", 90, "DECAY"), ("B", "C", 365, "WINDOW"),
    ]  # fmt: skip


def test_a_return_to_a_tier_that_a_trigger_already_held_is_the_records_own() -> None:
    """Silence had lowered the account under a lift that went on; the visit takes the ceiling away, it fires nothing."""
    lasting = {"when": {"downloads": {"at_least": 1}}, "lift_to": "B", "lasts": "90d"}
    schemes = {"s": {"kind": "score", "tiers": [{"name": "C"}, {"name": "B", "enter_at": 60}], "triggers": [lasting]}}
    f = Folding(policy_of(measures={"downloads": DOWNLOADS}, schemes=schemes, clocks=SILENCE))
    f.fold(interaction(kind="DOWNLOAD", at=NOON), interaction(at=NOON + 70 * DAY))
    assert [(each.to_tier, (each.effective_at - NOON) // DAY, each.cause.kind) for each in f.published] == [
        ("B", 0, "TRIGGER"), ("C", 60, "SILENCE"), ("B", 70, "INTERACTION"),
    ]  # fmt: skip
