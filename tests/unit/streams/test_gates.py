"""Laws of the risk gate: raised, withdrawn, late, several at once."""

import pytest

from tests.builders import NOON, prediction, risk
from tests.folding import Folding, policy_of

SCHEME = {
    "kind": "score",
    "tiers": [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}],
    "risk": {"LAWSUIT": {"ceiling": "C"}, "TAX_ARREARS": {"ceiling": "B"}},
}


@pytest.fixture
def a() -> Folding:
    """An account that stands at A."""
    f = Folding(policy_of(schemes={"abc": SCHEME}))
    f.fold(prediction(score=90.0))
    return f


def test_an_open_risk_holds_the_account_down_and_takes_no_points(a: Folding) -> None:
    (fall,) = a.fold(risk(at=NOON + 1))
    assert (fall.from_tier, fall.to_tier, fall.cause.kind, fall.cause.detail) == ("A", "C", "RISK", "LAWSUIT")
    assert (fall.score_before_micro, fall.score_after_micro) == (90_000_000, 90_000_000)
    assert [(stage.stage, stage.tier) for stage in fall.trail] == [("earned", "A"), ("seated", "A"), ("gated", "C"), ("published", "C")]
    assert fall.trail[2].because == "LAWSUIT r-1 is open: at most C"


def test_withdrawn_the_account_is_back_where_it_was(a: Folding) -> None:
    a.fold(risk(at=NOON + 1))
    (rise,) = a.fold(risk(status="WITHDRAWN", at=NOON + 2))
    assert (rise.from_tier, rise.to_tier, rise.sequence) == ("C", "A", 3)


def test_withdrawn_the_account_is_where_it_would_have_been(a: Folding) -> None:
    a.fold(risk(at=NOON + 1), prediction(score=65.0, at=NOON + 2))
    (rise,) = a.fold(risk(status="WITHDRAWN", at=NOON + 3))
    assert (rise.from_tier, rise.to_tier) == ("C", "B")


def test_a_late_raised_after_withdrawn_does_not_reopen_the_risk(a: Folding) -> None:
    assert a.fold(risk(status="WITHDRAWN", at=NOON + 5)) == []
    assert a.fold(risk(status="RAISED", at=NOON + 3)) == []
    assert (a.tier(), a.view()["open_risks"]) == ("A", [])


def test_a_risk_raised_again_later_is_open_again(a: Folding) -> None:
    a.fold(risk(at=NOON + 1), risk(status="WITHDRAWN", at=NOON + 2), risk(at=NOON + 3))
    assert a.tier() == "C"


def test_the_lowest_ceiling_holds_while_several_risks_are_open(a: Folding) -> None:
    a.fold(risk(risk_id="tax", kind="TAX_ARREARS", at=NOON + 1))
    assert a.tier() == "B"
    a.fold(risk(risk_id="law", at=NOON + 2))
    assert a.tier() == "C"
    a.fold(risk(risk_id="law", status="WITHDRAWN", at=NOON + 3))
    assert a.tier() == "B"
    a.fold(risk(risk_id="tax", kind="TAX_ARREARS", status="WITHDRAWN", at=NOON + 4))
    assert a.tier() == "A"


def test_a_risk_below_its_ceiling_changes_nothing_yet(a: Folding) -> None:
    a.fold(prediction(score=10.0, at=NOON + 1))
    assert a.fold(risk(at=NOON + 2)) == []
    assert a.fold(prediction(score=100.0, at=NOON + 3)) == []
    assert a.view()["schemes"]["abc"]["earned"] == "A"
    assert a.tier() == "C"


def test_a_kind_of_risk_without_a_ceiling_is_remembered_and_holds_nothing(a: Folding) -> None:
    assert a.fold(risk(kind="GOSSIP", at=NOON + 1)) == []
    assert [entry["kind"] for entry in a.view()["open_risks"]] == ["GOSSIP"]


def test_open_risks_are_never_forgotten_however_many_are_withdrawn(a: Folding) -> None:
    a.fold(risk(risk_id="first", at=NOON + 1))
    for n in range(100):
        a.fold(risk(risk_id=f"x-{n}", at=NOON + 2), risk(risk_id=f"x-{n}", status="WITHDRAWN", at=NOON + 3 + n))
    assert a.tier() == "C"
    assert [entry["risk_id"] for entry in a.view()["open_risks"]] == ["first"]


def test_an_account_first_seen_by_its_risk_enters_gated() -> None:
    f = Folding(policy_of(schemes={"abc": SCHEME}, dimensions={"ai": {"prediction": "conversion", "fallback": 100}}))
    assert f.fold(risk()) == []
    (rise,) = f.fold(risk(status="WITHDRAWN", at=NOON + 1))
    assert (rise.from_tier, rise.to_tier, rise.sequence) == ("C", "A", 1)


def test_account_tiers_tells_of_an_earned_tier_that_a_gate_hides_and_not_of_mere_points(a: Folding) -> None:
    a.fold(risk(at=NOON + 1))
    a.fold(prediction(score=65.0, at=NOON + 2), prediction(score=66.0, at=NOON + 3))
    told = [(each.revision, each.standings[0].tier, each.standings[0].earned_tier) for each in a.records("account-tiers")]
    assert told == [(1, "A", "A"), (2, "C", "A"), (3, "C", "B")]
    assert len(a.published) == 2
