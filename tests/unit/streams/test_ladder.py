"""Laws of the ladder `score`: thresholds, hysteresis, entry."""

import pytest

from tests.builders import NOON, prediction
from tests.folding import Folding, policy_of

TIERS = [{"name": "C"}, {"name": "B", "enter_at": 60, "leave_below": 50}, {"name": "A", "enter_at": 80, "leave_below": 70}]


def folding(**more: object) -> Folding:
    return Folding(policy_of(schemes={"abc": {"kind": "score", "tiers": TIERS, **more}}))


def scored(f: Folding, *scores: float) -> list[str]:
    tiers = []
    for score in scores:
        f.fold(prediction(score=score, at=NOON + len(f.steps)))
        tiers.append(f.tier())
    return tiers


@pytest.mark.parametrize(("score", "tier"), [(0, "C"), (59.999999, "C"), (60, "B"), (79.999999, "B"), (80, "A"), (100, "A")])
def test_a_tier_is_entered_at_its_threshold_and_ends_below_the_next(score: float, tier: str) -> None:
    assert scored(folding(), score) == [tier]


def test_a_tier_is_left_only_below_its_lower_threshold() -> None:
    f = folding()
    assert scored(f, 80, 79, 70, 69.999999, 60, 50, 49.999999, 59, 60) == ["A", "A", "A", "B", "B", "B", "C", "C", "B"]
    assert [(t.from_tier, t.to_tier, t.direction) for t in f.published] == [
        ("C", "A", "UP"), ("A", "B", "DOWN"), ("B", "C", "DOWN"), ("C", "B", "UP"),
    ]  # fmt: skip


def test_a_fall_may_pass_several_tiers_at_once() -> None:
    f = folding()
    assert scored(f, 100, 0) == ["A", "C"]
    assert [t.sequence for t in f.published] == [1, 2]


def test_nothing_flaps_inside_the_band() -> None:
    f = folding()
    scored(f, 60)
    assert scored(f, *[51, 79, 50, 79.9] * 5) == ["B"] * 20
    assert len(f.published) == 1


def test_scores_are_compared_in_micro_points() -> None:
    assert scored(folding(), 59.9999994) == ["C"]
    assert scored(folding(), 59.9999996) == ["B"]


def test_entry_is_silent_unless_the_policy_announces_it() -> None:
    f = folding()
    scored(f, 10)
    assert f.published == []
    f = folding(announce_entry=True)
    scored(f, 85, 85)
    assert [(t.sequence, t.from_tier, t.to_tier, t.direction) for t in f.published] == [(1, None, "C", "ENTRY"), (2, "C", "A", "UP")]
    assert [(t.score_before_micro, t.score_after_micro) for t in f.published] == [(0, 0), (0, 85_000_000)]


def test_an_entry_worth_a_higher_tier_is_raised_at_once() -> None:
    f = Folding(policy_of(dimensions={"ai": {"prediction": "conversion", "fallback": 90}}))
    f.fold(prediction(model="another", score=0.0))
    assert [(t.from_tier, t.to_tier, t.score_before_micro, t.score_after_micro) for t in f.published] == [
        ("C", "A", 90_000_000, 90_000_000)
    ]


def test_several_schemes_stand_side_by_side_each_with_its_own_sequence() -> None:
    two = {"kind": "score", "tiers": [{"name": "low"}, {"name": "high", "enter_at": 90}]}
    f = Folding(policy_of(schemes={"abc": {"kind": "score", "tiers": TIERS}, "two": two}))
    f.fold(prediction(score=85.0), prediction(score=95.0, at=NOON + 1), prediction(score=0.0, at=NOON + 2))
    assert [(t.scheme, t.sequence, t.to_tier) for t in f.published] == [
        ("abc", 1, "A"), ("two", 1, "high"), ("abc", 2, "C"), ("two", 2, "low"),
    ]  # fmt: skip
    assert len({t.transition_id for t in f.published}) == 4
