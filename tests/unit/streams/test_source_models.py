"""The models of source documents 002 to 004 that stand beside each other: fixtures 9 and 13, the matrices and models of document 003."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.records import Event
from streams.policy import CompiledPolicy, load_policy_text
from tests.builders import DAY, NOON, interaction, order, profile, stage_change
from tests.folding import SHIPPED, Folding, shipped

MILLION = 100_000_000
BIG = {"industry_rank": 1, "territory": "national", "industry": "manufacturing", "size": "large"}
SMALL_ONE = {"industry_rank": 40, "territory": "local", "industry": "farming", "size": "small"}


def standing(policy: CompiledPolicy, *log: Event) -> dict[str, str]:
    f = Folding(policy)
    f.fold(*log)
    return {scheme: f.tier(scheme=scheme) for scheme in policy.scheme_names}


@pytest.mark.parametrize(
    ("known", "millions", "by_influence", "by_potential"),
    [(BIG, 4, "S", "1"), (BIG, 0, "A", "3"), (SMALL_ONE, 4, "B", "2"), (SMALL_ONE, 0, "C", "4")],
)
def test_003_09_and_003_11_two_matrices_grade_the_same_account_by_different_things(
    known: dict[str, Any], millions: int, by_influence: str, by_potential: str
) -> None:
    tiers = standing(shipped("mcr"), profile(**known), order(amount_minor=millions * MILLION))
    assert (tiers["influence_volume"], tiers["current_potential"]) == (by_influence, by_potential)


def test_003_04_a_lucky_year_counts_half_and_is_forgotten_after_three() -> None:
    f = Folding(shipped("mcr"))
    f.fold(profile(**BIG), order(amount_minor=3 * MILLION))
    assert f.tier() == "S", "1.5 million of turnover"
    falls = [each for each in f.tick(NOON + 4 * 365 * DAY) if each.scheme == "influence_volume"]
    assert [(each.to_tier, each.effective_at) for each in falls] == [("A", NOON + 365 * DAY)], "0.9 million, then 0.6, then nothing"


@pytest.mark.parametrize(
    ("known", "tier"),
    [
        ({"customer_kind": "BUSINESS", **BIG}, "S"),
        ({**SMALL_ONE}, "B"),
        ({"customer_kind": "GOVERNMENT", "annual_budget_minor": 2 * MILLION, "decision_level": "middle"}, "A"),
        ({"customer_kind": "CHANNEL", "staffing": 1}, "B"),
        ({"customer_kind": "CONSUMER"}, "S"),
    ],
)
def test_003_03_each_kind_of_customer_has_a_model_of_its_own(known: dict[str, Any], tier: str) -> None:
    assert standing(shipped("mcr"), profile(**known), order(amount_minor=4 * MILLION))["by_kind"] == tier


def several() -> CompiledPolicy:
    """Fixture 13 without the pyramid: the channel ladder beside the matrices and the models by kind."""
    files = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in SHIPPED if path.stem in ("mcr", "channel")}
    both = dict(files["mcr"])
    for section in ("measures", "schemes"):
        both[section] = files["mcr"][section] | files["channel"][section]
    both["reviewed_on"] = str(both["reviewed_on"])
    return load_policy_text(yaml.safe_dump(both, allow_unicode=True))


def test_003_07_to_12_fixture_13_four_schemes_stand_side_by_side_each_with_its_own_sequence_and_ledger() -> None:
    f = Folding(several())
    f.fold(profile(**BIG, customer_kind="CHANNEL", registered_capital_minor=12 * MILLION, staffing=50), order(amount_minor=9 * MILLION))
    tiers = {name: f.tier(scheme=name) for name in f.policy.scheme_names}
    assert tiers == {"influence_volume": "S", "current_potential": "1", "by_kind": "A", "channel": "first"}
    f.fold(profile(industry="farming", size="small", industry_rank=40, territory="local", at=NOON + DAY))
    assert {name: f.tier(scheme=name) for name in f.policy.scheme_names} == {**tiers, "influence_volume": "B", "current_potential": "2"}
    for scheme in f.policy.scheme_names:
        chain = [each for each in f.published if each.scheme == scheme]
        assert [each.sequence for each in chain] == list(range(1, len(chain) + 1))
        for each in chain:
            assert {line.dimension for line in each.contributions} == {scheme}
            assert sum(line.micro for line in each.contributions) == each.score_after_micro


def test_002_31_fixture_9_the_same_log_means_three_things_to_trade_to_subscriptions_and_to_projects() -> None:
    log: list[Event] = [profile(billing_cycle="year", renewal_rate=0.95)]
    log += [order(amount_minor=300_000, recurring=True, at=NOON + 30 * n * DAY) for n in range(8)]
    log += [interaction(kind="FEATURE_USE", at=NOON + (210 + n) * DAY) for n in range(20)]
    log += [order(amount_minor=50_000_000, project=True, at=NOON + 229 * DAY), interaction(kind="MEETING", at=NOON + 230 * DAY)]
    log += [stage_change(stage="NEGOTIATION", at=NOON + 231 * DAY)]
    tiers = {name: next(iter(standing(shipped(name), *log).values())) for name in ("orders-rfm", "saas", "project")}
    assert tiers == {"orders-rfm": "S", "saas": "high", "project": "B"}
    without_use = [record for record in log if getattr(record, "kind", None) != "FEATURE_USE"]
    assert next(iter(standing(shipped("saas"), *without_use).values())) == "medium", "frequency is use"
    without_project = [record for record in log if not getattr(record, "project", False)]
    assert next(iter(standing(shipped("project"), *without_project).values())) == "C", "monetary is the project's amount"
    assert next(iter(standing(shipped("orders-rfm"), *without_project, *without_use[:1]).values())) == "S"


def test_every_model_is_written_in_less_than_120_lines() -> None:
    lengths = {path.stem: len(Path(path).read_text(encoding="utf-8").splitlines()) for path in SHIPPED}
    assert {name for name, lines in lengths.items() if lines >= 120} == set()
