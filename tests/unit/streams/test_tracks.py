"""Laws of tracks and rubrics, and the fixtures of source document 000 under `policies/tracks.yaml`."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from tests.builders import DAY, NOON, interaction, profile
from tests.folding import Folding, policy_of, restored, shipped

COMPANY_A = {"industry_rank": 1, "annual_budget_minor": 200_000_000, "need": "urgent", "decision_level": "middle"}
"""000-11: industry leader, 2 million, a long cycle and a complex chain of decision."""
YUNXIANG = {"industry_rank": 1, "annual_budget_minor": 100_000_000}
"""000-12: order now 1 million, industry No. 1."""


def graded(**known: Any) -> Folding:
    f = Folding(shipped("tracks"))
    f.fold(profile(**known))
    return f


def test_000_11_company_a_with_two_million_is_only_b_in_the_price_track() -> None:
    assert graded(**COMPANY_A, track="price").tier() == "B"
    assert graded(**COMPANY_A, track="value").tier() == "A", "two million alone would be budget level A: the track overrides"


def test_000_12_yunxiang_with_one_million_is_s_in_the_lighthouse_track() -> None:
    assert graded(**YUNXIANG, track="lighthouse").tier() == "S"
    assert graded(**YUNXIANG, track="value", need="vague").tier() == "B", "one million alone would be budget level B"


def test_000_13_companies_b_and_c_are_graded_by_the_rules_alone() -> None:
    """The document grades neither: a young firm with 200,000, and a referral with 50,000 for a module at the fringe."""
    b, c = graded(annual_budget_minor=20_000_000, need="vague"), graded(annual_budget_minor=5_000_000)
    assert (b.tier(), c.tier()) == ("B", "B")
    assert "track value: 70 of 100 for B" in b.published[-1].trail[0].because
    assert "track price: 70 of 100 for B" in c.published[-1].trail[0].because


@pytest.mark.parametrize("known", [COMPANY_A, YUNXIANG])
def test_000_05_the_same_inputs_in_another_track_have_another_grade_on_the_same_chain(known: dict[str, Any]) -> None:
    f = graded(**known, track="price")
    before = f.tier()
    (change,) = f.fold(profile(track="lighthouse", at=NOON + DAY))
    assert (change.from_tier, change.to_tier, change.cause.kind) == (before, "S", "PROFILE")
    (back,) = f.fold(profile(track="price", at=NOON + 2 * DAY))
    assert (back.from_tier, back.to_tier) == ("S", before)
    assert [each.sequence for each in f.published] == list(range(1, len(f.published) + 1))
    assert "track price: 70 of 100 for B, 70 needed" in back.trail[0].because


@pytest.mark.parametrize(
    ("known", "tier", "points"),
    [
        ({"annual_budget_minor": 500_000_001, "industry_rank": 3}, "S", 70),  # 000-07: above 5 million, top 3
        ({"annual_budget_minor": 500_000_000, "industry_rank": 3, "executive_relation": True}, "C", 40),  # S lacks the money, A all else
        ({"annual_budget_minor": 500_000_000, "need": "urgent"}, "A", 70),  # 000-08, Q4: exactly 5 million is A
        ({"annual_budget_minor": 200_000_000, "decision_level": "middle"}, "A", 70),
        ({"annual_budget_minor": 199_999_999, "need": "urgent", "decision_level": "middle"}, "B", 100),  # 000-09
        ({"annual_budget_minor": 10_000_000, "decision_level": "base"}, "B", 70),
        ({"annual_budget_minor": 900_000_000}, "C", 40),  # 000-14: money alone is no grade
        ({"need": "urgent", "decision_level": "middle"}, "C", 60),
        ({"annual_budget_minor": 900_000_000, "industry_rank": 1, "executive_relation": True}, "S", 100),
    ],
)
def test_000_06_to_09_the_value_track_takes_the_highest_tier_of_which_70_of_100_are_met(
    known: dict[str, Any], tier: str, points: int
) -> None:
    f = graded(**known, track="value")
    standing = f.view()["schemes"]["grade"]
    assert (f.tier(), standing["rating"]["points_micro"]) == (tier, points * 1_000_000)
    for each in f.published:
        assert sum(line.micro for line in each.contributions) == each.score_after_micro


def test_what_was_not_met_is_a_line_of_its_own() -> None:
    f = graded(annual_budget_minor=300_000_000, need="urgent", track="value")
    lines = {line.line: line.micro for line in f.published[-1].contributions}
    assert lines == {
        "A budget: annual_budget at least 2000000": 40_000_000,
        "A need: need urgent": 30_000_000,
        "A relation: decision_level middle or executive (not met)": 0,
    }


@pytest.mark.parametrize(
    ("known", "track"),
    [
        ({}, "value"),
        ({"industry_rank": 2, "custom": {"benchmark": True}}, "lighthouse"),
        ({"industry_rank": 2, "custom": {"benchmark": False}}, "value"),
        ({"industry_rank": 4, "custom": {"benchmark": True}}, "value"),
        ({"custom": {"buys_by": "price"}}, "price"),
        ({"industry_rank": 2, "custom": {"benchmark": True, "buys_by": "price"}}, "lighthouse"),  # the first rule that fits
        ({"annual_budget_minor": 9_999_999}, "price"),
        ({"annual_budget_minor": 10_000_000}, "value"),
        ({"custom": {"buys_by": "price"}, "track": "lighthouse"}, "lighthouse"),  # people have said so
        ({"custom": {"buys_by": "price"}, "track": "no such track"}, "price"),
    ],
)
def test_000_01_the_first_rule_that_fits_chooses_the_track_and_people_overrule_it(known: dict[str, Any], track: str) -> None:
    f = graded(**known)
    assert f.view()["schemes"]["grade"]["trail"][0]["because"].startswith(f"track {track}: ")


def test_what_is_cleared_from_the_profile_fulfils_nothing_any_more() -> None:
    f = graded(**COMPANY_A, track="value")
    (change,) = f.fold(profile(cleared=["annual_budget_minor"], at=NOON + DAY))
    assert (change.from_tier, change.to_tier) == ("A", "C")


def test_a_restored_account_stays_in_its_track() -> None:
    f = graded(**YUNXIANG, track="lighthouse")
    f.keep()
    f.partition = restored(f.changelog, f.policy)
    f.fold(profile(need="vague", at=NOON + DAY))
    assert f.tier() == "S"


RUBRIC = {"B": {"some": {"weight": 60, "when": {"size": "large"}}, "more": {"weight": 40, "when": {"n": {"at_least": 2}}}}}


def rubric(criteria: dict[str, Any] = RUBRIC, **more: Any) -> Any:
    tiers = [{"name": "C"}, {"name": "B"}]
    measures = {"n": {"from": "interactions", "count": "VISIT", "window": "10d"}}
    return policy_of(measures=measures, schemes={"r": {"kind": "rubric", "tiers": tiers, "criteria": criteria, **more}})


def test_a_criterion_on_a_measure_ends_to_the_millisecond() -> None:
    f = Folding(rubric())
    f.fold(profile(size="large"), interaction(), interaction(at=NOON + DAY))
    assert f.tier() == "B"
    assert f.tick(NOON + 10 * DAY - 1) == []
    (fall,) = f.tick(NOON + 10 * DAY)
    assert (fall.to_tier, fall.effective_at, fall.cause.kind, fall.score_after_micro) == ("C", NOON + 10 * DAY, "WINDOW", 60_000_000)


@pytest.mark.parametrize(("enough", "tier"), [(0.6, "B"), (0.61, "C")])
def test_how_much_of_its_criteria_a_tier_needs_is_the_policys(enough: float, tier: str) -> None:
    f = Folding(rubric(match_at_least=enough))
    f.fold(profile(size="large"))
    assert f.tier() == tier


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ({"B": {"some": {"weight": 60, "when": {"size": "large"}}}}, "the weights of tier B must sum to 100, got 60"),
        ({"X": RUBRIC["B"], "B": RUBRIC["B"]}, "criteria.X: unknown tier 'X'"),
        ({"C": RUBRIC["B"]}, "criteria: tier B needs criteria"),
        ({"B": {"a": {"weight": 100, "when": {"sice": "large"}}}}, r"criteria.B.a.when.sice: unknown measure, .* did you mean 'size'"),
        ({"B": {"a": {"weight": 100, "when": {"size": {"at_least": 1}}}}}, "when.size: 'size' is no number"),
        ({"B": {"a": {"weight": 100, "when": {"n": "many"}}}}, "when.n: 'n' is a number: give limits"),
        ({"B": {"a": {"weight": 100, "when": {"annual_budget": "much"}}}}, "'annual_budget' is a number"),
        ({"B": {"a": {"weight": 100, "when": {"executive_relation": "yes"}}}}, "'executive_relation' is true or false"),
        ({"B": {"a": {"weight": 100, "when": {"customer_kind": "SHOP"}}}}, "unknown customer_kind 'SHOP'"),
        ({"B": {"a": {"weight": 100, "when": {"n": {}}}}}, "must have at_least, at_most, above or below"),
        ({"B": {"a": {"weight": 100, "when": {"annual_budget_minor": {"at_least": 1}}}}}, "did you mean 'annual_budget'"),
    ],
)
def test_a_rubric_that_cannot_be_is_refused_with_its_path(criteria: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        rubric(criteria)


def tracked(tracks: dict[str, Any], models: dict[str, Any]) -> Any:
    scheme = {"kind": "tracks", "tiers": [{"name": "C"}, {"name": "B"}], "tracks": models}
    return policy_of(tracks=tracks, schemes={"t": scheme}, measures={"n": {"from": "interactions", "count": "VISIT", "window": "10d"}})


@pytest.mark.parametrize(
    ("rules", "models", "said"),
    [
        ([{"track": "a", "when": {"n": {"at_least": 1}}}], {}, "tracks.rules.0.when.n: tracks are chosen by the profile alone"),
        ([{"track": "a", "when": {"cooperation_since": {"at_least": "30d"}}}], {}, "changes by itself with time, and a track must not"),
        ([{"track": "a"}], {"b": {"rubric": {"criteria": RUBRIC}}}, "track a has no model"),
        ([{"track": "a"}], {"x": {"rubric": {"criteria": RUBRIC}}}, "unknown track 'x'"),
        ([{"track": "a"}], {"a": {}}, "must have one of rubric, bands, matrix, weighted"),
    ],
)
def test_tracks_that_cannot_be_are_refused_with_their_path(rules: list[Any], models: dict[str, Any], said: str) -> None:
    whole = {"a": {"rubric": {"criteria": {"B": {"s": {"weight": 100, "when": {"size": "large"}}}}}}}
    with pytest.raises(PolicyError, match=said):
        tracked({"rules": rules, "default": "b"}, models or whole)
