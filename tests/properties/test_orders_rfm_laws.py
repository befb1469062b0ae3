"""The grading by orders (002-21) against plain arithmetic: every change, at the very millisecond, whoever makes time pass."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Order, TierTransition
from streams.account import Output
from tests.builders import DAY, HOUR, NOON, order
from tests.folding import Folding, shipped

YEAR = 365 * DAY
Change = tuple[str, str, int]

_GAPS = st.one_of(st.integers(0, 40 * DAY), st.sampled_from([0, 0, 1, 30 * DAY, 90 * DAY, YEAR - 1, YEAR, HOUR]))
_STORIES = st.lists(st.tuples(_GAPS, st.sampled_from([0, 1_000, 30_000, 99_900, 600_000])), min_size=1, max_size=30)


def told(story: list[tuple[int, int]]) -> list[Order]:
    """Orders one after the other."""
    at_ms, log = NOON, []
    for gap_ms, amount_minor in story:
        at_ms += gap_ms
        log.append(order(amount_minor=amount_minor, at=at_ms))
    return log


def tier(log: list[Order], at_ms: int) -> str:
    """The tier by arithmetic alone."""
    inside = [record for record in log if at_ms < record.occurred_at + YEAR]
    silent, money = at_ms - max(record.occurred_at for record in log), sum(record.amount_minor for record in inside)
    recency = 100 - 25 * sum(silent >= days * DAY for days in (30, 90, 180, 365))
    frequency = 25 * sum(len(inside) >= least for least in (1, 2, 4, 8))
    monetary = 25 * sum(money >= yuan * 100 for yuan in (300, 800, 2000, 5000))
    tenths = 4 * recency + 3 * frequency + 3 * monetary
    return "S" if tenths >= 800 else "A" if tenths >= 600 else "B" if tenths >= 400 else "C"


def expected(log: list[Order], until_ms: int) -> list[Change]:
    """Every change of tier, by looking at every instant at which anything can change."""
    changes: list[Change] = []
    held = "C"
    for place in range(1, len(log) + 1):
        known = log[:place]
        now_ms = known[-1].occurred_at
        next_ms = log[place].occurred_at if place < len(log) else until_ms
        ends = {record.occurred_at + days * DAY for record in known for days in (30, 90, 180, 365)}
        for at_ms in [now_ms, *sorted(end for end in ends if now_ms < end <= next_ms)]:
            if (reached := tier(known, at_ms)) != held:
                changes.append((held, reached, at_ms))
                held = reached
    return changes


def changes_of(outputs: list[Output]) -> list[Change]:
    records: list[Any] = [output.record for output in outputs if isinstance(output.record, TierTransition)]
    return [(each.from_tier, each.to_tier, each.effective_at) for each in records]


@settings(deadline=None)
@given(_STORIES, st.lists(st.integers(0, 3 * YEAR), max_size=6))
def test_every_change_comes_at_its_exact_time_with_and_without_ticks_between(story: list[tuple[int, int]], ticks: list[int]) -> None:
    log = told(story)
    until_ms = log[-1].occurred_at + YEAR + DAY
    f, seen = Folding(shipped("orders-rfm")), list[Change]()
    moments: list[tuple[int, Order | None]] = [(record.occurred_at, record) for record in log]
    moments += [(NOON + after, None) for after in ticks if NOON + after < log[-1].occurred_at]
    for at_ms, record in sorted(moments, key=lambda moment: (moment[0], moment[1] is None)):
        if record is None:
            seen += changes_of(f.partition.fold_tick(at_ms, "BACKFILL", 0))
        else:
            seen += changes_of(f.step(f.placed(record), record).outputs)
    seen += changes_of(f.partition.fold_tick(until_ms, "BACKFILL", 0))
    assert seen == expected(log, until_ms)
