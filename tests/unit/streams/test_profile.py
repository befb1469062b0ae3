"""Laws of the profile: every field by its own time, clearing, custom fields."""

from tests.builders import NOON, profile
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
