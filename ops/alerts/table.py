"""Every alert and every recorded series, as data: the one table behind `ops/prometheus/rules/` and the runbooks of docs/operations.md.

Rules: an alert names something that a person can act on and is silent on a healthy engine, idle or busy; `page` wakes someone, `ticket` can
wait until tomorrow. A span of time in an expression is written `@5m`, as a number of seconds `@=60s`: both shrink with the scale of time
(`rules.py`), which no other number does. The jobs are `tierstream` (workers) and `tierstream-projection`.
"""

from typing import Literal, NamedTuple

OBJECTIVE = 0.999
WITHIN_S = 1.0
"""The promise: this share of events is scored within so many seconds of being appended."""

_HERE = 'state=~"restoring|running|paused"'
_WORKER = "job, instance"


class Recorded(NamedTuple):
    """A series that rules and dashboards share."""

    name: str
    expression: str


class Alert(NamedTuple):
    """One alert. `lasting`: so long it must be true before it fires. `summary` and `detail` are Prometheus' templates."""

    name: str
    severity: Literal["page", "ticket"]
    expression: str
    lasting: str
    summary: str
    detail: str


def _slow(window: str) -> Recorded:
    """The share of events that were not scored in time, over a window."""
    in_time = f'sum by (job) (rate(tierstream_scoring_lag_seconds_bucket{{le="{WITHIN_S}"}}[@{window}]))'
    return Recorded(
        f"job:tierstream_scoring_slow:ratio_rate{window}",
        f"1 - {in_time} / sum by (job) (rate(tierstream_scoring_lag_seconds_count[@{window}]))",
    )


def _burns(*rates: tuple[float, str, str]) -> str:
    """The budget of slow events burns so many times as fast as it lasts a month, over a long window and, still now, over a short one."""
    budget = 1 - OBJECTIVE
    return "\nor\n".join(
        f"(job:tierstream_scoring_slow:ratio_rate{long} > {factor * budget:.6g} "
        f"and job:tierstream_scoring_slow:ratio_rate{short} > {factor * budget:.6g})"
        for factor, long, short in rates
    )


