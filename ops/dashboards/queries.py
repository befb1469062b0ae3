"""What is asked of Prometheus. A metric that the catalogue does not have is a mistake here, not an empty panel.

Rules: every query is bound to the jobs that were chosen (`$job`); rates are over `$__rate_interval`, sums over what is on the screen
(`$__range`). What a panel says about a metric is what the catalogue says.
"""

import re
from typing import NamedTuple

from agents.metric_catalogue import METRICS

RATE, SHOWN = "$__rate_interval", "$__range"
_JOBS = 'job=~"$job"'
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_PART = re.compile(r"_(bucket|sum|count)$")


class Query(NamedTuple):
    """One question; `legend` names its answers, with `{{label}}` where they differ."""

    expr: str
    legend: str = ""


def series(metric: str, *where: str, of: str = "") -> str:
    """One metric in the chosen jobs; `of` is a part of a histogram (`bucket`, `sum`, `count`), `where` are further matchers."""
    name = METRICS[metric].name + (f"_{of}" if of else "")
    return f"{name}{{{', '.join((_JOBS, *where))}}}"


def rate(metric: str, *where: str, by: str = "", of: str = "") -> str:
    """How fast a counter grows, added up."""
    return _added(f"rate({series(metric, *where, of=of)}[{RATE}])", by)


def grown(metric: str, *where: str, by: str = "", of: str = "") -> str:
    """By how much a counter has grown in the time on the screen."""
    return _added(f"increase({series(metric, *where, of=of)}[{SHOWN}])", by)


def total(metric: str, *where: str, by: str = "") -> str:
    """A gauge, added up."""
    return _added(series(metric, *where), by)


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
    return "\n\n".join(_plain(f"{METRICS[name].means} {_sentence(METRICS[name].reading)}") for name in metrics)


def _added(expr: str, by: str) -> str:
    return f"sum by ({by}) ({expr})" if by else f"sum({expr})"


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _plain(text: str) -> str:
    """Without links, which lead from the page of the metrics and nowhere else."""
    return _LINK.sub(r"\1", text).strip()


def metrics_of(expr: str) -> set[str]:
    """The metrics of ours that a query names."""
    return {_PART.sub("", name) if name not in METRICS else name for name in re.findall(r"\btierstream_\w+", expr)}
