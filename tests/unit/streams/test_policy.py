"""Laws of loading a policy: every mistake at once, each with its path; what is legal compiles."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import PolicyError
from streams.policy import load_policy, load_policy_text
from tests.folding import SMALL, policy_of

MEASURE = {"from": "interactions", "points": {"VISIT": 1}}
TIERS = [{"name": "C"}, {"name": "B", "enter_at": 60}]


def problems_of(text: str) -> list[str]:
    with pytest.raises(PolicyError) as refusal:
        load_policy_text(text, "p.yaml")
    return refusal.value.problems


def problems(**parts: Any) -> list[str]:
    return problems_of(yaml.safe_dump({name: part for name, part in {**SMALL, **parts}.items() if part is not None}, sort_keys=False))


def measure(**more: Any) -> dict[str, Any]:
    return {"measures": {"intent": {**MEASURE, **more}}}


def scheme(tiers: list[dict[str, Any]] = TIERS, **more: Any) -> dict[str, Any]:
    return {"schemes": {"abc": {"kind": "score", "tiers": tiers, **more}}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"policy": None}, "policy: is missing"),
    ({"policy": "Not A Name"}, "policy: "),
    ({"version": 1.5}, "version: must be text (put it in quotes), got 1.5"),
    ({"reviewed_on": "soon"}, "reviewed_on: "),
    ({"timezone": "Mars/Olympus"}, "timezone: must be an IANA time zone such as Asia/Shanghai, got 'Mars/Olympus'"),
    ({"max_ahead": "5 minutes"}, "max_ahead: must be a duration such as"),
    ({"max_ahead": "0s"}, "max_ahead: must be positive, got 0s"),
    ({"speed": 9}, "speed: unknown key 'speed'"),
    ({"dimensions": None}, "score.ai: unknown dimension 'ai'; there is none"),
    ({"dimensions": {}}, "score.ai: unknown dimension 'ai'; there is none"),
    ({"dimensions": None, "score": None}, "schemes.abc.kind: is score, but the policy has none"),
    ({"dimensions": ["ai"]}, "dimensions: "),
    ({"score": {"ai": 0.9}}, "score: weights must sum to 1, got 0.9"),
    ({"score": {"ai": 1.5}}, "score: weights must be above 0 and at most 1, got ai 1.5"),
    ({"score": {"ia": 1.0}}, "score.ia: unknown dimension 'ia'; there is ai"),
    ({"score": {"ai": float("nan")}}, "score"),
    ({"clocks": {"silence": {"after": "60d"}}}, "clocks.silence: a clock must have one of the keys resets_on, of, before"),
    ({"clocks": {"silence": {"resets_on": {}, "after": "60d"}}}, "clocks.silence.then: is missing"),
    ({"measures": {"Intent!": MEASURE}}, "measures.Intent!"),
    ({"measures": {"intent": {"from": "interactions"}}}, "measures.intent: a measure must have one of the keys points, latest"),
    ({"measures": {"intent": 5}}, "measures.intent: a measure must have one of the keys points, latest"),
    (measure(**{"from": "clicks"}), "measures.intent.from: unknown topic with kinds 'clicks'"),
    (measure(**{"from": "interaction"}), "measures.intent.from: unknown topic with kinds 'interaction', did you mean 'interactions'?"),
    (measure(points={}), "measures.intent.points: "),
    (measure(points={"VISIT": "many"}), "measures.intent.points.VISIT"),
    (measure(points={"VISIT": float("inf")}), "measures.intent.points"),
    (measure(points={"VISIT": float("nan")}), "measures.intent.points"),
    (measure(points={"VISIT": 1e300}), "measures.intent.points"),
    (measure(points={"VISIT": {"per_second_of_dwell": 0, "at_most": 2}}), "measures.intent.points.VISIT.per_second_of_dwell"),
    (measure(points={"VISIT": {"per_second_of_dwell": 1}}), "measures.intent.points.VISIT.at_most: is missing"),
    (measure(points={"VISIT": {"per_second_of_dwell": 1, "at_most": float("inf")}}), "measures.intent.points.VISIT.at_most"),
    (measure(half_life="-5d"), "measures.intent.half_life: must be a duration"),
    (measure(half_life="0d"), "measures.intent.half_life: must be positive, got 0d"),
    (measure(half_life={"CALL": "5d"}), "measures.intent.half_life: half_life must name a default or every kind, got none for VISIT"),
    (
        measure(half_life={"default": "5d", "VISITS": "5d"}),
        "measures.intent.half_life.VISITS: unknown priced kind 'VISITS', did you mean 'VISIT'?",
    ),
    (measure(caps={"per_day": {"VISIT": 0}}), "measures.intent.caps.per_day: must be positive, got VISIT 0"),
    (measure(caps={"per_day": {"VISIT": float("nan")}}), "measures.intent.caps.per_day"),
    (measure(caps={"per_day": {"CALL": 5}}), "measures.intent.caps.per_day.CALL: unknown priced kind 'CALL'"),
    (measure(caps={"per_week": {"VISIT": 5}}), "measures.intent.caps.per_week: unknown key 'per_week'"),
    (measure(colour="red"), "measures.intent.colour: unknown key 'colour'"),
    (
        {"measures": {"m": {"from": "ticket", "latest": "satisfaction"}}},
        "measures.m.from: unknown topic of account records 'ticket', did you mean 'tickets'?",
    ),
    ({"measures": {"m": {"from": "tickets", "latest": "happiness"}}}, "measures.m.latest: unknown field of tickets 'happiness'"),
    ({"measures": {"m": {"from": "tickets", "latest": "status"}}}, "measures.m.latest: field 'status' of tickets must be a number"),
    ({"measures": {"m": {"from": "ticks", "latest": "at"}}}, "measures.m.from"),
    (
        {"measures": {"m": {"from": "tickets", "latest": "satisfaction", "where": {"mood": "x"}}}},
        "measures.m.where.mood: unknown field of tickets 'mood'",
    ),
    ({"dimensions": {"ai": {"guess": 1}}}, "dimensions.ai: a dimension must have one of the keys table, linear, bands, prediction, rfm"),
    ({"dimensions": {"ai": {"prediction": "m", "fallback": 101}}}, "dimensions.ai.fallback"),
    ({"dimensions": {"ai": {"prediction": "", "fallback": 1}}}, "dimensions.ai.prediction"),
    (
        {"dimensions": {"ai": {"linear": {"measure": "m", "from": 0, "to": 1}}}},
        "dimensions.ai.linear.measure: unknown measure 'm'; there is none",
    ),
    (
        {**measure(), "dimensions": {"ai": {"linear": {"measure": "intent", "from": 9, "to": 9}}}},
        "dimensions.ai.linear: from must be below to, got 9 and 9",
    ),
    ({**measure(), "dimensions": {"ai": {"linear": {"measure": "intent", "from": float("-inf"), "to": 9}}}}, "dimensions.ai.linear.from"),
    ({"dimensions": {"ai": {"table": {}}}}, "dimensions.ai.table"),
    (
        {"dimensions": {"ai": {"table": {"industry": {"weight": 60, "values": {"a": 1}}}}}},
        "dimensions.ai.table: weights must sum to 100, got 60",
    ),
    (
        {"dimensions": {"ai": {"table": {"industri": {"weight": 100, "values": {"a": 1}}}}}},
        "dimensions.ai.table.industri: unknown profile field 'industri', did you mean 'industry'?",
    ),
    ({"dimensions": {"ai": {"table": {"industry": {"weight": 100}}}}}, "dimensions.ai.table.industry: must have either values"),
    (
        {"dimensions": {"ai": {"table": {"industry": {"weight": 100, "values": {"a": 120}}}}}},
        "dimensions.ai.table.industry: points must be 0 to 100, got a 120",
    ),
    ({"dimensions": {"ai": {"table": {"industry": {"weight": 100, "values": {1: 20}}}}}}, "dimensions.ai.table.industry.values"),
    ({"schemes": {}}, "schemes: "),
    ({"schemes": {"abc": {"kind": "magic", "tiers": TIERS}}}, "schemes.abc: a scheme must have a `kind`, one of score, "),
    (scheme([{"name": "C"}]), "schemes.abc.tiers: must have at least 2, got 1"),
    (scheme([{"name": "C"}, {"name": "C", "enter_at": 60}]), "schemes.abc.tiers: tier names must differ, got C, C"),
    (scheme([{"name": "C", "enter_at": 0}, {"name": "B", "enter_at": 60}]), "schemes.abc: the lowest tier C is where every account starts"),
    (scheme([{"name": "C"}, {"name": "B"}]), "schemes.abc: tier B must have enter_at"),
    (scheme([*TIERS, {"name": "A", "enter_at": 60}]), "schemes.abc: enter_at must rise from tier to tier, got 60 for A"),
    (
        scheme([{"name": "C"}, {"name": "B", "enter_at": 60, "leave_below": 61}]),
        "schemes.abc: leave_below must not be above enter_at, got 61 above 60 for B",
    ),
    (
        scheme([*TIERS, {"name": "A", "enter_at": 80, "leave_below": 60}]),
        "schemes.abc: leave_below must rise from tier to tier, got 60 for A",
    ),
    (scheme(risk={"LAWSUIT": {"ceiling": "D"}}), "schemes.abc.risk.LAWSUIT.ceiling: unknown tier 'D'"),
    (scheme(risk={"LAWSUIT": {}}), "schemes.abc.risk.LAWSUIT.ceiling: is missing"),
    ({1: 2}, "1"),  # type: ignore[dict-item]
    ({"measures": {2024: MEASURE}}, "measures.2024"),
    ({"dimensions": {1: {"prediction": "m", "fallback": 0}}}, "dimensions.1"),
    ({"schemes": {True: 5}}, "schemes"),
]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(("parts", "said"), WRONG, ids=[said.split(":")[0] + f"-{n}" for n, (_, said) in enumerate(WRONG)])
def test_a_mistake_is_named_with_its_path(parts: Any, said: str) -> None:
    found = problems_of(yaml.safe_dump({k: v for k, v in {**SMALL, **parts}.items() if v is not None}, sort_keys=False))
    assert any(problem.startswith(f"p.yaml: {said}") for problem in found), found


def test_all_mistakes_are_listed_at_once() -> None:
    found = problems(
        version=None,
        timezone="Nowhere",
        measures={
            "good": MEASURE,
            "bad": {**MEASURE, "half_life": "x"},
            "worse": {"from": "orders", "points": {"PAID": 1}, "caps": {"per_day": {"X": 1}}},
        },
        dimensions={"ai": {"prediction": "m", "fallback": 0}, "d": {"linear": {"measure": "bat", "from": 0, "to": 1}}},
        score={"ai": 0.5, "e": 0.5},
        **scheme(risk={"LAWSUIT": {"ceiling": "Z"}}),
    )
    assert len(found) == 7, "\n".join(found)
    for part in (
        "version",
        "timezone",
        "measures.bad.half_life",
        "measures.worse.caps.per_day.X",
        "dimensions.d.linear.measure",
        "score.e",
        "schemes.abc.risk",
    ):
        assert sum(f"p.yaml: {part}" in problem for problem in found) == 1, part


def test_a_measure_whose_own_entry_is_wrong_is_not_reported_as_unknown_too() -> None:
    found = problems(measures={"m": {**MEASURE, "half_life": "x"}}, dimensions={"ai": {"linear": {"measure": "m", "from": 0, "to": 1}}})
    assert len(found) == 1


@pytest.mark.parametrize("text", ["", "- a", "just text", "a: [", "a: 1\na: 2", "\t", "a: &x [*x]\n? [1]\n: 2"])
def test_what_is_no_policy_at_all_is_said_in_one_sentence(text: str) -> None:
    (problem,) = problems_of(text)
    assert "\n" not in problem


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"policy: \xff")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "latin.yaml")


def test_a_key_that_stands_twice_is_refused() -> None:
    (problem,) = problems_of("policy: a\npolicy: b\n")
    assert "key 'policy' stands here twice" in problem


def test_names_that_yaml_takes_for_truth_stay_text() -> None:
    policy = policy_of(measures={"m": {"from": "interactions", "points": {"ON": 1, "no": 2}}})
    text = yaml.safe_dump(policy.document.model_dump(mode="json", by_alias=True)).replace("'ON'", "ON").replace("'no'", "no")
    assert list(load_policy_text(text).document.measures["m"].points) == ["ON", "no"]


def test_a_policy_reads_the_topics_that_it_names_in_rank_order() -> None:
    parts = {"measures": {"z": {"from": "tickets", "latest": "satisfaction"}, "a": {"from": "interactions", "points": {"VISIT": 1}}}}
    assert policy_of(**parts).inputs == ("interactions", "tickets", "predictions")
    assert policy_of(**parts, **scheme(risk={"LAWSUIT": {"ceiling": "C"}})).inputs == ("interactions", "tickets", "risks", "predictions")


def test_the_digest_follows_from_what_the_policy_says_and_not_from_how() -> None:
    digest = policy_of().digest
    assert policy_of(description="other words").digest == digest
    assert policy_of(max_ahead="300s").digest == digest
    assert policy_of(max_ahead="301s").digest != digest
    assert policy_of(version="2").digest != digest
    assert load_policy_text("# a comment\n" + yaml.safe_dump(SMALL, sort_keys=True)).digest == digest


def test_001_21_a_review_of_the_policy_is_no_other_policy() -> None:
    """A state is not refused because people looked at its policy and left it as it is."""
    before, after = policy_of(reviewed_on="2026-01-01"), policy_of(reviewed_on="2026-07-01")
    assert before.reviewed_on < after.reviewed_on
    assert (after.digest, after.layout.layout_id) == (before.digest, before.layout.layout_id)
