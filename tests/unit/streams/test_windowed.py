"""Laws of the measures over a window, of `since`, `ratio` and `change`, and of money."""

from typing import Any

import pytest

from schemas.errors import Reason, RecordRejected
from streams.account import Fate
from streams.measures.rolling import FEWEST_IN_ROW, places
from streams.units import UNBOUNDED
from tests.builders import DAY, HOUR, NOON, interaction, invoice, order, prediction
from tests.folding import Folding, measured, policy_of, restored
from tests.measuring import Measuring, locale

DOWNLOADS = {"from": "interactions", "count": "DOWNLOAD", "window": "14d"}
MANY_DOWNLOADS = {**DOWNLOADS, "exact": 64}
ORDERS = {"from": "orders", "status": ["PAID"], "window": "30d"}
REVENUE = {**ORDERS, "sum": "amount"}


def test_a_record_counts_until_its_window_has_passed_and_not_a_millisecond_longer() -> None:
    m = Measuring(DOWNLOADS).fold(interaction(kind="DOWNLOAD"))
    assert (m.at(NOON), m.at(NOON + 14 * DAY - 1), m.at(NOON + 14 * DAY)) == (1, 1, 0)


def test_only_the_kinds_and_contents_that_are_named_count() -> None:
    m = Measuring({**DOWNLOADS, "count": ["DOWNLOAD", "VISIT"], "where": {"actor": "CUSTOMER", "channel": ["web", "app"]}})
    m.fold(interaction(kind="DOWNLOAD", channel="web"), interaction(kind="VISIT", channel="app"))
    m.fold(interaction(kind="CALL", channel="web"), interaction(kind="VISIT", channel="web", actor="OWNER"), interaction(kind="VISIT"))
    assert m.at(NOON) == 2


def test_a_truth_is_written_as_one() -> None:
    m = Measuring({**ORDERS, "count": "order", "where": {"recurring": True}}).fold(order(recurring=True), order())
    assert m.at(NOON) == 1


@pytest.mark.parametrize(
    ("spec", "expected"), [({"sum": "amount"}, 30.0), ({"maximum": "amount"}, 20.0), ({"mean": "amount"}, 10.0), ({"count": "order"}, 3.0)]
)
def test_money_is_measured_in_whole_units_and_zero_amounts_are_legal(spec: dict[str, Any], expected: float) -> None:
    m = Measuring({**ORDERS, **spec}).fold(order(amount_minor=1000), order(amount_minor=2000), order(amount_minor=0))
    assert m.at(NOON) == expected


def test_a_refund_takes_its_amount_out_from_its_own_time_for_a_window_of_its_own() -> None:
    m = Measuring(REVENUE).fold(
        order(amount_minor=100_00, order_id="o"), order(status="REFUNDED", amount_minor=40_00, order_id="o", at=NOON + DAY)
    )
    assert (m.at(NOON + DAY), m.at(NOON + 30 * DAY), m.at(NOON + 31 * DAY)) == (60.0, -40.0, 0.0)
    assert m.lines(NOON + DAY)[0].times == 1


def test_days_are_counted_once_and_end_with_their_latest_record_in_the_time_zone_of_the_policy() -> None:
    spec = {"from": "interactions", "distinct_days": "interaction", "window": "7d"}
    log = [interaction(at=NOON), interaction(at=NOON + 3 * HOUR), interaction(at=NOON + 5 * HOUR), interaction(at=NOON + 15 * HOUR)]
    in_utc, in_shanghai = Measuring(spec).fold(*log), Measuring(spec, at_home=locale("Asia/Shanghai")).fold(*reversed(log))
    assert (in_utc.at(NOON + 15 * HOUR), in_shanghai.at(NOON + 15 * HOUR)) == (2, 2)
    end_ms = NOON + 7 * DAY
    assert (in_utc.at(end_ms + 5 * HOUR - 1), in_utc.at(end_ms + 5 * HOUR)) == (2, 1)
    assert (in_shanghai.at(end_ms + 3 * HOUR - 1), in_shanghai.at(end_ms + 3 * HOUR)) == (2, 1)


