"""What is asked of Prometheus. A metric that the catalogue does not have is a mistake here, not an empty panel.

Rules: every query is bound to the jobs that were chosen (`$job`), the projection's to its own (`$job-projection`); rates are over
`$__rate_interval`, counts over a step (`$__interval`) or all that is on the screen (`$__range`). What a panel says about a metric is
what the catalogue says.
"""

import re
from typing import NamedTuple

from agents.metric_catalogue import METRICS, PROJECTION

RATE, STEP, SHOWN = "$__rate_interval", "$__interval", "$__range"
_WORKERS, _PROJECTIONS, _BOTH = 'job=~"$job"', 'job=~"($job)-projection"', 'job=~"($job)(-projection)?"'
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_ALL = METRICS | PROJECTION
_PART = re.compile(r"_(bucket|sum|count)$")


class Query(NamedTuple):
    """One question; `legend` names its answers, with `{{label}}` where they differ."""

    expr: str
    legend: str = ""


def series(metric: str, *where: str, of: str = "") -> str:
    """One metric in the chosen jobs; `of` is a part of a histogram (`bucket`, `sum`, `count`), `where` are further matchers."""
    name = _ALL[metric].name + (f"_{of}" if of else "")
    jobs = _PROJECTIONS if metric in PROJECTION else _BOTH if metric.startswith("process_") else _WORKERS
    return f"{name}{{{', '.join((jobs, *where))}}}"


def rate(metric: str, *where: str, by: str = "", of: str = "") -> str:
    """How fast a counter grows, added up."""
    return _added(f"rate({series(metric, *where, of=of)}[{RATE}])", by)


def grown(metric: str, *where: str, by: str = "", of: str = "") -> str:
    """By how much a counter has grown in the time on the screen."""
    return _added(f"increase({series(metric, *where, of=of)}[{SHOWN}])", by)


def total(metric: str, *where: str, by: str = "") -> str:
    """A gauge, added up."""
    return _added(series(metric, *where), by)


def most(metric: str, *where: str, by: str = "") -> str:
    """The highest of a gauge."""
    return f"max by ({by}) ({series(metric, *where)})" if by else f"max({series(metric, *where)})"


def least(metric: str) -> str:
    """The lowest of a gauge."""
    return f"min({series(metric)})"


def each_step(metric: str, *where: str, by: str = "") -> str:
    """By how much a counter has grown in each step of the time on the screen: the steps add up to the whole."""
    return _added(f"increase({series(metric, *where)}[{STEP}])", by)


def quantile(share: float, metric: str, *where: str, by: str = "") -> str:
    """What this share of a histogram's observations stays below."""
    kept = ", ".join(["le", *([by] if by else [])])
    return f"histogram_quantile({share}, {rate(metric, *where, by=kept, of='bucket')})"


def quantiles(metric: str, *where: str) -> list[Query]:
    """Half, nine of ten, 99 of 100, 999 of 1,000."""
    return [Query(quantile(share, metric, *where), name) for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"))]


def or_nothing(expr: str) -> str:
    """0 where there is no such series: what a healthy engine never counts has no series."""
    return f"{expr} or vector(0)"


def about(*metrics: str) -> str:
    """What the catalogue says of these metrics, for people."""
    return "\n\n".join(_plain(f"{_ALL[name].means} {_sentence(_ALL[name].reading)}") for name in metrics)


def _added(expr: str, by: str) -> str:
    return f"sum by ({by}) ({expr})" if by else f"sum({expr})"


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _plain(text: str) -> str:
    """Without links, which lead from the page of the metrics and nowhere else."""
    return _LINK.sub(r"\1", text).strip()


def metrics_of(expr: str) -> set[str]:
    """The metrics of the catalogue that a query names."""
    named = {name if name in _ALL else _PART.sub("", name) for name in re.findall(r"\w+", expr)}
    return named & set(_ALL)
