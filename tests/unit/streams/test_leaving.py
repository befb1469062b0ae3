"""Laws of `leave_below` in ladders over points of their own: a tier is kept down to it, and taken again only where it begins."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from tests.builders import HOUR, NOON, prediction
from tests.folding import Folding, policy_of

TIERS = [{"name": "C"}, {"name": "B"}, {"name": "A"}]
WEIGHTED = {"kind": "weighted", "tiers": TIERS, "weights": {"ai": 1.0}, "enter_at": {"B": 50, "A": 80}, "leave_below": {"A": 70.5}}
BANDS: dict[str, Any] = {
    "kind": "bands", "tiers": TIERS, "points": {"C": 20, "B": 60, "A": 90}, "cut_offs": {"B": 50, "A": 80},
    "indicators": {
        "one": {"weight": 60, "of": "ai", "from": {"B": 30, "A": 60}},
        "two": {"weight": 40, "of": "ai", "from": {"B": 40, "A": 90}},
    },
    "leave_below": {"A": 75},
}  # fmt: skip


def moves(scheme: dict[str, Any], *scores: float) -> list[tuple[str, int]]:
    """Each change, and after which of the scores."""
    f = Folding(policy_of(schemes={"own": scheme}))
    for place, score in enumerate(scores):
        f.fold(prediction(score=score, at=NOON + place * HOUR))
    return [(each.to_tier, (each.effective_at - NOON) // HOUR) for each in f.published]


def test_a_weighted_tier_is_kept_down_to_leave_below_and_entered_only_where_it_begins() -> None:
    assert moves(WEIGHTED, 79.9, 80, 70.5, 70.4, 79.9, 80) == [("B", 0), ("A", 1), ("B", 3), ("A", 5)]
    assert moves({**WEIGHTED, "leave_below": None}, 80, 79.9) == [("A", 0), ("B", 1)]


def test_a_banded_tier_is_kept_down_to_leave_below() -> None:
    """90 in both makes 90 points; A by the first and B by the second 78, which keeps A and would not enter it."""
    assert moves(BANDS, 65) == [("B", 0)]
    assert moves(BANDS, 95, 65, 45) == [("A", 0), ("B", 2)]


def test_who_says_nothing_decides_as_before_and_keeps_the_digest() -> None:
    plain = {name: part for name, part in WEIGHTED.items() if name != "leave_below"}
    digests = {policy_of(schemes={"own": scheme}).digest for scheme in (plain, {**plain, "leave_below": None})}
    assert len(digests) == 1
    assert policy_of(schemes={"own": WEIGHTED}).digest not in digests


@pytest.mark.parametrize(
    ("leave_below", "said"),
    [
        ({"A": 81}, "must not be above where A begins, 80, got 81"),
        ({"B": 50, "A": 50}, "must rise from tier to tier, got 50 for A"),
        ({"C": 10}, "unknown tier 'C'"),
    ],
)
def test_mistakes_are_named(leave_below: dict[str, float], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        policy_of(schemes={"own": {**WEIGHTED, "leave_below": leave_below}})


def test_inside_a_track_there_is_no_such_thing() -> None:
    model = {name: part for name, part in WEIGHTED.items() if name not in ("kind", "tiers")}
    with pytest.raises(PolicyError, match="leave_below"):
        policy_of(
            tracks={"rules": [], "default": "one"},
            schemes={"own": {"kind": "tracks", "tiers": TIERS, "tracks": {"one": {"weighted": model}}}},
        )
