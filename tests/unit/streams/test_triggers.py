"""Laws of triggers: what they may ask is what tracks and alerts may ask, and their lift ends when the first condition does."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from streams.forward.planning import NotPlanned, planned
from tests.builders import DAY, HOUR, NOON, interaction, order, prediction, profile
from tests.folding import Folding, policy_of, restored

MEASURES: dict[str, Any] = {
    "downloads_14d": {"from": "interactions", "count": "DOWNLOAD", "window": "14d"},
    "last_order": {"from": "orders", "since": "last", "status": ["PAID"]},
}
TIERS = [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}]


def lifting(**trigger: Any) -> Folding:
    scheme = {"kind": "score", "tiers": TIERS, "triggers": [{"lift_to": "B", **trigger}]}
    return Folding(policy_of(measures=MEASURES, schemes={"abc": scheme}))


@pytest.fixture
def makers() -> Folding:
    """Manufacturers that are not small are lifted by a download."""
    when = {"downloads_14d": {"at_least": 1}, "industry": "manufacturing", "size": ["large", "medium"], "staffing": {"above": 5}}
    return lifting(when=when)


def of(f: Folding) -> list[tuple[str, str, int]]:
    return [(each.to_tier, each.cause.kind, (each.effective_at - NOON) // HOUR) for each in f.published]


def fits(at: int = NOON, **more: Any) -> Any:
    return profile(at=at, **{"industry": "manufacturing", "size": "large", "staffing": 6, **more})


def test_a_trigger_asks_the_profile_and_lifts_where_all_of_it_fits(makers: Folding) -> None:
    makers.fold(interaction(kind="DOWNLOAD"), fits(at=NOON + HOUR))
    assert of(makers) == [("B", "TRIGGER", 1)]
    assert makers.view()["schemes"]["abc"]["earned"] == "B"


@pytest.mark.parametrize("misfit", [{"industry": "finance"}, {"size": "small"}, {"staffing": 5}])
def test_what_does_not_fit_or_is_unknown_lifts_nobody(makers: Folding, misfit: dict[str, Any]) -> None:
    makers.fold(interaction(kind="DOWNLOAD"), profile(at=NOON), fits(at=NOON + HOUR, **misfit))
    assert of(makers) == []


def test_the_lift_ends_with_the_profile_or_with_the_window_whichever_is_first(makers: Folding) -> None:
    makers.fold(interaction(kind="DOWNLOAD"), fits())
    makers.fold(fits(at=NOON + 2 * HOUR, industry="finance"), fits(at=NOON + 3 * HOUR))
    makers.tick(NOON + 14 * DAY)
    assert [(tier, at) for tier, _, at in of(makers)] == [("B", 0), ("C", 2), ("B", 3), ("C", 14 * 24)]


def test_a_restored_account_is_lifted_as_the_live_one(makers: Folding) -> None:
    makers.fold(fits())
    makers.keep()
    makers.partition = restored(makers.changelog, makers.policy)
    makers.fold(interaction(kind="DOWNLOAD", at=NOON + HOUR))
    assert of(makers) == [("B", "TRIGGER", 1)]


def test_a_trigger_asks_a_dimension_and_a_time_and_ends_at_its_exact_millisecond() -> None:
    f = lifting(when={"ai": {"above": 40}, "last_order": {"below": "30d"}})
    f.fold(prediction(score=40.0), order(at=NOON), prediction(score=41.0, at=NOON + HOUR))
    f.tick(NOON + 30 * DAY - 1)
    assert of(f) == [("B", "TRIGGER", 1)]
    f.tick(NOON + 30 * DAY)
    assert of(f)[1:] == [("C", "WINDOW", 30 * 24)]


def test_a_trigger_that_lasts_goes_on_when_the_profile_does_not_fit_any_more() -> None:
    f = lifting(when={"industry": "manufacturing"}, lasts="7d")
    f.fold(fits(), fits(at=NOON + HOUR, industry="finance"))
    f.tick(NOON + 7 * DAY)
    assert [(tier, at) for tier, _, at in of(f)] == [("B", 0), ("C", 7 * 24)]


def test_compiled_code_refuses_what_it_does_not_know_of_triggers() -> None:
    planned(lifting(when={"downloads_14d": {"at_least": 1, "below": 9}}).policy)
    for when in ({"industry": "manufacturing"}, {"ai": {"at_least": 1}}):
        with pytest.raises(NotPlanned, match="asks"):
            planned(lifting(when=when).policy)


def test_mistakes_are_named_with_their_place() -> None:
    with pytest.raises(PolicyError) as refused:
        lifting(when={"industri": "manufacturing", "downloads_14d": "many", "size": {"at_least": 2}})
    said = "\n".join(refused.value.problems)
    for place in ("industri", "downloads_14d", "size"):
        assert f"schemes.abc.triggers.0.when.{place}" in said
