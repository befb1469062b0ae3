"""The laws of windows: what a measure says is what plain arithmetic over the records says, at every instant, in any order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Interaction, Order
from tests.builders import DAY, HOUR, NOON, interaction, order
from tests.measuring import Measuring, locale

WINDOW = 5 * DAY
_AT = st.one_of(st.integers(0, 12 * DAY), st.integers(0, 12).map(lambda day: day * DAY), st.integers(0, 40).map(lambda h: h * HOUR))
_ORDERS = st.builds(
    lambda after, status, amount: order(status=status, amount_minor=amount, at=NOON + after),
    _AT,
    st.sampled_from(["PAID", "PAID", "PAID", "PLACED", "REFUNDED"]),
    st.sampled_from([0, 1, 99, 12_345, 2_000_000]),
)
LOGS = st.lists(_ORDERS, min_size=1, max_size=40)
KINDS: dict[str, dict[str, Any]] = {
    "count": {"count": "order"},
    "sum": {"sum": "amount"},
    "maximum": {"maximum": "amount"},
    "mean": {"mean": "amount"},
    "distinct_days": {"distinct_days": "order"},
}
WINDOWED = st.sampled_from(sorted(KINDS))


def windowed(kind: str) -> dict[str, Any]:
    return {"from": "orders", "status": ["PAID"], "window": "5d", **KINDS[kind]}


def plain(kind: str, log: list[Order], at_ms: int) -> float:
    """What the window is worth, told by arithmetic alone."""
    inside = [record for record in log if record.occurred_at <= at_ms < record.occurred_at + WINDOW]
    paid = [record for record in inside if record.status == "PAID"]
    back = sum(record.amount_minor for record in inside if record.status == "REFUNDED")
    amounts = [record.amount_minor for record in paid]
    match kind:
        case "count":
            return len(paid)
        case "sum":
            return (sum(amounts) - back) / 100
        case "maximum":
            return max(amounts, default=0) / 100
        case "mean":
            return sum(amounts) / len(amounts) / 100 if amounts else 0.0
        case _:
            return len({record.occurred_at // DAY for record in paid})


def instants(log: list[Order], clock_ms: int) -> list[int]:
    """Every instant from the clock on at which anything can change, with its neighbours."""
    ends = {record.occurred_at + shift for record in log for shift in (WINDOW, 2 * WINDOW)}
    return sorted({at_ms + near for at_ms in ends for near in (-1, 0, 1) if at_ms + near >= clock_ms} | {clock_ms})


def close(one: float, two: float) -> bool:
    return abs(one - two) <= 1e-9 * max(1.0, abs(two))


@settings(deadline=None)
@given(WINDOWED, LOGS)
def test_a_window_is_worth_what_arithmetic_says_whenever_it_is_asked(kind: str, log: list[Order]) -> None:
    m = Measuring(windowed(kind))
    for place, record in enumerate(log, 1):
        m.fold(record)
        assert close(m.at(m.clock_ms), plain(kind, log[:place], m.clock_ms))
    for at_ms in instants(log, m.clock_ms):
        assert close(m.at(at_ms), plain(kind, log, at_ms))


@settings(deadline=None)
@given(WINDOWED, LOGS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(kind: str, log: list[Order], random: Any) -> None:
    other = list(log)
    random.shuffle(other)
    one, two = Measuring(windowed(kind)).fold(*log), Measuring(windowed(kind)).fold(*other)
    assert [one.at(at_ms) for at_ms in instants(log, one.clock_ms)] == [two.at(at_ms) for at_ms in instants(log, one.clock_ms)]


@settings(deadline=None)
@given(WINDOWED, LOGS, st.data())
def test_bounds_hold_at_every_instant_between_without_a_renewal(kind: str, log: list[Order], data: st.DataObject) -> None:
    spec = windowed(kind)
    if kind != "distinct_days" and data.draw(st.booleans()):
        m = Measuring({"change": "w", "over": data.draw(st.sampled_from(["2d", "5d", "9d"]))}, {"w": spec})
    else:
        m = Measuring(spec)
    m.fold(*log)
    looks = instants(log, m.clock_ms)
    from_ms = data.draw(st.sampled_from(looks))
    to_ms = data.draw(st.sampled_from([at_ms for at_ms in looks if at_ms >= from_ms]))
    span, fresh_until_ms = m.span(from_ms, to_ms), m.measure.fresh_until(m.rows[0])
    if from_ms == to_ms < fresh_until_ms:
        assert span.low == span.high == m.at(from_ms)
    for at_ms in looks:
        if from_ms <= at_ms <= to_ms:
            assert span.low - 1e-9 <= m.at(at_ms) <= span.high + 1e-9


@settings(deadline=None)
@given(st.sampled_from(["count", "sum", "maximum", "mean"]), LOGS, st.sampled_from([1, 2, 5, 9]))
def test_a_change_is_the_window_now_less_the_window_then(kind: str, log: list[Order], days: int) -> None:
    m = Measuring({"change": "w", "over": f"{days}d"}, {"w": windowed(kind)}).fold(*log)
    ends = {record.occurred_at + shift for record in log for shift in (WINDOW, days * DAY, WINDOW + days * DAY)}
    for at_ms in sorted({at_ms for at_ms in ends if at_ms >= m.clock_ms} | {m.clock_ms}):
        assert abs(m.at(at_ms) - (plain(kind, log, at_ms) - plain(kind, log, at_ms - days * DAY))) < 1e-6


@settings(deadline=None)
@given(WINDOWED, LOGS, st.integers(0, 40))
def test_a_restored_window_goes_on_as_if_nothing_had_happened(kind: str, log: list[Order], cut: int) -> None:
    one, two = Measuring(windowed(kind)).fold(*log), Measuring(windowed(kind)).fold(*log[:cut])
    two.restore()
    two.fold(*log[cut:])
    assert (one.rows.tobytes(), one.dossier) == (two.rows.tobytes(), two.dossier)


@settings(deadline=None)
@given(st.lists(_AT, min_size=9, max_size=60), st.sampled_from(["UTC", "Asia/Shanghai"]))
def test_beyond_the_exact_entries_a_record_counts_up_to_a_day_too_long_and_never_too_short(afters: list[int], timezone: str) -> None:
    log = [interaction(at=NOON + after) for after in sorted(afters)]
    spec = {"from": "interactions", "count": "VISIT", "window": "5d", "exact": 8}
    m = Measuring(spec, at_home=locale(timezone)).fold(*log)
    for after in range(0, 7 * DAY, 5 * HOUR):
        at_ms = m.clock_ms + after
        assert _counted(log, at_ms, WINDOW) <= m.at(at_ms) <= _counted(log, at_ms, WINDOW + DAY)


def _counted(log: list[Interaction], at_ms: int, window_ms: int) -> int:
    return sum(record.occurred_at <= at_ms < record.occurred_at + window_ms for record in log)


@settings(deadline=None)
@given(LOGS)
def test_a_ratio_lies_within_its_bounds(log: list[Order]) -> None:
    others = {"paid": windowed("sum"), "orders": windowed("count")}
    m = Measuring({"ratio": "paid", "to": "orders", "while_zero": -1}, others).fold(*log)
    looks = instants(log, m.clock_ms)
    for from_ms, to_ms in zip(looks, looks[3:], strict=False):
        span = m.span(from_ms, to_ms)
        between = [at_ms for at_ms in looks if from_ms <= at_ms <= to_ms]
        for at_ms in between:
            count = plain("count", log, at_ms)
            m.renew(at_ms)
            assert close(m.at(at_ms), plain("sum", log, at_ms) / count if count else -1)
            assert span.low - 1e-9 <= m.at(at_ms) <= span.high + 1e-9
