"""The lanes' counters as Prometheus reads them. Nothing is counted here: a scrape reads what the lanes have counted.

Names follow Prometheus' conventions: seconds, `_total`, one prefix. Totals are of this process, over all partitions it ever had.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from agents.counters import Histogram, LaneCounters
from agents.lanes import Lanes

STATES = ("restoring", "running", "paused", "stopped")

_Labels = TypeVar("_Labels", bound=tuple[str, ...])


class LaneCollector:
    """Reads the counters of every partition at the moment of the scrape. `by_number`: counters by partition."""

    def __init__(self, by_number: Mapping[int, LaneCounters]) -> None:
        self._by_number = by_number

    def collect(self) -> Iterator[Metric]:
        """Every metric family of tierstream."""
        lanes = sorted(self._by_number.items())
        counters = [counted for _, counted in lanes]
        yield _lag(counters)
        yield _total(
            "events",
            "Input records folded and committed.",
            ["topic"],
            _by(counters, _events),
        )
        yield _total("outputs", "Records published.", ["topic", "scheme", "direction", "cause"], _by(counters, lambda c: c.outputs))
        yield _total("dead_letters", "Input records refused.", ["topic", "reason"], _by(counters, lambda c: c.dead_letters))
        yield from _plain_totals(counters)
        commits = HistogramMetricFamily("tierstream_commit_seconds", "Duration of committing a transaction.")
        commits.add_metric([], *_seconds(_summed([c.commit_ms for c in counters])))
        yield commits
        yield from _by_partition(lanes)


def exposition(lanes: Lanes) -> bytes:
    """The whole page that Prometheus scrapes."""
    registry = CollectorRegistry()
    registry.register(LaneCollector(dict(lanes.counters)))
    return generate_latest(registry)


def _events(counted: LaneCounters) -> dict[tuple[str, ...], int]:
    return {(topic,): count for topic, count in dict(counted.events).items()}


def _lag(counters: list[LaneCounters]) -> Metric:
    family = HistogramMetricFamily(
        "tierstream_scoring_lag_seconds", "From a record's append to the commit of all that follows from it.", labels=["topic"]
    )
    for topic in sorted({topic for counted in counters for topic in dict(counted.lag_ms)}):
        family.add_metric([topic], *_seconds(_summed([counted.lag_ms[topic] for counted in counters if topic in counted.lag_ms])))
    return family


def _plain_totals(counters: list[LaneCounters]) -> Iterator[Metric]:
    totals: list[tuple[str, str, Callable[[LaneCounters], float]]] = [
        ("commits", "Transactions committed.", lambda c: c.commits),
        ("aborts", "Transactions aborted and sent again.", lambda c: c.aborts),
        ("changelog_records", "Rows, dossiers and layouts written to the changelog.", lambda c: c.changes),
        ("replayed_records", "Records below the lane's position, dropped; anything but 0 is worth a look.", lambda c: c.replayed),
        ("restored_records", "Changelog records read while taking partitions.", lambda c: c.restored),
        ("fold_seconds", "Time spent folding.", lambda c: c.fold_s),
    ]
    for name, documentation, count in totals:
        yield CounterMetricFamily(f"tierstream_{name}", documentation, value=sum(map(count, counters)))


def _by_partition(lanes: list[tuple[int, LaneCounters]]) -> Iterator[Metric]:
    states = GaugeMetricFamily("tierstream_lane_state", "1 for the state that the lane is in.", labels=["partition", "state"])
    accounts = GaugeMetricFamily("tierstream_accounts", "Accounts in memory.", labels=["partition"])
    buffered = GaugeMetricFamily("tierstream_buffered_records", "Records read and not folded yet.", labels=["partition", "topic"])
    restore = GaugeMetricFamily("tierstream_restore_seconds", "Duration of the last restore.", labels=["partition"])
    for number, counted in lanes:
        for state in STATES:
            states.add_metric([str(number), state], float(counted.state == state))
        accounts.add_metric([str(number)], counted.accounts)
        restore.add_metric([str(number)], counted.restore_s)
        for topic, waiting in dict(counted.buffered).items():
            buffered.add_metric([str(number), topic], waiting)
    yield from (states, accounts, buffered, restore)


def _by(counters: Iterable[LaneCounters], counts: Callable[[LaneCounters], Mapping[_Labels, int]]) -> Counter[_Labels]:
    """One kind of count, added up over partitions."""
    total: Counter[_Labels] = Counter()
    for counted in counters:
        total.update(dict(counts(counted)))
    return total


def _total(name: str, documentation: str, labels: list[str], counts: Mapping[_Labels, int]) -> Metric:
    family = CounterMetricFamily(f"tierstream_{name}", documentation, labels=labels)
    for label_values, count in sorted(counts.items()):
        family.add_metric(list(label_values), count)
    return family


def _summed(histograms: list[Histogram]) -> Histogram | None:
    if not histograms:
        return None
    total = Histogram(histograms[0].bounds)
    for histogram in histograms:
        total.counts = [mine + theirs for mine, theirs in zip(total.counts, histogram.counts, strict=True)]
        total.total += histogram.total
    return total


def _seconds(histogram: Histogram | None) -> tuple[list[tuple[str, float]], float]:
    """Cumulative buckets and sum, from milliseconds to seconds."""
    if histogram is None:
        return [("+Inf", 0.0)], 0.0
    buckets, seen = [], 0
    for bound, count in zip((*(str(bound / 1000) for bound in histogram.bounds), "+Inf"), histogram.counts, strict=True):
        seen += count
        buckets.append((bound, float(seen)))
    return buckets, histogram.total / 1000
