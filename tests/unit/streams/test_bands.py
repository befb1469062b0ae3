"""Laws of `bands`, and the fixtures of source documents 001 and 003 under `policies/key-account.yaml` and `policies/channel.yaml`."""

from typing import Any

import pytest

from schemas.errors import PolicyError
from schemas.records import Event
from tests.builders import DAY, NOON, invoice, order, profile
from tests.folding import Folding, policy_of, shipped

MILLION = 100_000_000
"""In minor units."""
YEAR = 365 * DAY


def bought(millions: float, repeats: int, orders: int = 10) -> list[Event]:
    """Orders of the same amount on one day, some of them repeat orders."""
    each = round(millions * MILLION / orders)
    return [order(amount_minor=each, recurring=n < repeats) for n in range(orders)]


def account(millions: float, years: float | None, repeats: int, **position: Any) -> Folding:
    f = Folding(shipped("key-account"))
    since = {} if years is None else {"cooperation_since": NOON - round(years * YEAR)}
    f.fold(profile(**since, **position), *bought(millions, repeats))
    return f


def composite(f: Folding) -> float:
    return float(f.view()["schemes"]["account"]["rating"]["points_micro"] / 1e6)


@pytest.mark.parametrize(
    ("millions", "years", "repeats", "position", "points", "tier"),
    [
        (6, 4, 9, {"industry_rank": 5}, 95, "A"),  # 001-06
        (3, 2, 7, {"custom": {"position": "niche_leader"}}, 80, "B"),  # 001-07
        (0.7, 0.5, 4, {"size": "medium"}, 65, "C"),  # 001-08
        (0.1, 0.5, 1, {"size": "small"}, 50, "D"),  # 001-09
    ],
)
def test_001_06_to_09_who_is_one_tier_in_everything_has_the_documents_composite(
    millions: float, years: float, repeats: int, position: dict[str, Any], points: float, tier: str
) -> None:
    f = account(millions, years, repeats, **position)
    assert (composite(f), f.tier()) == (points, tier)
    for each in f.published:
        assert sum(line.micro for line in each.contributions) == each.score_after_micro


@pytest.mark.parametrize(
    ("millions", "years", "repeats", "said"),
    [
        (5, 3, 8, ["purchases: A", "cooperation: A", "repurchase: A"]),
        (4.99, 2.99, 7, ["purchases: B", "cooperation: B", "repurchase: B"]),
        (1, 1, 6, ["purchases: B", "cooperation: B", "repurchase: B"]),
        (0.5, 0.99, 3, ["purchases: C", "cooperation: D or C", "repurchase: C"]),
        (0.49, None, 2, ["purchases: D", "cooperation: D or C", "repurchase: D"]),
    ],
)
def test_q4_lower_bounds_are_inclusive_and_less_than_a_year_tells_c_and_d_not_apart(
    millions: float, years: float | None, repeats: int, said: list[str]
) -> None:
    lines = account(millions, years, repeats).view()["schemes"]["account"]["rating"]["contributions"]
    assert [line["line"] for line in lines[:3]] == said


def test_001_03_a_big_order_alone_makes_nobody_an_a_account() -> None:
    f = account(50, 0.2, 0, size="small")
    assert (composite(f), f.tier()) == (0.4 * 95 + 0.2 * 65 + 0.2 * 50 + 0.2 * 50, "C")


def test_cooperation_grows_by_itself_to_the_millisecond() -> None:
    f = Folding(shipped("key-account"))
    f.fold(profile(cooperation_since=NOON - 3 * YEAR + DAY, industry_rank=1), *bought(6, 7))
    assert (f.tier(), composite(f)) == ("A", 0.4 * 95 + 0.2 * 80 + 0.2 * 80 + 0.2 * 95)
    cleared = Folding(shipped("key-account"))
    cleared.fold(profile(cooperation_since=NOON - 3 * YEAR + DAY, custom={"position": "niche_leader"}), *bought(6, 9))
    assert (cleared.tier(), composite(cleared)) == ("A", 89)
    late = Folding(shipped("key-account"))
    late.fold(profile(cooperation_since=NOON - 3 * YEAR + DAY, custom={"position": "niche_leader"}), *bought(6, 7))
    assert (late.tier(), composite(late)) == ("B", 86)
    assert late.tick(NOON + DAY - 1) == []
    (rise,) = late.tick(NOON + DAY)
    assert (rise.to_tier, rise.effective_at, rise.score_after_micro, rise.cause.kind) == ("A", NOON + DAY, 89_000_000, "DECAY")
    assert "composite 89 reaches A (from 87.5)" in rise.trail[0].because


