"""What Prometheus reads from a projecting process (`agents/metric_catalogue.py`), off the counters at the moment of the scrape."""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from agents.metric_catalogue import PROJECTION, MetricSpec
from agents.projecting.counting import ProjectionCounters

_Labels = tuple[str, ...]
_Numbers = Mapping[_Labels, float]
_HERE = ("running", "paused")

_TOTALS: dict[str, Callable[[ProjectionCounters], _Numbers]] = {
    "tierstream_projection_records_total": lambda c: _by(c.events),
    "tierstream_projection_changes_total": lambda c: _by(c.changed),
    "tierstream_projection_unchanged_total": lambda c: _by(c.unchanged),
    "tierstream_projection_unreadable_total": lambda c: {(): c.unreadable},
    "tierstream_projection_repeats_total": lambda c: {(): c.repeats},
    "tierstream_projection_rebuilds_total": lambda c: {(): c.rebuilds},
}
"""Added up over partitions."""
_GAUGES: dict[str, Callable[[ProjectionCounters], _Numbers]] = {
    "tierstream_projection_read_timestamp_seconds": lambda c: {} if c.read_at_ms is None else {(): c.read_at_ms / 1e3},
    "tierstream_projection_behind_records": lambda c: _by(c.behind),
}
"""Of one partition; its number comes first among the labels."""


class ProjectionCollector:
    """Reads the counters of every partition that this process has or had. `by_number`: counters by partition."""

    def __init__(self, by_number: Mapping[int, ProjectionCounters]) -> None:
        self._by_number = by_number

    def collect(self) -> Iterator[Metric]:
        """Every metric of the table above."""
        for metric in PROJECTION.values():
            if metric.type == "histogram":
                yield self._lag(metric)
            elif metric.name in _TOTALS:
                yield self._total(metric)
            else:
                yield self._gauge(metric)

    def _total(self, metric: MetricSpec) -> Metric:
        family = CounterMetricFamily(metric.name, metric.means, labels=metric.labels)
        totals: dict[_Labels, float] = {} if metric.labels else {(): 0.0}
        for counted in self._by_number.values():
            for labels, count in _TOTALS[metric.name](counted).items():
                totals[labels] = totals.get(labels, 0.0) + count
        for labels, total in sorted(totals.items()):
            family.add_metric(labels, total)
        return family

    def _gauge(self, metric: MetricSpec) -> Metric:
        family = GaugeMetricFamily(metric.name, metric.means, labels=metric.labels)
        for number, counted in self._by_number.items():
            for labels, gauged in _GAUGES[metric.name](counted).items() if counted.state in _HERE else ():
                family.add_metric([str(number), *labels], gauged)
        return family

    def _lag(self, metric: MetricSpec) -> Metric:
        family = HistogramMetricFamily(metric.name, metric.means, labels=metric.labels)
        for topic in sorted({topic for counted in self._by_number.values() for topic in dict(counted.lag_ms)}):
            lags = [lag for counted in self._by_number.values() if (lag := counted.lag_ms.get(topic)) is not None]
            counts = accumulate(sum(at) for at in zip(*(lag.counts for lag in lags), strict=True))
            bounds = [*(str(bound / 1000) for bound in lags[0].bounds), "+Inf"]
            family.add_metric([topic], list(zip(bounds, map(float, counts), strict=True)), sum(lag.total for lag in lags) / 1000)
        return family


def exposition(by_number: Mapping[int, ProjectionCounters]) -> bytes:
    """The whole page that Prometheus scrapes."""
    registry = CollectorRegistry()
    registry.register(ProjectionCollector(dict(by_number)))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _by(counts: Mapping[str, int]) -> dict[_Labels, float]:
    """A copy, taken at once: the partition's thread goes on counting."""
    return {(label,): count for label, count in dict(counts).items()}