RECORDED = (
    *(_slow(window) for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")),
    Recorded(
        "job:tierstream_scoring_lag_seconds:p99_rate5m",
        "histogram_quantile(0.99, sum by (job, le) (rate(tierstream_scoring_lag_seconds_bucket[@5m])))",
    ),
    Recorded("job_topic:kafka_consumergroup_group_lag:sum", "sum by (job, group, topic) (kafka_consumergroup_group_lag)"),
    Recorded("job_topic:kafka_consumergroup_group_lag_seconds:max", "max by (job, group, topic) (kafka_consumergroup_group_lag_seconds)"),
    Recorded(
        "job_topic:tierstream_dead_letters:ratio_rate5m",
        "sum by (job, topic) (rate(tierstream_dead_letters_total[@5m])) / sum by (job, topic) (rate(tierstream_events_total[@5m]))",
    ),
    Recorded(
        "job_scheme:tierstream_moved:ratio_increase15m",
        'sum by (job, scheme) (increase(tierstream_transitions_total{direction!="ENTRY"}[@15m]))\n'
        "/ sum by (job, scheme) (tierstream_tier_accounts)",
    ),
)
"""In an order in which none wants a later one."""

ALERTS = (
    Alert(
        "TierstreamScoringLagBurnsFast", "page", _burns((14.4, "1h", "5m"), (6, "6h", "30m")), "@2m",
        "Too many events are scored too late",
        "{{ $value | humanizePercentage }} of events took longer than 1 s. At this rate the month's budget of 0.1 % is gone within days.",
    ),
    Alert(
        "TierstreamScoringLagBurnsSlowly", "ticket", _burns((3, "1d", "2h"), (1, "3d", "6h")), "@1h",
        "More events are scored late than promised",
        "{{ $value | humanizePercentage }} of events took longer than 1 s; 0.1 % is promised.",
    ),
    Alert(
        "TierstreamLagGrows", "page",
        "deriv(job_topic:kafka_consumergroup_group_lag:sum[@10m]) > 0\n"
        "and job_topic:kafka_consumergroup_group_lag_seconds:max > @=60s",
        "@5m",
        "{{ $labels.topic }} is written faster than it is scored",
        "{{ $labels.topic }} has been more than a minute behind and falls further behind, by {{ $value | humanize }} records a second.",
    ),
    Alert(
        "TierstreamWorkerWithoutCommits", "page",
        f"(sum by ({_WORKER}) (rate(tierstream_commits_total[@5m])) == 0)\n"
        f'and on ({_WORKER}) (sum by ({_WORKER}) (tierstream_lane_state{{state="running"}}) > 0)\n'
        f'and on ({_WORKER}) (tierstream_worker_info{{clock="wall"}} or on ({_WORKER}) '
        f"(sum by ({_WORKER}) (kafka_consumergroup_group_lag) > 0))",
        "@1m",
        "{{ $labels.instance }} commits nothing",
        "{{ $labels.instance }} has lanes that run and has committed nothing for five minutes; an idle one commits once a minute.",
    ),
    Alert(
        "TierstreamWorkerDown", "page", 'up{job=~"tierstream.*"} == 0', "@2m",
        "{{ $labels.instance }} does not answer",
        "Prometheus has no answer from {{ $labels.instance }} ({{ $labels.job }}): the process is gone, or hangs, or the network is away.",
    ),
    Alert(
        "TierstreamWorkerRestarts", "ticket", 'changes(process_start_time_seconds{job=~"tierstream.*"}[@1h]) > 3', "@1m",
        "{{ $labels.instance }} starts again and again",
        "{{ $labels.instance }} has been started {{ $value }} times within an hour: it ends itself (exit code 70) or is killed.",
    ),
    Alert(
        "TierstreamPartitionsUnowned", "page",
        f"max by (job) (tierstream_partitions) - sum by (job) (tierstream_lane_state{{{_HERE}}}) > 0", "@5m",
        "{{ $value }} partitions are scored by nobody",
        "No worker that Prometheus knows has {{ $value }} of the partitions: their events wait, their clocks stand still.",
    ),
    Alert(
        "TierstreamDeadLetters", "ticket", "job_topic:tierstream_dead_letters:ratio_rate5m > 0.01", "@5m",
        "{{ $labels.topic }} has many records that are refused",
        "{{ $value | humanizePercentage }} of the records of {{ $labels.topic }} become dead letters.",
    ),
    Alert(
        "TierstreamRestoreStuck", "page",
        '(tierstream_lane_state{state="restoring"} == 1)\n'
        "unless on (job, instance, partition) (deriv(tierstream_restore_remaining_records[@2m]) < 0)",
        "@5m",
        "Partition {{ $labels.partition }} is not restored",
        "{{ $labels.instance }} has been restoring partition {{ $labels.partition }} for five minutes without getting on.",
    ),
    Alert(
        "TierstreamTicksStopped", "page",
        f"time() - max by (job, partition) (tierstream_last_tick_timestamp_seconds and on ({_WORKER})\n"
        'tierstream_worker_info{clock="wall"}) > @=180s',
        "@1m",
        "Time stands still in partition {{ $labels.partition }}",
        "The last tick of partition {{ $labels.partition }} is {{ $value | humanizeDuration }} old: nobody is demoted or recycled there.",
    ),
    Alert(
        "TierstreamTransitionStorm", "ticket",
        "job_scheme:tierstream_moved:ratio_increase15m > 0.05\n"
        'and sum by (job, scheme) (increase(tierstream_transitions_total{direction!="ENTRY"}[@15m])) > 50',
        "@1m",
        "Many accounts change tier at once in {{ $labels.scheme }}",
        "{{ $value | humanizePercentage }} of the accounts of {{ $labels.scheme }} have changed tier within a quarter of an hour.",
    ),
    Alert(
        "TierstreamProjectionBehind", "ticket",
        "time() - max by (job, partition) (tierstream_projection_read_timestamp_seconds) > @=60s", "@2m",
        "Redis is behind partition {{ $labels.partition }}",
        "What was published in partition {{ $labels.partition }} {{ $value | humanizeDuration }} ago is not in Redis yet.",
    ),
    Alert(
        "TierstreamPolicyReviewDue", "ticket",
        "max by (job, policy, version) (tierstream_policy_info * on (job, instance, partition) group_left () "
        "(time() - tierstream_policy_review_due_timestamp_seconds)) > 0",
        "@1h",
        "Policy {{ $labels.policy }} wants a review",
        "Policy {{ $labels.policy }} {{ $labels.version }} has not been reviewed for half a year (`reviewed_on`).",
    ),
)  # fmt: skip
