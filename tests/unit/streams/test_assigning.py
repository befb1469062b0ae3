"""Laws of owner assignment: out of the pool, over every earlier word on the owner, told once and without names in the answer."""

from typing import Any

import pytest

from schemas.records import Event
from streams.account import Fate
from tests.builders import DAY, HOUR, NOON, command, interaction, prediction, profile
from tests.folding import Folding, policy_of, restored

CLOCKS = {"owner_update": {"resets_on": {"actor": "OWNER"}, "after": "30d", "then": "recycle"}}
POLICY = policy_of(clocks=CLOCKS)


def assignment(owner: str = "lee", at: int = NOON + DAY, **more: Any) -> Event:
    return command("acme", "ASSIGN_OWNER", at, arguments={"owner_id": owner}, **more)


def answers(f: Folding) -> list[tuple[str, str]]:
    return [(each.kind, each.reason) for each in f.records("actions") if each.name == "ASSIGN_OWNER"]


def owner_and_pool(f: Folding) -> tuple[Any, bool]:
    last = f.records("account-tiers")[-1]
    return last.owner_id, last.pool is not None


@pytest.fixture
def owned() -> Folding:
    f = Folding(POLICY)
    f.fold(interaction(at=NOON), profile(at=NOON, owner_id="kim"))
    return f


def test_an_account_gets_another_owner_and_is_told_so_once(owned: Folding) -> None:
    told = len(owned.records("account-tiers"))
    assert owned.fold(assignment()) == []
    assert owner_and_pool(owned) == ("lee", False)
    assert len(owned.records("account-tiers")) == told + 1
    assert answers(owned) == [("DONE", "the account has this owner now")]


def test_an_account_of_the_pool_is_owned_again_and_told_so(owned: Folding) -> None:
    owned.tick(NOON + 30 * DAY)
    assert owner_and_pool(owned) == (None, True)
    owned.fold(assignment(at=NOON + 31 * DAY))
    assert owner_and_pool(owned) == ("lee", False)
    assert answers(owned) == [("DONE", "the account has this owner now, and left the pool")]


def test_nobody_had_to_look_for_the_account_to_have_gone_to_the_pool_before(owned: Folding) -> None:
    owned.fold(assignment("kim", at=NOON + 31 * DAY))
    assert answers(owned) == [("DONE", "the account has this owner now, and left the pool")]
    assert owner_and_pool(owned) == ("kim", False)


def test_who_has_the_account_already_is_told_so_and_nothing_else(owned: Folding) -> None:
    told = len(owned.records("account-tiers"))
    owned.fold(assignment("kim"))
    assert answers(owned) == [("DONE", "this owner has the account already")]
    assert len(owned.records("account-tiers")) == told


def test_a_repetition_changes_nothing(owned: Folding) -> None:
    once = assignment(event_id="a-1")
    owned.fold(once, assignment("kim", at=NOON + 2 * DAY))
    assert owned.fate(once) is Fate.REPEATED
    assert owner_and_pool(owned) == ("kim", False)


def test_it_stands_over_what_was_said_before_and_a_later_profile_over_it(owned: Folding) -> None:
    owned.fold(assignment(), profile(at=NOON + HOUR, owner_id="late", event_id="of-before"))
    assert owned.view()["owner_id"] == "lee"
    owned.fold(profile(at=NOON + 2 * DAY, owner_id="new"))
    assert owned.view()["owner_id"] == "new"


def test_a_late_one_takes_effect_at_the_accounts_clock(owned: Folding) -> None:
    owned.fold(profile(at=NOON + 2 * DAY, owner_id="new"), assignment(at=NOON + DAY))
    assert owned.view()["owner_id"] == "lee"


def test_a_dimension_that_looks_at_the_owner_sees_it() -> None:
    table = {"table": {"owner_id": {"weight": 100, "values": {"lee": 100}}}}
    f = Folding(policy_of(dimensions={"d": table}, score={"d": 1.0}))
    f.fold(profile(owner_id="kim"))
    (up,) = f.fold(assignment())
    assert (up.to_tier, up.cause.kind, up.cause.detail) == ("A", "COMMAND", "ASSIGN_OWNER")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "argument owner_id is missing"),
        ({"owner_id": " "}, "argument owner_id is missing"),
        ({"owner": "lee"}, "unknown argument 'owner', did you mean 'owner_id'?"),
    ],
)
def test_without_an_owner_it_is_refused_and_changes_nothing(owned: Folding, arguments: dict[str, str], why: str) -> None:
    before = owned.view()
    owned.keep()
    owned.fold(command("acme", "ASSIGN_OWNER", NOON + DAY, arguments=arguments))
    assert answers(owned) == [("REFUSED", why)]
    assert owned.view() == before
    assert not [key for key, _ in owned.keep() if b"acme" in key]


