"""Triggers with `lasts`: they hold at least so long from when they fired, to the millisecond."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from tests.builders import DAY, NOON, interaction, prediction
from tests.folding import Folding, policy_of, restored

TIERS = [{"name": "C"}, {"name": "B", "enter_at": 60}, {"name": "A", "enter_at": 80}]
DOWNLOADS = {"downloads": {"from": "interactions", "count": "DOWNLOAD", "window": "14d"}}


def lifted(*triggers: dict[str, Any], measures: dict[str, Any] = DOWNLOADS, **scheme: Any) -> Folding:
    """Accounts whose score is the model's prediction, on a ladder C, B, A with triggers."""
    return Folding(policy_of(measures=measures, schemes={"s": {"kind": "score", "tiers": TIERS, "triggers": list(triggers), **scheme}}))


def twice(lasts: str | None) -> dict[str, Any]:
    return {"when": {"downloads": {"at_least": 2}}, "lift_to": "B"} | ({"lasts": lasts} if lasts else {})


def download(*days: float) -> list[Any]:
    return [interaction(kind="DOWNLOAD", at=NOON + round(day * DAY)) for day in days]


def changes(f: Folding) -> list[tuple[str | None, str, float, str]]:
    return [(each.from_tier, each.to_tier, (each.effective_at - NOON) / DAY, each.cause.kind) for each in f.published]


def test_002_30_a_lift_lasts_its_time_from_the_record_that_fired_it_though_its_window_ends_sooner() -> None:
    f = lifted(twice("30d"))
    f.fold(*download(0, 1))
    assert f.tick(NOON + 31 * DAY - 1) == []
    (ended,) = f.tick(NOON + 31 * DAY)
    assert (ended.from_tier, ended.to_tier, ended.effective_at) == ("B", "C", NOON + 31 * DAY)
    assert (ended.cause.kind, ended.cause.detail) == ("WINDOW", "a trigger's time is over")


def test_without_lasts_it_ends_with_its_window() -> None:
    f = lifted(twice(None))
    f.fold(*download(0, 1))
    f.tick(NOON + 40 * DAY)
    assert changes(f) == [("C", "B", 1, "TRIGGER"), ("B", "C", 14, "WINDOW")]


def test_while_its_condition_is_true_a_lift_goes_on_after_its_time() -> None:
    f = lifted(twice("3d"))
    f.fold(*download(0, 1))
    f.tick(NOON + 40 * DAY)
    assert changes(f) == [("C", "B", 1, "TRIGGER"), ("B", "C", 14, "WINDOW")]
    assert f.published[-1].cause.detail == "a trigger's condition ended"


def test_while_its_condition_stays_true_it_does_not_fire_again() -> None:
    f = lifted(twice("20d"))
    f.fold(*download(0, 1, 2, 3))
    f.tick(NOON + 60 * DAY)
    assert changes(f) == [("C", "B", 1, "TRIGGER"), ("B", "C", 21, "WINDOW")]


@pytest.mark.parametrize("looked_at", [[], [14.5], [14, 15, 16, 29.9]])
def test_coming_true_again_it_fires_again_and_its_time_starts_anew(looked_at: list[float]) -> None:
    """The condition ended on day 14, which nobody need have seen; the download on day 20 is one alone, that on day 21 fires."""
    f = lifted(twice("30d"))
    f.fold(*download(0, 1))
    for day in looked_at:
        f.tick(NOON + round(day * DAY))
    f.fold(*download(30, 30.5))
    f.tick(NOON + 90 * DAY)
    assert changes(f) == [("C", "B", 1, "TRIGGER"), ("B", "C", 60.5, "WINDOW")]


def test_a_trigger_that_time_alone_fires_lifts_at_its_instant_and_lasts() -> None:
    """Two weeks without a word from the customer: somebody has to call within three days."""
    quiet = {"quiet": {"from": "interactions", "since": "last"}}
    f = lifted({"when": {"quiet": {"at_least": 14 * DAY, "at_most": 15 * DAY}}, "lift_to": "B", "lasts": "3d"}, measures=quiet)
    f.fold(interaction(at=NOON))
    f.tick(NOON + 30 * DAY)
    assert changes(f) == [("C", "B", 14, "TRIGGER"), ("B", "C", 17, "WINDOW")]
    assert f.published[0].cause.detail == "quiet at least 14d and at most 15d"


def test_a_lift_that_lasts_says_its_end_beforehand_and_a_restored_partition_knows_it() -> None:
    f = lifted(twice("30d"))
    f.fold(*download(0, 1))
    assert f.published[-1].forecast is not None
    assert (f.published[-1].forecast.at, f.published[-1].forecast.to_tier) == (NOON + 31 * DAY, "C")
    f.keep()
    back = restored(f.changelog, f.policy)
    (ended, _) = [output.record for output in back.fold_tick(NOON + 31 * DAY, "LIVE", 0)]
    assert ended.effective_at == NOON + 31 * DAY  # type: ignore[attr-defined]


def test_the_higher_of_two_lifts_ends_by_its_own_time_onto_the_lower() -> None:
    f = lifted(twice("30d"), {"when": {"downloads": {"at_least": 3}}, "lift_to": "A", "lasts": "15d"})
    f.fold(*download(0, 1, 2))
    f.tick(NOON + 60 * DAY)
    assert changes(f) == [("C", "B", 1, "TRIGGER"), ("B", "A", 2, "TRIGGER"), ("A", "B", 17, "WINDOW"), ("B", "C", 31, "WINDOW")]


def test_a_score_above_the_lift_hides_it_and_the_lift_is_there_when_the_score_falls() -> None:
    f = lifted(twice("30d"))
    f.fold(prediction(score=90.0, at=NOON), *download(0, 1), prediction(score=10.0, at=NOON + 20 * DAY))
    f.tick(NOON + 60 * DAY)
    assert changes(f) == [("C", "A", 0, "PREDICTION"), ("A", "B", 20, "PREDICTION"), ("B", "C", 31, "WINDOW")]


def test_one_firing_makes_one_lead_however_often_it_is_looked_at() -> None:
    f = lifted(twice("30d"))
    f.fold(*download(0, 1, 2))
    f.tick(NOON + 20 * DAY)
    f.fold(*download(20.1, 20.2))
    assert [(lead.trigger, lead.effective_at) for lead in f.records("hot-leads")] == [("downloads at least 2", NOON + DAY)]


@pytest.mark.parametrize("wrong", ["0s", "-1d", "3 weeks", "14"])
def test_a_time_that_is_none_is_refused_with_its_path(wrong: str) -> None:
    with pytest.raises(PolicyError, match=r"schemes\.s\.triggers\.0\.lasts: must be"):
        lifted(twice(wrong))


def test_another_length_is_another_column() -> None:
    def columns(lasts: str | None) -> set[str]:
        return {column.identity for column in lifted(twice(lasts)).policy.columns if ".triggers." in column.name}

    assert columns(None) == set()
    assert columns("30d").isdisjoint(columns("20d"))
