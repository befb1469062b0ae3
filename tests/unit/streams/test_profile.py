"""Laws of the profile: every field by its own time, clearing, custom fields."""

import pytest

from schemas.errors import Reason, RecordRejected
from schemas.records import AccountProfile
from streams.dossier import MAX_DOSSIER_BYTES
from tests.builders import NOON, profile, risk
from tests.folding import Folding, policy_of

FIELDS = {"industry": {"weight": 50, "values": {"finance": 100}}, "size": {"weight": 50, "values": {"large": 100}}}


def folding() -> Folding:
    return Folding(policy_of(dimensions={"d": {"table": FIELDS}}, score={"d": 1.0}))


def test_fields_merge_each_by_its_own_time() -> None:
    f = folding()
    f.fold(
        profile(industry="finance", size="small", at=NOON + 10),
        profile(industry="retail", size="large", at=NOON + 5),
        profile(size="large", at=NOON + 20),
    )
    assert f.view()["profile"] == {"industry": "finance", "size": "large"}
    assert f.score() == 100.0


def test_none_is_unknown_and_clears_nothing() -> None:
    f = folding()
    f.fold(profile(industry="finance"), profile(name="Acme", at=NOON + 1))
    assert f.view()["profile"] == {"industry": "finance", "name": "Acme"}


def test_clearing_forgets_a_field_by_its_own_time_too() -> None:
    f = folding()
    f.fold(profile(industry="finance", at=NOON), profile(cleared=["industry"], at=NOON + 10), profile(industry="finance", at=NOON + 5))
    assert f.view()["profile"] == {}
    assert f.score() == 0.0
    f.fold(profile(industry="finance", at=NOON + 11))
    assert f.score() == 50.0


def test_equal_times_are_decided_by_the_event_and_not_by_arrival() -> None:
    records = [profile(industry=industry, event_id=f"e-{industry}") for industry in ("finance", "retail", "energy")]
    there, back = folding(), folding()
    there.fold(*records)
    back.fold(*reversed(records))
    assert there.view()["profile"] == back.view()["profile"]


def test_custom_fields_stand_under_their_own_names_and_can_be_cleared() -> None:
    f = folding()
    f.fold(profile(custom={"fit": 7.5, "tag": "x", "vip": True}))
    assert f.view()["profile"] == {"custom.fit": 7.5, "custom.tag": "x", "custom.vip": True}
    f.fold(profile(cleared=["custom.fit"], at=NOON + 1))
    assert f.view()["profile"] == {"custom.tag": "x", "custom.vip": True}


def test_the_owner_of_the_account_stands_in_its_transitions() -> None:
    f = folding()
    f.fold(profile(owner_id="sdr-7"), profile(industry="finance", size="large", at=NOON + 1))
    assert [t.owner_id for t in f.published] == ["sdr-7"]


def wide(names: str, at: int, fields: int = 9_000) -> AccountProfile:
    """A profile of many custom fields, each under a name of its own."""
    return profile(at=at, custom={f"{names}-{number:05d}-{'x' * 30}": True for number in range(fields)})


def test_a_profile_that_no_changelog_record_could_carry_is_refused_and_changes_nothing() -> None:
    f = folding()
    f.fold(profile(industry="finance"), wide("one", NOON + 1))
    before = f.view()
    with pytest.raises(RecordRejected, match=rf"at most {MAX_DOSSIER_BYTES} bytes, with this record it had \d+") as refused:
        f.fold(wide("two", NOON + 2))
    assert refused.value.reason is Reason.OUT_OF_RANGE
    assert f.view() == before
    f.fold(wide("one", NOON + 3), profile(size="large", at=NOON + 4))
    assert f.score() == 100.0


def test_a_full_account_takes_what_makes_it_smaller() -> None:
    f = folding()
    f.fold(wide("one", NOON + 1), risk(at=NOON + 1, evidence_url="x" * 60_000))
    names = sorted(wide("one", NOON).custom)
    f.fold(profile(cleared=[f"custom.{name}" for name in names], at=NOON + 2))
    assert f.view()["profile"] == {}


def test_open_risks_are_bounded_too() -> None:
    f = folding()
    with pytest.raises(RecordRejected, match="fewer open risks"):
        f.fold(*(risk(risk_id=f"{number}-{'x' * 60_000}", at=NOON + number) for number in range(14)))
    assert f.view() is not None