def test_001_02_payment_on_time_and_repurchase_make_the_outlook_not_the_amount() -> None:
    def outlook(*log: Event) -> str:
        f = Folding(shipped("key-account"))
        f.fold(*log)
        return f.tier(scheme="outlook")

    paid = [invoice(status="PAID", invoice_id=f"i{n}", due_at=NOON + 30 * DAY, paid_at=NOON + DAY) for n in range(4)]
    late = [invoice(status="PAID", invoice_id=f"i{n}", due_at=NOON - DAY, paid_at=NOON) for n in range(4)]
    assert outlook(*bought(0.1, 9), *paid) == "strong"
    assert outlook(*bought(50, 1), *paid) == "steady"
    assert outlook(*bought(50, 1), *late) == "weak"


@pytest.mark.parametrize(
    ("capital", "performance", "staffing", "tier"),
    [(60, 40, 120, "general"), (12, 10, 50, "first"), (6, 3, 20, "gold"), (2, 0.6, 6, "silver"), (0, 0.1, 1, "certified")],
)
def test_003_07_channel_partners_stand_on_five_rungs(capital: float, performance: float, staffing: int, tier: str) -> None:
    f = Folding(shipped("channel"))
    f.fold(profile(registered_capital_minor=round(capital * MILLION), staffing=staffing), order(amount_minor=round(performance * MILLION)))
    assert f.tier() == tier


GOOD: dict[str, Any] = {"weight": 100, "of": "staffing", "from": {"B": 5}}


def banded(indicator: dict[str, Any], **more: Any) -> Any:
    parts = {"points": {"C": 20, "B": 60}, "cut_offs": "midpoints", "indicators": {"i": indicator}, **more}
    return policy_of(schemes={"b": {"kind": "bands", "tiers": [{"name": "C"}, {"name": "B"}], **parts}})


def test_tiers_begin_half_way_or_where_the_policy_says() -> None:
    for cut_offs, tier in (("midpoints", "B"), ({"B": 60}, "B"), ({"B": 61}, "C")):
        f = Folding(banded(GOOD, cut_offs=cut_offs))
        f.fold(profile(staffing=5))
        assert f.tier() == tier


@pytest.mark.parametrize(
    ("indicator", "more", "said"),
    [
        ({**GOOD, "weight": 90}, {}, "indicators: weights must sum to 100, got 90"),
        ({**GOOD, "of": "staf"}, {}, "indicators.i.of: unknown measure, dimension or profile field 'staf', did you mean 'staffing'"),
        ({**GOOD, "from": {"C": 5}}, {}, "indicators.i.from.C: the lowest tier C is what is left"),
        ({**GOOD, "from": {"X": 5}}, {}, "indicators.i.from.X: unknown tier 'X'"),
        ({"weight": 100, "of": "staffing"}, {}, "must have one of from, up_to"),
        ({**GOOD, "when": {"B": {"size": "large"}}}, {}, "must have one of from, up_to"),
        (GOOD, {"points": {"C": 20}}, "must have at least 2, got 1"),
        (GOOD, {"points": {"C": 60, "B": 20}}, "points: must be 0 to 100 and rise"),
        (GOOD, {"cut_offs": {}}, "cut_offs: tier B is missing"),
    ],
)
def test_bands_that_cannot_be_are_refused_with_their_path(indicator: dict[str, Any], more: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        banded(indicator, **more)
