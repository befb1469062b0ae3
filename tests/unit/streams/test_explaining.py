"""A policy in plain words: everything that it says is told, by people's words, whatever its kinds."""

from typing import Literal

import pytest

from streams.clocks import CLOCK_KINDS
from streams.dimensions import DIMENSION_KINDS
from streams.kinds import Spec
from streams.measures import MEASURE_KINDS
from streams.policy.explaining import Sentence, explained
from streams.schemes import SCHEME_KINDS
from tests.folding import policy_of, shipped


def texts(name: str, path: str, effect: str | None = None) -> list[str]:
    return [each.text for each in explained(shipped(name).document) if each.path == path and effect in (None, each.effect)]


def test_every_part_of_a_policy_is_told() -> None:
    document = shipped("sabc-live").document
    told = {each.path for each in explained(document)}
    parts = [f"{section}.{name}" for section in ("measures", "schemes", "clocks") for name in getattr(document, section)]
    assert [part for part in [*parts, *(f"score.{name}" for name in document.score)] if part not in told] == []


def test_what_lifts_is_said_with_its_measure() -> None:
    lifts = texts("sabc", "schemes.sabc", "lifts")
    assert lifts[0] == "80 points or more make A, 60 points or more make B; an account starts at C"
    assert lifts[1] == "at least B, whatever the score, while the number of downloads in the last 14 days is 3 or more"


def test_what_lowers_is_said_with_hysteresis_stay_and_risk() -> None:
    assert texts("sabc-live", "schemes.sabc", "lowers") == [
        "A is lost below 75 points, after 7 days in it at the earliest",
        "B is lost below 55 points",
        "at most C while a risk is open: lawsuit",
        "at most C while a risk is open: tax arrears",
    ]


def test_002_13_a_clock_says_what_it_waits_for_and_what_follows() -> None:
    assert texts("sabc", "clocks.silence") == [
        "without an interaction of the customer for 60 days: A and B one tier down, C to the public pool"
    ]
    assert texts("sabc", "clocks.owner_update") == ["without an interaction of the owner for 30 days in A: A to the public pool"]


def test_times_are_said_as_times_and_money_as_money() -> None:
    (recency, frequency, monetary) = texts("orders-rfm", "score.rfm")[0].removeprefix("100% of the score: ").split("; ")
    assert recency.startswith("recency 40%: the time since the last of paid orders: below 30 days worth 100, below 90 days worth 75")
    assert frequency.startswith("frequency 30%: the number of paid orders in the last 365 days: below 1 worth 0")
    assert "less what was refunded in the last 365 days: below 300 CNY worth 0, below 800 CNY worth 25" in monetary


def test_a_time_since_a_date_of_the_profile_is_said_as_a_time() -> None:
    old = {"classes": ["new", "old"], "limits": ["730d"]}
    schemes = {
        "by_age": {
            "kind": "matrix",
            "tiers": [{"name": name} for name in "CBA"],
            "rows": {"profile": "cooperation_since", **old},
            "columns": {"measure": "age", **old},
            "cells": [["C", "B"], ["B", "A"]],
        }
    }
    policy = policy_of(
        measures={"age": {"profile": "cooperation_since"}},
        dimensions=None,
        score=None,
        schemes=schemes,
        alerts={"old": {"when": {"age": {"at_least": "730d"}}, "then": {"action": "party"}}},
    )
    said = {each.path: each.text for each in reversed(explained(policy.document))}
    assert said["schemes.by_age"] == "cooperation since is old from 730 days on; age is old from 730 days on"
    assert said["alerts.old"].endswith("when age (the time since cooperation since) is at least 730 days")
    (alert,) = policy.watches
    assert alert.said(policy.template.copy()[0]).startswith("old: age at least 730d in C")


def test_points_say_what_earns_what_takes_and_how_they_fade() -> None:
    lowers = texts("sabc-live", "measures.engagement", "lowers")
    assert lowers[0] == "taken by unsubscribe (10)"
    assert lowers[1].startswith("points lose half of their worth in 14 days (price inquiry) and half of their worth in 30 days (visit,")


KINDS = {**MEASURE_KINDS, **DIMENSION_KINDS, **SCHEME_KINDS, **CLOCK_KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_speaks_for_itself(kind: str) -> None:
    assert KINDS[kind].said is not Spec.said, f"{KINDS[kind].__name__} must say in plain words what it does: `said`"


class Unheard(Spec):
    """A kind that says nothing of itself."""

    kind: Literal["unheard"] = "unheard"
    after: dict[str, str]
    then: list[str]


def test_a_kind_that_says_nothing_is_told_in_the_words_of_the_file() -> None:
    document = policy_of().document.model_copy(update={"clocks": {"odd": Unheard(after={"A": "7d"}, then=["call"])}})
    assert [each for each in explained(document) if each.path == "clocks.odd"] == [
        Sentence("clocks.odd", "odd", "is", "after (A 7d), then call")
    ]
