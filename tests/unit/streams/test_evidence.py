"""Laws of the last piece of evidence: every line of the ledger that stands on facts says when the newest of them happened."""

from typing import Any

import pytest

from streams.dossier import Dossier
from streams.kinds import Line
from tests.builders import DAY, HOUR, NOON, SECOND, interaction, order, prediction, profile, ticket
from tests.folding import Folding, judged_by_the_oracle, measured, restored
from tests.measuring import Measuring

POINTS = {"from": "interactions", "points": {"DOWNLOAD": 10, "VISIT": 1}, "half_life": "30d"}
DAYS_30 = {"from": "orders", "status": ["PAID"], "window": "30d"}


def last_of(spec: dict[str, Any], *records: Any, at_ms: int = NOON + DAY) -> list[int | None]:
    """When each line of a measure last happened."""
    m = Measuring(spec).fold(*records)
    m.renew(at_ms)
    return [line.last_ms for line in m.lines(at_ms)]


def last_shown(f: Folding, account_id: str = "acme") -> dict[str, int | None]:
    return {line["line"]: line["last_at"] for line in f.view(account_id)["contributions"]}


def test_each_kind_knows_when_it_last_happened_whatever_the_order_of_arrival() -> None:
    log = [interaction(kind="DOWNLOAD", at=NOON + HOUR), interaction(kind="DOWNLOAD"), interaction(at=NOON + 2 * HOUR)]
    assert last_of(POINTS, *log) == last_of(POINTS, *reversed(log)) == [NOON + HOUR, NOON + 2 * HOUR]


def test_what_a_burst_leaves_out_is_no_evidence_and_what_a_cap_leaves_out_is() -> None:
    moment = [interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD", at=NOON + SECOND)]
    assert last_of({**POINTS, "caps": {"burst": {"kinds": ["DOWNLOAD"], "within": "1m"}}}, *moment) == [NOON]
    assert last_of({**POINTS, "caps": {"per_day": {"DOWNLOAD": 10}}}, *moment) == [NOON + SECOND]


@pytest.mark.parametrize("orders", [3, 20])
@pytest.mark.parametrize(
    "what", [{"sum": "amount"}, {"count": "order"}, {"maximum": "amount"}, {"mean": "amount"}, {"distinct_days": "order"}]
)
def test_a_window_knows_its_newest_record_whether_row_or_dossier_holds_it(what: dict[str, Any], orders: int) -> None:
    log = [order(at=NOON + n * SECOND) for n in range(orders)]
    assert last_of({**DAYS_30, **what}, *log) == [NOON + (orders - 1) * SECOND]
    assert last_of({**DAYS_30, **what}, *log, at_ms=NOON + 30 * DAY) == [NOON + (orders - 1) * SECOND]
    assert last_of({**DAYS_30, **what}, *log, at_ms=NOON + 31 * DAY) == []


def test_a_refund_is_not_one_of_the_orders_that_a_sum_counts() -> None:
    paid, refunded = order(order_id="o"), order(status="REFUNDED", order_id="o", amount_minor=1, at=NOON + HOUR)
    assert last_of({**DAYS_30, "sum": "amount"}, paid, refunded) == [NOON]


def test_what_is_made_of_others_stands_on_the_newest_record_of_either() -> None:
    others = {"all": {**DAYS_30, "count": "order"}, "large": {**DAYS_30, "count": "order", "where": {"project": True}}}
    for spec in ({"change": "all", "over": "30d"}, {"ratio": "large", "to": "all"}):
        m = Measuring(spec, others).fold(order(project=True), order(at=NOON + HOUR))
        assert [line.last_ms for line in m.lines(NOON + DAY)] == [NOON + HOUR]


def test_a_window_that_has_only_lost_records_says_which_was_the_last() -> None:
    m = Measuring({"change": "all", "over": "30d"}, {"all": {**DAYS_30, "count": "order"}}).fold(order())
    assert m.lines(NOON + 40 * DAY) == [Line("order", -1.0, 0, NOON)]


def test_a_time_since_and_a_latest_number_name_their_record() -> None:
    orders, satisfaction = {"from": "orders", "status": ["PAID"], "since": "last"}, {"from": "tickets", "latest": "satisfaction"}
    assert last_of(orders, order(), order(at=NOON - DAY)) == [NOON]
    assert last_of(satisfaction, ticket(satisfaction=4), ticket(satisfaction=2, at=NOON - 1)) == [NOON]


def test_a_profile_field_says_since_when_it_is_known_and_a_prediction_when_the_model_spoke() -> None:
    f = Folding(judged_by_the_oracle("plain"))
    f.fold(profile(industry="finance"), profile(size="large", at=NOON + DAY), prediction(at=NOON + HOUR))
    shown = last_shown(f)
    assert (shown["industry"], shown["size"], shown["region missing"], shown["score"]) == (NOON, NOON + DAY, None, NOON + HOUR)


def test_what_the_arithmetic_adds_has_no_last_time() -> None:
    f = Folding(measured({**POINTS, "half_life": "none"}, -10, 5))
    f.fold(interaction(kind="DOWNLOAD"))
    assert last_shown(f) == {"DOWNLOAD": NOON, "from": None, "limited": None}


def test_a_transition_and_a_lead_carry_what_the_view_shows() -> None:
    hot = {"abc": {"kind": "score", "hot": ["A"], "tiers": [{"name": "C"}, {"name": "A", "enter_at": 20}]}}
    f = Folding(measured({**POINTS, "half_life": "none"}, schemes=hot))
    f.fold(interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD", at=NOON + 5))
    (transition,), (lead,) = f.published, f.records("hot-leads")
    assert [line.last_at for line in transition.contributions] == [line.last_at for line in lead.evidence] == [NOON + 5]


def test_it_survives_a_restore() -> None:
    f = Folding(measured(POINTS))
    f.fold(interaction(kind="DOWNLOAD"))
    f.keep()
    again = restored(f.changelog, f.policy).view("acme")
    assert again == f.view()


def test_a_row_that_was_written_before_kinds_knew_it_says_that_it_is_not_known() -> None:
    m = Measuring(POINTS).fold(interaction(kind="DOWNLOAD"))
    m.rows["measures.m.last_ms"] = 0
    assert m.lines(NOON) == [Line("DOWNLOAD", 10.0, 1, None)]
    assert m.measure.lines(m.rows[0], Dossier(), NOON) == m.lines(NOON)
