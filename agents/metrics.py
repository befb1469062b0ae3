"""The lanes' counters as Prometheus reads them. Nothing is counted here: a scrape reads what the lanes have counted.

`metric_catalogue.py` says what there is; this page says where each figure is read. Totals are of this process, over all partitions it
ever had; gauges are of one partition each. A scrape asks no broker: where the inputs end is seen by a thread (`lagging.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from platform import python_version
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from agents.counters import Histogram, LaneCounters
from agents.lagging import Lag, Lagging
from agents.lanes import Lanes
from agents.metric_catalogue import METRICS, MetricSpec
from agents.settings import Settings
from streams.policy import CompiledPolicy
from streams.reviewing import review_due_ms, reviewed_ms

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
    "tierstream_fences_total": lambda c: {(): c.fences},
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
    "tierstream_restore_remaining_records": lambda c: {} if c.restore_left is None else {(): c.restore_left},
    "tierstream_overdue_accounts": lambda c: {(): c.overdue} if c.state in _HERE else {},
    "tierstream_policy_info": lambda c: _of_policy(c, lambda p: ((p.name, p.version, p.digest), 1.0)),
    "tierstream_policy_reviewed_timestamp_seconds": lambda c: _of_policy(c, lambda p: ((), reviewed_ms(p) / 1e3)),
    "tierstream_policy_review_due_timestamp_seconds": lambda c: _of_policy(c, lambda p: ((), review_due_ms(p) / 1e3)),
}
"""For one partition; its number comes first among the labels."""

_LAGS: dict[str, Callable[[Lag], float]] = {
    "kafka_consumergroup_group_lag": lambda lag: lag.offsets,
    "kafka_consumergroup_group_lag_seconds": lambda lag: lag.seconds,
    "kafka_consumergroup_group_offset": lambda lag: lag.folded_to,
    "kafka_partition_latest_offset": lambda lag: lag.end,
}
_OF_THE_PROCESS: dict[str, Callable[[Settings], _Numbers]] = {
    "tierstream_build_info": lambda _: {(version("tierstream"), python_version()): 1.0},
    "tierstream_worker_info": lambda settings: {(settings.application_id, settings.clock): 1.0},
    "tierstream_partitions": lambda settings: {(): settings.partitions},
}


class LaneCollector:
    """Reads the counters of every partition at the moment of the scrape. `by_number`: counters by partition."""

    def __init__(self, by_number: Mapping[int, LaneCounters]) -> None:
        self._by_number = by_number

    def collect(self) -> Iterator[Metric]:
        """Every metric of the lanes."""
        lanes = dict(sorted(self._by_number.items()))
        for metric in METRICS.values():
            if metric.name in _TOTALS:
                yield _total(metric, [_TOTALS[metric.name](counted) for counted in lanes.values()])
            elif metric.name in _HISTOGRAMS:
                yield _histogram(metric, [_HISTOGRAMS[metric.name](counted) for counted in lanes.values()])
            elif metric.name in _GAUGES:
                yield _gauge(metric, {number: _GAUGES[metric.name](counted) for number, counted in lanes.items()})


class WorkerCollector:
    """Reads what is known of the whole worker: how far behind its inputs it is, and what it was started as."""

    def __init__(self, lagging: Lagging, settings: Settings) -> None:
        self._lagging, self._settings = lagging, settings

    def collect(self) -> Iterator[Metric]:
        """Every metric that is of the worker and not of its lanes' counters."""
        lags = list(self._lagging.lags())
        group = f"{self._settings.topic_prefix}{self._settings.application_id}"
        for name, read in _LAGS.items():
            family = GaugeMetricFamily(name, METRICS[name].means, labels=METRICS[name].labels)
            for lag in lags:
                place = {"partition": str(lag.number), "topic": self._settings.topic_name(lag.topic), "group": group}
                family.add_metric([place[label] for label in METRICS[name].labels], read(lag))
            yield family
        for name, told in _OF_THE_PROCESS.items():
            family = GaugeMetricFamily(name, METRICS[name].means, labels=METRICS[name].labels)
            for labels, gauged in told(self._settings).items():
                family.add_metric(labels, gauged)
            yield family


def exposition(lanes: Lanes, lagging: Lagging, settings: Settings) -> bytes:
    """The whole page that Prometheus scrapes."""
    registry = CollectorRegistry()
    registry.register(LaneCollector(dict(lanes.counters)))
    registry.register(WorkerCollector(lagging, settings))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _of_policy(counted: LaneCounters, read: Callable[[CompiledPolicy], tuple[_Labels, float]]) -> _Numbers:
    """What is read off the policy by which a lane that is here decides."""
    in_force = counted.policy
    return {} if in_force is None or counted.state not in _HERE else dict([read(in_force())])


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
