"""The lanes' counters as Prometheus reads them. Nothing is counted here: a scrape reads what the lanes have counted.

`metric_catalogue.py` says what there is; this page says where each figure is read. Totals are of this process, over all partitions it
ever had; gauges are of one partition each.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from agents.counters import Histogram, LaneCounters
from agents.lanes import Lanes
from agents.metric_catalogue import METRICS, MetricSpec

STATES = ("restoring", "running", "paused", "stopped")
_HERE = ("running", "paused")

_Labels = tuple[str, ...]
_Numbers = Mapping[_Labels, float]

_TOTALS: dict[str, Callable[[LaneCounters], _Numbers]] = {
    "tierstream_events_total": lambda c: _by(c.events),
    "tierstream_outputs_total": lambda c: _by(c.outputs),
    "tierstream_transitions_total": lambda c: _by(c.transitions),
    "tierstream_hot_leads_total": lambda c: _by(c.hot_leads),
    "tierstream_actions_total": lambda c: _by(c.actions),
    "tierstream_dead_letters_total": lambda c: _by(c.dead_letters),
    "tierstream_ticks_total": lambda c: {(): c.ticks},
    "tierstream_accounts_moved_by_time_total": lambda c: {(): c.moved_by_time},
    "tierstream_commits_total": lambda c: {(): c.commits},
    "tierstream_aborts_total": lambda c: {(): c.aborts},
    "tierstream_changelog_records_total": lambda c: {(): c.changes},
    "tierstream_fold_seconds_total": lambda c: {(): c.fold_s},
    "tierstream_handed_over_total": lambda c: _by(c.handed),
    "tierstream_accounts_due_total": lambda c: {(): c.due},
    "tierstream_replayed_records_total": lambda c: {(): c.replayed},
    "tierstream_restored_records_total": lambda c: {(): c.restored},
}
_HISTOGRAMS: dict[str, Callable[[LaneCounters], Mapping[_Labels, Histogram]]] = {
    "tierstream_scoring_lag_seconds": lambda c: {(topic,): lags for topic, lags in dict(c.lag_ms).items()},
    "tierstream_deadline_lateness_seconds": lambda c: {(cause,): late for cause, late in dict(c.lateness_ms).items()},
    "tierstream_commit_seconds": lambda c: {(): c.commit_ms},
}
_GAUGES: dict[str, Callable[[LaneCounters], _Numbers]] = {
    "tierstream_last_tick_timestamp_seconds": lambda c: (
        {} if c.last_tick_ms is None or c.state not in _HERE else {(): c.last_tick_ms / 1e3}
    ),
    "tierstream_lane_state": lambda c: {(state,): float(c.state == state) for state in STATES},
    "tierstream_accounts": lambda c: {(): c.accounts},
    "tierstream_tier_accounts": lambda c: _by(c.population) if c.state in _HERE else {},
    "tierstream_buffered_records": lambda c: _by(c.buffered),
    "tierstream_restore_seconds": lambda c: {(): c.restore_s},
}
"""For one partition; its number comes first among the labels."""


class LaneCollector:
    """Reads the counters of every partition at the moment of the scrape. `by_number`: counters by partition."""

    def __init__(self, by_number: Mapping[int, LaneCounters]) -> None:
        self._by_number = by_number

    def collect(self) -> Iterator[Metric]:
        """Every metric of the catalogue."""
        lanes = dict(sorted(self._by_number.items()))
        for metric in METRICS.values():
            match metric.type:
                case "counter":
                    yield _total(metric, [_TOTALS[metric.name](counted) for counted in lanes.values()])
                case "histogram":
                    yield _histogram(metric, [_HISTOGRAMS[metric.name](counted) for counted in lanes.values()])
                case "gauge":
                    yield _gauge(metric, {number: _GAUGES[metric.name](counted) for number, counted in lanes.items()})


def exposition(lanes: Lanes) -> bytes:
    """The whole page that Prometheus scrapes."""
    registry = CollectorRegistry()
    registry.register(LaneCollector(dict(lanes.counters)))
    return generate_latest(registry)


def _by(counts: Mapping[Any, int]) -> dict[_Labels, float]:
    """A copy, taken at once: the lane goes on counting."""
    return {labels if isinstance(labels, tuple) else (labels,): count for labels, count in dict(counts).items()}


def _total(metric: MetricSpec, parts: list[_Numbers]) -> Metric:
    """One kind of count, added up over partitions."""
    family = CounterMetricFamily(metric.name, metric.means, labels=metric.labels)
    total: defaultdict[_Labels, float] = defaultdict(float, {} if metric.labels else {(): 0.0})
    for labels, count in (each for part in parts for each in part.items()):
        total[labels] += count
    for labels, count in sorted(total.items()):
        family.add_metric(labels, count)
    return family


def _gauge(metric: MetricSpec, by_number: Mapping[int, _Numbers]) -> Metric:
    family = GaugeMetricFamily(metric.name, metric.means, labels=metric.labels)
    for number, found in by_number.items():
        for labels, gauged in found.items():
            family.add_metric([str(number), *labels], gauged)
    return family


def _histogram(metric: MetricSpec, parts: list[Mapping[_Labels, Histogram]]) -> Metric:
    """Observations in milliseconds, added up over partitions, in seconds."""
    family = HistogramMetricFamily(metric.name, metric.means, labels=metric.labels)
    for labels in sorted({labels for part in parts for labels in part} | (set() if metric.labels else {()})):
        family.add_metric(labels, *_seconds([part[labels] for part in parts if labels in part]))
    return family


def _seconds(histograms: list[Histogram]) -> tuple[list[tuple[str, float]], float]:
    """Cumulative buckets and sum of several histograms with the same bounds."""
    if not histograms:
        return [("+Inf", 0.0)], 0.0
    bounds = [*(str(bound / 1000) for bound in histograms[0].bounds), "+Inf"]
    counts = [sum(at) for at in zip(*(histogram.counts for histogram in histograms), strict=True)]
    return list(zip(bounds, map(float, accumulate(counts)), strict=True)), sum(histogram.total for histogram in histograms) / 1000
