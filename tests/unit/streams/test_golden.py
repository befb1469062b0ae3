"""The arithmetic of the source documents, to the point: fixtures 2 to 5 of the facts, under `policies/sabc.yaml`.

Names cite the facts they hold.
"""

from itertools import count

import pytest

from schemas.records import Event
from tests.builders import DAY, HOUR, NOON, SECOND, interaction, prediction, profile, risk
from tests.folding import Folding, shipped

PRICES = {"PRICE_INQUIRY": 12.0, "EVENT_CHECKIN": 8.0, "DOWNLOAD": 4.0, "EMAIL_OPEN": 0.5}


def behaviour(points: float) -> list[Event]:
    """Interactions worth exactly `points`; what is left over is dwelt away."""
    deeds: list[Event] = []
    clock = count(NOON, SECOND)
    for kind, price in PRICES.items():
        while points >= price:
            points -= price
            deeds.append(interaction(kind=kind, at=next(clock)))
    if points:
        deeds.append(interaction(kind="VISIT", dwell_seconds=points / 0.02, at=next(clock)))
    return deeds


def account(behaving: float, ai: float = 80.0) -> Folding:
    """Attributes 60: manufacturing in the core region with two qualifications, of unknown size."""
    f = Folding(shipped("sabc"))
    f.fold(
        profile(industry="manufacturing", region="core", qualifications=["ISO9001", "LISTED"]), prediction(score=ai), *behaviour(behaving)
    )
    return f


def test_002_07_attributes_30_behaviour_40_ai_30_percent() -> None:
    f = account(95.0)
    assert f.view()["dimensions"] == {"attributes": 60_000_000, "behaviour": 95_000_000, "ai": 80_000_000}
    parts = {d.name: d.weighted_micro for d in f.published[-1].dimensions}
    assert parts == {"attributes": 18_000_000, "behaviour": 38_000_000, "ai": 24_000_000}


@pytest.mark.parametrize(
    ("behaving", "score", "tier"), [(95.0, 80_000_000, "A"), (94.0, 79_600_000, "B"), (44.75, 59_900_000, "C"), (45.0, 60_000_000, "B")]
)
def test_002_08_80_and_more_is_a_60_to_79_is_b_the_rest_c(behaving: float, score: int, tier: str) -> None:
    f = account(behaving)
    assert (f.view()["score_micro"], f.tier()) == (score, tier)
    if f.published:
        assert sum(line.micro for line in f.published[-1].contributions) == f.published[-1].score_after_micro
        assert f.published[-1].to_tier == tier


def test_002_13_a_lawsuit_on_an_a_account_is_published_and_withdrawn_it_is_back() -> None:
    f = account(95.0)
    (fall,) = f.fold(risk(at=NOON + 3600 * SECOND))
    (back,) = f.fold(risk(status="WITHDRAWN", at=NOON + 7200 * SECOND))
    assert [(t.from_tier, t.to_tier, t.direction, t.cause.kind) for t in (fall, back)] == [
        ("A", "C", "DOWN", "RISK"), ("C", "A", "UP", "RISK"),
    ]  # fmt: skip
    assert fall.score_after_micro == back.score_after_micro == 80_000_000
    assert [t.sequence for t in f.published] == list(range(1, len(f.published) + 1))


def test_002_13_tax_arrears_hold_an_account_down_too() -> None:
    f = account(95.0)
    (fall,) = f.fold(risk(kind="TAX_ARREARS", at=NOON + 3600 * SECOND))
    assert (fall.from_tier, fall.to_tier) == ("A", "C")


@pytest.mark.parametrize("name", ["sabc", "sabc-live"])
def test_002_30_three_downloads_lift_to_b_an_inquiry_to_a_and_the_lift_ends_with_its_window(name: str) -> None:
    f = Folding(shipped(name))
    f.fold(prediction(score=10.0), *(interaction(kind="DOWNLOAD", at=NOON + hour * HOUR) for hour in range(3)))
    assert f.tier() == "B"
    f.fold(interaction(kind="PRICE_INQUIRY", at=NOON + 3 * HOUR))
    assert [(t.from_tier, t.to_tier, t.cause.kind, t.cause.detail) for t in f.published] == [
        ("C", "B", "TRIGGER", "DOWNLOAD"),
        ("B", "A", "TRIGGER", "PRICE_INQUIRY"),
    ]
    f.partition.fold_tick(NOON + 20 * DAY, "LIVE", NOON + 20 * DAY)
    assert f.tier() == "C"
    standing = f.partition.view("acme")["schemes"]["sabc"]
    assert standing["effective_at"] == NOON + 14 * DAY


def last_deed(f: Folding) -> int:
    """When the customer was last heard of."""
    return int(f.view()["clock_at"])


def test_002_13_fixture_4_an_a_account_is_silent_for_60_days_to_the_millisecond_then_demoted_with_no_event() -> None:
    f = account(95.0)
    silent_from = last_deed(f)
    assert f.tick(silent_from + 60 * DAY - 1) == []
    (fall,) = f.tick(silent_from + 60 * DAY)
    assert (fall.from_tier, fall.to_tier, fall.cause.kind, fall.effective_at) == ("A", "B", "SILENCE", silent_from + 60 * DAY)
    assert fall.score_after_micro == 80_000_000, "silence takes no points"


def test_002_13_fixture_4_a_c_account_is_silent_for_60_days_then_recycled_and_keeps_its_tier() -> None:
    f = Folding(shipped("sabc"))
    f.fold(profile(owner_id="sdr-1"), interaction(kind="VISIT", dwell_seconds=10.0))
    f.tick(NOON + 60 * DAY - 1)
    assert (f.records("actions"), f.view()["owner_id"]) == ([], "sdr-1")
    assert f.tick(NOON + 60 * DAY) == []
    (recycled,) = f.records("actions")
    assert (recycled.kind, recycled.name, recycled.due_at, recycled.owner_id) == ("RECYCLED", "silence", NOON + 60 * DAY, "sdr-1")
    assert (f.tier(), f.view()["owner_id"]) == ("C", None)


def test_002_25_fixture_5_the_customer_active_and_the_owner_silent_for_30_days_recycles_an_a_account() -> None:
    f = account(95.0)
    f.fold(profile(owner_id="sdr-1"), interaction(kind="CALL", actor="OWNER", at=NOON + DAY))
    f.fold(*(interaction(kind="VISIT", dwell_seconds=0.0, at=NOON + day * DAY) for day in (10, 20, 29)))
    f.tick(NOON + 31 * DAY - 1)
    assert f.records("actions") == []
    assert f.tick(NOON + 31 * DAY) == []
    (recycled,) = f.records("actions")
    assert (recycled.name, recycled.due_at, f.tier()) == ("owner_update", NOON + 31 * DAY, "A")


def test_002_13_fixture_5_the_owner_active_and_the_customer_silent_for_60_days_demotes_and_does_not_recycle() -> None:
    f = account(95.0)
    silent_from = last_deed(f)
    f.fold(profile(owner_id="sdr-1"), *(interaction(kind="CALL", actor="OWNER", at=NOON + day * DAY) for day in range(1, 60, 20)))
    (fall,) = f.tick(silent_from + 60 * DAY)
    assert (fall.from_tier, fall.to_tier, fall.cause.kind, fall.effective_at) == ("A", "B", "SILENCE", silent_from + 60 * DAY)
    assert (f.records("actions"), f.view()["owner_id"]) == ([], "sdr-1")