def test_a_record_that_is_late_counts_as_long_as_it_would_have_and_one_whose_window_has_passed_not_at_all() -> None:
    m = Measuring(DOWNLOADS).fold(interaction(kind="DOWNLOAD"), interaction(kind="DOWNLOAD", at=NOON - 14 * DAY + 1))
    assert (m.at(NOON), m.at(NOON + 1)) == (2, 1)
    assert m.fold(interaction(kind="DOWNLOAD", at=NOON - 14 * DAY)).at(NOON) == 2


def test_a_window_whose_entries_all_fit_into_the_row_never_touches_the_dossier() -> None:
    m = Measuring(DOWNLOADS)
    m.fold(*(interaction(kind="DOWNLOAD", at=NOON + n * HOUR) for n in range(14 * 24)))
    assert (m.opened, m.at(NOON + 335 * HOUR)) == (0, 336)
    assert len(m.measure._entries_in(m.rows[0])) <= places(8, 14 * DAY)


def test_of_many_interactions_the_newest_eight_end_exactly_and_older_ones_with_their_day() -> None:
    m = Measuring(DOWNLOADS).fold(*(interaction(kind="DOWNLOAD", at=NOON + n * HOUR) for n in range(12)))
    end_ms = NOON + 14 * DAY
    assert [m.at(end_ms + n * HOUR) for n in range(13)] == [12, 12, 12, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]


def test_up_to_eight_entries_the_dossier_is_not_touched_and_afterwards_it_is_given_back() -> None:
    m = Measuring(MANY_DOWNLOADS).fold(*(interaction(kind="DOWNLOAD", at=NOON + n) for n in range(FEWEST_IN_ROW)))
    assert (m.opened, m.measure.fresh_until(m.rows[0])) == (0, UNBOUNDED)
    m.fold(interaction(kind="DOWNLOAD", at=NOON + FEWEST_IN_ROW))
    assert [len(entries) for entries in m.dossier.windows.values()] == [FEWEST_IN_ROW + 1]
    assert m.measure.fresh_until(m.rows[0]) < UNBOUNDED
    m.fold(interaction(kind="DOWNLOAD", at=NOON + 14 * DAY + 1))
    assert (m.dossier.windows, m.at(NOON + 14 * DAY + 1)) == ({}, 8)


def test_a_row_that_must_be_renewed_says_the_last_number_it_knows_and_bounds_that_hold() -> None:
    m = Measuring(MANY_DOWNLOADS).fold(*(interaction(kind="DOWNLOAD", at=NOON + n) for n in range(20)))
    end_ms = NOON + 14 * DAY + 20
    assert m.measure.fresh_until(m.rows[0]) == NOON + 14 * DAY + 6
    assert (m.measure.at(m.rows[0], end_ms), m.span(end_ms, end_ms)) == (13, (0, 13))
    assert m.at(end_ms) == 0


def test_evidence_says_how_many_records_are_behind_a_number() -> None:
    m = Measuring(REVENUE).fold(*(order(amount_minor=500, at=NOON + n) for n in range(9)))
    assert m.lines(NOON + 8) == [("amount", 45.0, 9, NOON + 8)]
    m.renew(NOON + 31 * DAY)
    assert m.lines(NOON + 31 * DAY) == []


def test_since_counts_from_the_latest_record_whatever_came_last_and_is_endless_before_the_first() -> None:
    m = Measuring({"from": "orders", "since": "last", "status": ["PAID"]})
    assert (m.at(NOON), m.lines(NOON)) == (float("inf"), [])
    m.fold(order(at=NOON), order(at=NOON - DAY), order(status="PLACED", at=NOON + DAY))
    assert (m.at(NOON + 2 * DAY), m.span(NOON, NOON + DAY)) == (2 * DAY, (0, DAY))


def test_since_can_be_of_some_kinds_only() -> None:
    m = Measuring({"from": "interactions", "since": "last", "kinds": ["CALL", "MEETING"]})
    assert m.fold(interaction(kind="CALL"), interaction(kind="VISIT", at=NOON + DAY)).at(NOON + DAY) == DAY


def test_a_ratio_is_what_the_policy_says_while_the_second_is_zero() -> None:
    others = {"again": {**ORDERS, "count": "order", "where": {"recurring": True}}, "orders": {**ORDERS, "count": "order"}}
    m = Measuring({"ratio": "again", "to": "orders", "while_zero": 0.5}, others)
    assert m.at(NOON) == 0.5
    assert m.fold(order(), order(recurring=True), order(), order()).at(NOON) == 0.25


