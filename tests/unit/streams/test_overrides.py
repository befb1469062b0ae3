"""Laws of overrides: published over what is decided, until they expire to the millisecond; refused with the reason; covered, not lost."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from schemas.records import Command, Event
from streams.account import Fate
from tests.builders import DAY, HOUR, NOON, command, interaction, prediction, risk
from tests.folding import Folding, bytes_of, policy_of, restored

TIERS = [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}, {"name": "S", "enter_at": 95}]
ALLOWED = {"at_most": "90d"}
RISK = {"LAWSUIT": {"ceiling": "C"}}
DAY_30 = NOON + 30 * DAY


def scheme(**more: Any) -> dict[str, Any]:
    return {"kind": "score", "tiers": TIERS, "risk": RISK, "override": ALLOWED, **more}


POLICY = policy_of(schemes={"sabc": scheme()})


def override(tier: str = "S", at: int = NOON + HOUR, until: int | None = DAY_30, **more: Any) -> Command:
    said: dict[str, Any] = {"arguments": {"tier": tier}, "requested_by": "kim", "approved_by": "lee", "reason": "pilot customer", **more}
    return command("acme", "OVERRIDE", at, expires_at=until, **said)


def revoke(at: int = NOON + DAY, **more: Any) -> Command:
    return command("acme", "REVOKE_OVERRIDE", at, **more)


def answers(f: Folding) -> list[str]:
    return [f"{each.kind} {each.name}: {each.reason}" for each in f.records("actions") if each.kind in ("DONE", "REFUSED")]


def stages(f: Folding) -> tuple[str, ...]:
    (standing,) = f.view()["schemes"].values()
    return tuple(standing[stage] for stage in ("earned", "seated", "gated", "published"))


@pytest.fixture
def b() -> Folding:
    """An account that stands at B."""
    f = Folding(POLICY)
    f.fold(prediction(score=65.0))
    return f


def test_002_33_fixture_11_an_override_for_30_days_covers_the_tier_that_is_computed_on_and_gives_it_back(b: Folding) -> None:
    (up,) = b.fold(override())
    assert (up.from_tier, up.to_tier, up.direction, up.cause.kind, up.cause.topic) == ("B", "S", "UP", "OVERRIDE", "commands")
    assert up.cause.detail == "S until 2024-02-09T12:00:00.000Z"
    assert [(stage.stage, stage.tier) for stage in up.trail] == [("earned", "B"), ("seated", "B"), ("gated", "B"), ("published", "S")]
    assert up.trail[3].because == "an override to S until 2024-02-09T12:00:00.000Z: pilot customer"
    assert b.fold(prediction(score=85.0, at=NOON + DAY)) == [], "the shadow tier moves, the published one does not"
    shadow = b.records("account-tiers")[-1].standings[0]
    assert (shadow.tier, shadow.earned_tier, shadow.sequence) == ("S", "A", 2)
    assert b.view()["schemes"]["sabc"]["without"]["override"] == "A"
    assert b.tick(DAY_30 - 1) == []
    (back,) = b.tick(DAY_30)
    assert (back.from_tier, back.to_tier, back.effective_at, back.sequence) == ("S", "A", DAY_30, 3)
    assert (back.cause.kind, back.cause.detail) == ("OVERRIDE", "expired")
    assert back.trail[3].because == "no override"
    assert answers(b) == ["DONE OVERRIDE: sabc is overridden: S until 2024-02-09T12:00:00.000Z"]
    assert [each.sequence for each in b.published] == [1, 2, 3]


def test_a_record_after_the_expiry_finds_it_ended_at_its_own_instant(b: Folding) -> None:
    b.fold(override())
    (back,) = b.fold(prediction(score=66.0, at=DAY_30 + 5))
    assert (back.to_tier, back.effective_at, back.cause.kind) == ("B", DAY_30, "OVERRIDE")


def test_at_the_instant_of_expiry_the_expiry_goes_first(b: Folding) -> None:
    b.fold(override())
    expired, risen = b.fold(prediction(score=90.0, at=DAY_30))
    assert (expired.to_tier, expired.cause.kind, risen.to_tier, risen.cause.kind) == ("B", "OVERRIDE", "A", "PREDICTION")


def test_revoked_the_account_is_where_it_would_have_been(b: Folding) -> None:
    b.fold(override(), prediction(score=85.0, at=NOON + 2 * HOUR))
    (back,) = b.fold(revoke())
    assert (back.from_tier, back.to_tier, back.cause.kind, back.cause.detail) == ("S", "A", "OVERRIDE", "revoked")
    assert b.view()["schemes"]["sabc"]["override"] is None
    assert b.tick(DAY_30 + DAY) == []
    assert answers(b)[-1] == "DONE REVOKE_OVERRIDE: the override of sabc is revoked"


def test_an_override_holds_down_as_well_as_up(b: Folding) -> None:
    (down,) = b.fold(override("C"))
    assert (down.from_tier, down.to_tier, down.direction) == ("B", "C", "DOWN")
    assert b.fold(prediction(score=99.0, at=NOON + 2 * HOUR)) == []
    (up,) = b.tick(DAY_30)
    assert (up.from_tier, up.to_tier) == ("C", "S")


def test_one_that_publishes_the_same_tier_is_no_transition_and_holds_it_all_the_same(b: Folding) -> None:
    assert b.fold(override("B"), prediction(score=10.0, at=NOON + DAY)) == []
    assert stages(b) == ("C", "C", "C", "B")
    assert b.records("account-tiers")[-1].standings[0].earned_tier == "C"


def test_another_one_takes_its_place_with_an_expiry_of_its_own(b: Folding) -> None:
    b.fold(override())
    (change,) = b.fold(override("A", NOON + DAY, NOON + 10 * DAY))
    assert (change.from_tier, change.to_tier) == ("S", "A")
    assert [each.effective_at for each in b.tick(DAY_30)] == [NOON + 10 * DAY]


def test_an_open_risk_beats_an_override_unless_the_policy_says_otherwise(b: Folding) -> None:
    b.fold(override())
    (fall,) = b.fold(risk(at=NOON + 2 * HOUR))
    assert (fall.to_tier, fall.cause.kind) == ("C", "RISK")
    assert fall.trail[3].because == "an open risk beats an override to S until 2024-02-09T12:00:00.000Z: pilot customer"
    (rise,) = b.fold(risk(status="WITHDRAWN", at=NOON + 3 * HOUR))
    assert rise.to_tier == "S"
    stronger = Folding(policy_of(schemes={"sabc": scheme(override={**ALLOWED, "beats_risk": True})}))
    stronger.fold(prediction(score=65.0), override())
    assert stronger.fold(risk(at=NOON + 2 * HOUR)) == []
    assert stages(stronger) == ("B", "B", "C", "S")
    assert [each.to_tier for each in stronger.tick(DAY_30)] == ["C"]


def test_stay_and_steps_do_not_hold_an_override_up() -> None:
    patient = [{"name": "C"}, *({**tier, "minimum_stay": "20d"} for tier in TIERS[1:])]
    f = Folding(policy_of(schemes={"sabc": scheme(tiers=patient, steps={"at_most": 1, "every": "20d"})}))
    f.fold(prediction(score=65.0))
    assert [(each.from_tier, each.to_tier) for each in f.fold(override())] == [("B", "S")]
    assert [(each.from_tier, each.to_tier) for each in f.fold(revoke())] == [("S", "B")]


def test_a_late_command_takes_effect_at_the_accounts_clock(b: Folding) -> None:
    b.fold(prediction(score=66.0, at=NOON + 2 * DAY))
    (up,) = b.fold(override(at=NOON + DAY))
    assert (up.effective_at, up.cause.kind, up.cause.occurred_at) == (NOON + 2 * DAY, "OVERRIDE", NOON + DAY)
    assert b.view()["schemes"]["sabc"]["override"]["since_at"] == NOON + 2 * DAY


def test_the_forecast_says_what_comes_when_it_expires(b: Folding) -> None:
    (up,) = b.fold(override())
    assert up.forecast is not None
    assert (up.forecast.at, up.forecast.to_tier, up.forecast.because) == (DAY_30, "B", "OVERRIDE (expired): score 65 keeps B")


def test_who_ordered_it_is_shown_and_never_published(b: Folding) -> None:
    b.fold(override(requested_by="Zhang Wei", approved_by="Li Na"))
    shown = b.view()["schemes"]["sabc"]["override"]
    assert shown == {
        "tier": "S", "since_at": NOON + HOUR, "until_at": DAY_30, "reason": "pilot customer", "requested_by": "Zhang Wei",
        "approved_by": "Li Na",
    }  # fmt: skip
    assert not any(name in repr(b.outputs) for name in ("Zhang", "Li Na"))


def test_an_account_first_lifted_into_a_hot_tier_by_an_override_is_a_lead() -> None:
    f = Folding(policy_of(schemes={"sabc": scheme(hot=["S"])}))
    f.fold(prediction(score=65.0), override())
    (lead,) = f.records("hot-leads")
    assert (lead.from_tier, lead.to_tier, lead.cause.kind) == ("B", "S", "OVERRIDE")


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_an_account_that_comes_back_into_a_hot_tier_from_under_an_override_is_a_lead_too(how: str) -> None:
    """A lead follows the published tier, whatever has lifted it: who was told C does not know of the account yet."""
    f = Folding(policy_of(schemes={"sabc": scheme(hot=["A"])}))
    f.fold(prediction(score=65.0), override(arguments={"tier": "C"}))
    f.fold(prediction(score=85.0, at=NOON + 2 * HOUR))
    assert f.records("hot-leads") == []
    if how == "revoked":
        f.fold(revoke(at=NOON + 3 * HOUR))
    else:
        f.tick(DAY_30 - 1)
        f.tick(DAY_30)
    (lead,) = f.records("hot-leads")
    assert (lead.from_tier, lead.to_tier, lead.cause.kind) == ("C", "A", "OVERRIDE")


def test_each_scheme_is_overridden_by_itself() -> None:
    f = Folding(policy_of(schemes={"one": scheme(), "two": scheme(), "closed": scheme(override=None)}))
    f.fold(prediction(score=65.0), override(arguments={"tier": "S", "scheme": "two"}))
    assert [f.tier(scheme=name) for name in ("one", "two", "closed")] == ["B", "S", "B"]
    f.fold(override(), override(arguments={"tier": "S", "scheme": "closed"}), revoke(arguments={"scheme": "one"}))
    assert answers(f)[1:] == [
        "REFUSED OVERRIDE: argument scheme is missing: it must be one of one, two",
        "REFUSED OVERRIDE: policy small allows no overrides of closed",
        "REFUSED REVOKE_OVERRIDE: no override of one is in force",
    ]


REFUSED: list[tuple[Event, str]] = [
    (override(arguments={"tier": "X"}), "unknown tier 'X'; there is A, B, C, S"),
    (override(arguments={}), "argument tier is missing"),
    (override(arguments={"tier": "S", "skeme": "sabc"}), "unknown argument 'skeme', did you mean 'scheme'?"),
    (override(arguments={"tier": "S", "scheme": "sabcd"}), "unknown scheme 'sabcd', did you mean 'sabc'?"),
    (override(reason="  "), "reason is missing"),
    (override(reason="x" * 1_001), "reason must have at most 1000 characters, got 1001"),
    (override(requested_by=""), "requested_by is missing"),
    (override(approved_by=None), "approved_by is missing"),
    (override(approved_by=" "), "approved_by is missing"),
    (override(approved_by="Kim "), "approved_by must be somebody else than requested_by"),
    (override(until=None), "expires_at is missing"),
    (
        override(until=NOON + HOUR),
        "expires_at must be after the override begins (2024-01-10T13:00:00.000Z), got 2024-01-10T13:00:00.000Z",
    ),
    (override(until=NOON + HOUR + 90 * DAY + 1), "expires_at must be at most 90d after the command, got 2024-04-09T13:00:00.001Z"),
    (revoke(), "no override of sabc is in force"),
    (revoke(reason=""), "reason is missing"),
]


@pytest.mark.parametrize(("order", "why"), REFUSED, ids=lambda entry: entry if isinstance(entry, str) else "")
def test_what_is_not_allowed_is_refused_with_the_reason_and_changes_nothing(b: Folding, order: Command, why: str) -> None:
    before, published = b.view(), len(b.published)
    b.keep()
    b.fold(order)
    assert answers(b) == [f"REFUSED {order.kind}: {why}"]
    assert (b.view(), len(b.published)) == (before, published)
    assert not [key for key, _ in b.keep() if b"acme" in key]


def test_an_account_that_was_never_seen_is_refused_and_not_made() -> None:
    f = Folding(POLICY)
    f.fold(override(), revoke())
    assert answers(f) == ["REFUSED OVERRIDE: there is no such account", "REFUSED REVOKE_OVERRIDE: there is no such account"]
    assert len(f.partition) == 0


def test_a_policy_that_says_nothing_of_overrides_allows_none() -> None:
    f = Folding(policy_of(schemes={"sabc": scheme(override=None)}))
    f.fold(prediction(score=65.0), override(), revoke())
    assert answers(f) == [f"REFUSED {kind}: policy small allows no overrides" for kind in ("OVERRIDE", "REVOKE_OVERRIDE")]


def test_an_expired_override_cannot_be_revoked_whether_or_not_somebody_looked(b: Folding) -> None:
    b.fold(override(until=NOON + DAY))
    b.fold(revoke(at=NOON + DAY))
    assert answers(b)[-1] == "REFUSED REVOKE_OVERRIDE: no override of sabc is in force"
    assert b.tick(NOON + 2 * DAY)[0].effective_at == NOON + DAY


def test_without_four_eyes_an_approver_may_be_missing() -> None:
    f = Folding(policy_of(schemes={"sabc": scheme(override={**ALLOWED, "approver_required": False})}))
    f.fold(prediction(score=65.0))
    assert [each.to_tier for each in f.fold(override(approved_by=None))] == ["S"]


def test_a_command_that_comes_again_changes_nothing(b: Folding) -> None:
    again = override(event_id="o-1")
    b.fold(again, revoke())
    assert b.fate(again) is Fate.REPEATED
    assert stages(b) == ("B",) * 4
    assert len(answers(b)) == 2


def test_a_restored_override_goes_on_and_ends_as_the_live_one_does(b: Folding) -> None:
    b.fold(override())
    b.keep()
    heir = Folding(POLICY)
    heir.partition = restored(b.changelog, POLICY)
    assert heir.view() == b.view()
    assert bytes_of(heir.tick(DAY_30)) == bytes_of(b.tick(DAY_30))


def test_under_another_policy_an_override_in_force_stays_and_an_expired_or_impossible_one_does_not(b: Folding) -> None:
    b.fold(override())
    b.keep()
    changed = policy_of(version="2", schemes={"sabc": scheme(tiers=[{"name": "D"}, *TIERS[1:]], risk={})})
    heir = Folding(changed)
    heir.partition = restored(b.changelog, changed)
    assert [each.effective_at for each in heir.tick(DAY_30)][-1] == DAY_30
    without = policy_of(version="3", schemes={"sabc": scheme(tiers=TIERS[:3])})
    heir.partition = restored(b.changelog, without)
    assert heir.view()["schemes"]["sabc"]["override"] is None
    b.tick(DAY_30)
    b.keep()
    heir.partition = restored(b.changelog, changed)
    assert heir.view()["schemes"]["sabc"]["override"] is None


def test_silence_that_runs_out_when_it_expires_is_a_change_of_its_own() -> None:
    clocks = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "30d", "then": "demote"}}
    f = Folding(policy_of(schemes={"sabc": scheme()}, clocks=clocks))
    f.fold(interaction(at=NOON), prediction(score=85.0), override(until=NOON + 30 * DAY))
    told = [(each.from_tier, each.to_tier, each.cause.kind, each.effective_at) for each in f.tick(NOON + 30 * DAY)]
    assert told == [("S", "A", "OVERRIDE", NOON + 30 * DAY), ("A", "B", "SILENCE", NOON + 30 * DAY)]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({}, "override.at_most: is missing"),
        ({"at_most": "0d"}, "override.at_most: must be positive, got 0d"),
        ({"at_most": "90d", "beats": True}, "override.beats: unknown key 'beats'"),
    ],
)
def test_a_policy_says_how_long_at_most(said: dict[str, Any], wrong: str) -> None:
    with pytest.raises(PolicyError, match=wrong):
        policy_of(schemes={"sabc": scheme(override=said)})