def test_nobody_owns_an_account_that_was_never_seen() -> None:
    f = Folding(POLICY)
    f.fold(assignment())
    assert answers(f) == [("REFUSED", "there is no such account")]
    assert len(f.partition) == 0


def test_a_restored_account_has_its_owner(owned: Folding) -> None:
    owned.fold(assignment())
    owned.keep()
    assert restored(owned.changelog, POLICY).view("acme") == owned.view()


def test_tracks_go_by_an_owner_who_was_assigned() -> None:
    def from_points(points: float) -> dict[str, Any]:
        return {"weighted": {"weights": {"ai": 1}, "enter_at": {"B": points}}}

    scheme = {"kind": "tracks", "tiers": [{"name": "C"}, {"name": "B"}], "tracks": {"many": from_points(50), "key": from_points(10)}}
    tracks = {"rules": [{"track": "key", "when": {"owner_id": "lee"}}], "default": "many"}
    f = Folding(policy_of(tracks=tracks, score=None, schemes={"grade": scheme}))
    assert f.fold(profile(owner_id="kim"), prediction(score=30.0)) == []
    (change,) = f.fold(assignment("lee"))
    assert (change.to_tier, change.cause.kind) == ("B", "COMMAND")


def pooled_since(f: Folding) -> int | None:
    pool = f.records("account-tiers")[-1].pool
    return None if pool is None else int(pool.since_at)


@pytest.mark.parametrize("looked", [True, False])
@pytest.mark.parametrize("taken", [assignment(at=NOON + 40 * DAY), profile(at=NOON + 40 * DAY, owner_id="lee")])
def test_who_takes_an_account_out_of_the_pool_has_a_whole_period_and_loses_it_again_without_an_update(
    owned: Folding, taken: Event, looked: bool
) -> None:
    if looked:
        owned.tick(NOON + 35 * DAY)
        assert pooled_since(owned) == NOON + 30 * DAY
    owned.fold(taken)
    owned.tick(NOON + 70 * DAY - 1)
    assert owner_and_pool(owned) == ("lee", False)
    owned.tick(NOON + 70 * DAY)
    assert pooled_since(owned) == NOON + 70 * DAY
    assert [each.due_at for each in owned.records("actions") if each.kind == "RECYCLED"] == [NOON + 70 * DAY]


def test_an_update_of_the_new_owner_starts_the_period_anew(owned: Folding) -> None:
    owned.fold(assignment(at=NOON + 40 * DAY), interaction(at=NOON + 50 * DAY, actor="OWNER"))
    owned.tick(NOON + 80 * DAY - 1)
    assert owner_and_pool(owned) == ("lee", False)
    owned.tick(NOON + 80 * DAY)
    assert owner_and_pool(owned) == (None, True)


def test_an_account_that_goes_from_owner_to_owner_takes_its_clock_along(owned: Folding) -> None:
    owned.fold(assignment(at=NOON + 29 * DAY))
    owned.tick(NOON + 30 * DAY)
    assert owner_and_pool(owned) == (None, True)


def test_coming_out_of_the_pool_lifts_no_demotion() -> None:
    clocks = {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "10d", "then": {"A": "demote", "B": "demote", "C": "recycle"}}}
    f = Folding(policy_of(clocks=clocks))
    f.fold(interaction(at=NOON), prediction(score=90.0), profile(at=NOON, owner_id="kim"))
    f.tick(NOON + 30 * DAY)
    assert (f.published[-1].to_tier, pooled_since(f)) == ("C", NOON + 30 * DAY)
    f.fold(assignment(at=NOON + 31 * DAY))
    f.tick(NOON + 41 * DAY)
    assert (f.published[-1].to_tier, pooled_since(f)) == ("C", NOON + 41 * DAY)