def test_growth_is_a_change_as_a_share_of_what_it_was() -> None:
    """001-03: while there was nothing then, it is what the policy says."""
    growth = {"change": "revenue", "over": "30d", "relative": True, "while_zero": -1}
    m = Measuring(growth, {"revenue": REVENUE}).fold(order(amount_minor=10_000))
    assert m.at(NOON) == -1
    m.fold(order(amount_minor=12_000, at=NOON + 30 * DAY))
    assert m.at(NOON + 30 * DAY) == pytest.approx(0.2)
    assert (m.at(NOON + 60 * DAY - 1), m.at(NOON + 60 * DAY)) == (pytest.approx(0.2), -1)


def test_003_04_years_are_weighted_each_to_the_millisecond() -> None:
    m = Measuring({"from": "orders", "yearly_weighted": "amount", "weights": [0.5, 0.3, 0.2], "status": ["PAID"]})
    m.fold(order(amount_minor=10_000), order(amount_minor=4_000, status="REFUNDED", at=NOON + DAY))
    year = 365 * DAY
    looks = [NOON, NOON + DAY, NOON + year - 1, NOON + year, NOON + year + DAY, NOON + 2 * year + DAY, NOON + 3 * year + DAY]
    assert [m.at(at_ms) for at_ms in looks] == [50, 30, 30, 10, 18, 12, 0]


def test_001_02_an_invoice_is_on_time_up_to_its_due_date_and_one_that_is_not_paid_is_not() -> None:
    m = Measuring({"from": "invoices", "count": "invoice", "where": {"on_time": True}, "window": "365d"})
    m.fold(invoice(status="PAID", due_at=NOON, paid_at=NOON), invoice(status="PAID", due_at=NOON, paid_at=NOON + 1))
    m.fold(invoice(status="PAID", due_at=NOON), invoice(status="ISSUED", due_at=NOON + DAY), invoice(status="PAID", due_at=NOON - 1))
    assert m.at(NOON) == 2


def test_a_change_compares_this_window_with_the_one_before() -> None:
    m = Measuring({"change": "revenue", "over": "30d"}, {"revenue": REVENUE})
    m.fold(order(amount_minor=100_00), order(amount_minor=30_00, at=NOON + 30 * DAY))
    assert m.at(NOON + 30 * DAY) == 30.0 - 100.0
    assert (m.at(NOON + 60 * DAY - 1), m.at(NOON + 60 * DAY), m.at(NOON + 90 * DAY)) == (-70.0, -30.0, 0.0)


# -- money ---------------------------------------------------------------------------------------------------------------

RATES = {"USD": {"2024-01-01": 7.1, "2024-02-01": "7.25"}, "JPY": {"2024-01-01": 0.05}, "KWD": {"2024-01-01": 23}}
FEBRUARY = NOON + 22 * DAY


@pytest.mark.parametrize(
    ("amount_minor", "currency", "at", "yuan"),
    [
        (100, "USD", NOON, 7.1),
        (100, "USD", FEBRUARY, 7.25),
        (5, "USD", NOON, 0.36),  # 35.5 fen: halves up
        (2, "USD", FEBRUARY, 0.15),  # 14.5 fen
        (9, "USD", FEBRUARY, 0.65),  # 65.25 fen
        (100, "JPY", NOON, 5.0),  # no minor unit
        (1_000, "KWD", NOON, 23.0),  # three digits
        (2**53, "CNY", NOON, 2**53 / 100),
    ],
)
def test_money_is_converted_exactly_at_the_rate_of_its_day(amount_minor: int, currency: str, at: int, yuan: float) -> None:
    m = Measuring(REVENUE, at_home=locale(rates=RATES)).fold(order(amount_minor=amount_minor, currency=currency, at=at))
    assert m.at(at) == yuan


def test_a_rate_is_in_force_from_the_beginning_of_its_local_day() -> None:
    midnight = NOON + 22 * DAY - 12 * HOUR - 8 * HOUR  # 1 February in Shanghai
    at_home = locale("Asia/Shanghai", RATES)
    before, after = (
        Measuring(REVENUE, at_home=at_home).fold(order(amount_minor=100, currency="USD", at=at)) for at in (midnight - 1, midnight)
    )
    assert (before.at(midnight - 1), after.at(midnight)) == (7.1, 7.25)


@pytest.mark.parametrize(
    ("currency", "at", "said"), [("EUR", NOON, "(CNY, JPY, KWD, USD), got 'EUR'"), ("USD", NOON - 365 * DAY, "no rate before 2024-01-01")]
)
def test_money_that_nobody_has_a_rate_for_is_a_dead_letter_and_nothing_changes(currency: str, at: int, said: str) -> None:
    f = Folding(measured(REVENUE, rates=RATES))
    with pytest.raises(RecordRejected) as refused:
        f.fold(order(currency=currency, at=at))
    assert refused.value.reason is Reason.UNKNOWN_CURRENCY
    assert said in str(refused.value)
    assert (f.partition.view("acme"), f.keep()) == (None, [])
    f.fold(order(amount_minor=1000))
    before = f.view()
    f.keep()
    with pytest.raises(RecordRejected):
        f.fold(order(currency=currency, status="REFUNDED", at=at))
    assert (f.view(), f.keep()) == (before, [])


def test_a_policy_that_measures_no_money_asks_for_no_rate() -> None:
    f = Folding(measured({**ORDERS, "count": "order"}))
    f.fold(order(currency="XXX"))
    assert f.score() == 1.0


# -- in the fold -----------------------------------------------------------------------------------------------------------


def test_an_order_in_a_status_counts_once_and_in_another_status_again() -> None:
    f = Folding(measured({"from": "orders", "points": {"PLACED": 1, "PAID": 10}}))
    assert f.fate(order(status="PLACED", order_id="o")) is Fate.FOLDED
    assert f.fate(order(status="PAID", order_id="o")) is Fate.FOLDED
    assert f.fate(order(status="PAID", order_id="o", at=NOON + DAY)) is Fate.REPEATED
    assert f.fate(order("other", status="PAID", order_id="o")) is Fate.FOLDED
    assert (f.score(), f.view()["records"]) == (11.0, 2)


def test_a_repeated_order_is_known_after_a_restore() -> None:
    policy = measured({"from": "orders", "points": {"PAID": 10}})
    f = Folding(policy)
    f.fold(order(order_id="o"))
    f.keep()
    back = Folding(policy)
    back.partition = restored(f.changelog, policy)
    assert back.fate(order(order_id="o")) is Fate.REPEATED


def test_the_score_is_right_after_the_row_has_run_out_and_another_topic_moves_the_clock() -> None:
    policy = policy_of(
        measures={"m": {**ORDERS, "count": "order"}},
        dimensions={"d": {"linear": {"measure": "m", "from": 0, "to": 100}}, "ai": {"prediction": "p", "fallback": 0}},
        score={"d": 0.5, "ai": 0.5},
    )
    f = Folding(policy)
    f.fold(*(order(at=NOON + n * HOUR) for n in range(40)))
    for n in range(0, 45, 3):
        f.fold(prediction(model="p", score=0.0, at=NOON + 30 * DAY + n * HOUR))
        assert f.score() == max(39 - n, 0) / 2
    f.keep()
    assert restored(f.changelog, policy).view("acme") == f.view()


def test_tiers_fall_at_the_very_millisecond_at_which_a_record_leaves_its_window() -> None:
    f = Folding(measured({**ORDERS, "count": "order"}, high=20))
    f.fold(*(order(at=NOON + n * HOUR) for n in range(20)))
    assert f.tier() == "A"
    fallen = [output.record for output in f.partition.fold_tick(NOON + 32 * DAY, "LIVE", 0) if output.topic == "tier-transitions"]
    end_ms = NOON + 30 * DAY
    assert [(each.to_tier, each.effective_at, each.cause.kind) for each in fallen] == [
        ("B", end_ms + 4 * HOUR, "WINDOW"),
        ("C", end_ms + 8 * HOUR, "WINDOW"),
    ]


@pytest.mark.parametrize("kind", ["sum", "maximum", "mean"])
def test_no_number_that_a_record_may_carry_stops_the_fold(kind: str) -> None:
    f = Folding(measured({"from": "interactions", kind: "dwell_seconds", "window": "30d"}))
    f.fold(*(interaction(dwell_seconds=1.7e308, at=NOON + n) for n in range(20)))
    assert f.score() == 100.0
