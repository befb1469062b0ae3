"""For whoever is on call: is the engine healthy, and if not, which part of it? Scoring lag first, as that is what everybody else feels."""

from grafana_foundation_sdk.builders import dashboard

from ops.alerts.table import WITHIN_S
from ops.dashboards.panels import Panel, events, figure, graph, heat
from ops.dashboards.promise import BURN, LAG, burn
from ops.dashboards.queries import Query, about, each_step, grown, most, or_nothing, quantile, quantiles, rate, series, total
from ops.dashboards.scope import board, choice, manual, mark
from ops.dashboards.sre_workers import LANE, PAUSED, RUNNING, lanes, projection, workers

COMMIT, LATENESS = "tierstream_commit_seconds", "tierstream_deadline_lateness_seconds"
EVENTS, LETTERS, HANDED = "tierstream_events_total", "tierstream_dead_letters_total", "tierstream_handed_over_total"
WAITING, BEHIND, TICK = "kafka_consumergroup_group_lag", "kafka_consumergroup_group_lag_seconds", "tierstream_last_tick_timestamp_seconds"
STARTED = "process_start_time_seconds"
TOPIC, KAFKA_TOPIC, INTERACTIONS = 'topic=~"$topic"', 'topic=~".*($topic)"', 'topic="interactions"'
"""The consumer lag names a topic as the broker does, with the prefix; everything else by its name in the catalogue."""


def sre() -> dashboard.Dashboard:
    """The dashboard, without its rows."""
    made = board("tierstream-sre", "tierstream: is it healthy?", "Scoring lag first, then what may stand behind it.")
    made.with_variable(choice("topic", "Input", "Input topics to look at.", EVENTS))
    made.link(manual("Runbook", "operations.md#runbook")).link(manual("Metrics", "metrics.md"))
    made.annotation(mark("started", "blue", f"changes({series(STARTED)}[1m]) > 0"))
    made.annotation(mark("a lane is paused", "yellow", f"{total(LANE, PAUSED)} > 0"))
    made.annotation(mark("policy changes", "purple", f"count(count by (digest) ({series('tierstream_policy_info')})) > 1"))
    return made.annotation(mark("alert", "dark-red", 'ALERTS{alertstate="firing", job=~"$job"}'))


def sre_rows() -> dict[str, list[Panel]]:
    """What is on it, row by row."""
    return {
        "Is it healthy?": _healthy(),
        "How late": _late(),
        "What comes in and goes out": _flow(),
        "Transactions": _transactions(),
        "Time": _time(),
        "Lanes": lanes(),
        "Workers": workers(),
        "Projection": projection(),
    }


def _healthy() -> list[Panel]:
    """One line that says whether to read on."""
    unowned = Query(f"{most('tierstream_partitions')} - {total(LANE, RUNNING)}")
    age = Query(f"time() - min({series(TICK)})")
    refused = Query(or_nothing(grown(LETTERS, TOPIC)))
    restarts = Query(f"sum(changes({series(STARTED)}[1h]))")
    return [
        figure("Scoring lag, 99 of 100", about(LAG), Query(quantile(0.99, LAG)), "s", limits=((0.25, "orange"), (WITHIN_S, "red"))),
        figure("Error budget burnt, last hour", BURN, Query(burn("1h")), "none", limits=((1, "orange"), (14.4, "red")), decimals=2),
        figure("Events a second", about(EVENTS), Query(rate(EVENTS)), "eps"),
        figure("Behind by", about(BEHIND), Query(most(BEHIND)), "s", limits=((10, "orange"), (60, "red"))),
        figure("Partitions nobody scores", about("tierstream_partitions"), unowned, "none", limits=((1, "red"),), decimals=0),
        figure("Age of time", about(TICK), age, "s", limits=((120, "orange"), (180, "red"))),
        figure("Refused, in the time shown", about(LETTERS), refused, "short", limits=((1, "orange"),), decimals=0),
        figure("Restarts, last hour", about(STARTED), restarts, "none", limits=((1, "orange"), (4, "red")), decimals=0),
    ]


def _late() -> list[Panel]:
    """From append to commit, and what waits."""
    by_input = [Query(quantile(0.99, LAG, TOPIC, by="topic"), "{{topic}}")]
    windows = [Query(burn(window), window) for window in ("5m", "1h", "6h")]
    limit = ((WITHIN_S, "red"),)
    return [
        heat("Scoring lag", about(LAG), Query(rate(LAG, TOPIC, by="le", of="bucket"), "{{le}}"), "s"),
        graph("Scoring lag, quantiles", about(LAG), quantiles(LAG, TOPIC), "s", width=12, limits=limit),
        graph("Scoring lag, 99 of 100, by input", about(LAG), by_input, "s", limits=limit),
        graph("Error budget burnt", BURN, windows, "none", limits=((6, "orange"), (14.4, "red"))),
        graph("The brokers' share: time of a commit", about(COMMIT), quantiles(COMMIT), "s"),
        graph("Records waiting", about(WAITING), [Query(total(WAITING, KAFKA_TOPIC, by="topic"), "{{topic}}")], "short"),
        graph("Behind, by input", about(BEHIND), [Query(most(BEHIND, KAFKA_TOPIC, by="topic"), "{{topic}}")], "s", limits=((60, "red"),)),
        _written_and_folded(),
    ]


def _written_and_folded() -> Panel:
    """Two lines that should lie over each other."""
    ends, places = "kafka_partition_latest_offset", "kafka_consumergroup_group_offset"
    asked = [Query(rate(ends, KAFKA_TOPIC), "written"), Query(rate(places, KAFKA_TOPIC), "folded")]
    return graph("Written and folded", about(ends, places), asked, "cps")


def _flow() -> list[Panel]:
    """Records in, records out, records refused."""
    buffered = "tierstream_buffered_records"
    refused = [Query(or_nothing(each_step(LETTERS, TOPIC, by="topic, reason")), "{{topic}} {{reason}}")]
    handed = [Query(f"{rate(HANDED, by='why')} / scalar({rate(EVENTS, INTERACTIONS)})", "{{why}}")]
    return [
        _rates("Events, by input", EVENTS, "topic", "eps", TOPIC),
        _rates("Published", "tierstream_outputs_total", "topic", "eps"),
        events("Refused", about(LETTERS), refused),
        graph("Read and not folded yet", about(buffered), [Query(total(buffered, TOPIC, by="topic"), "{{topic}}")], "short"),
        _rates("Cores that folding takes", "tierstream_fold_seconds_total", "instance", "none"),
        graph("Interactions left to Python", about(HANDED), handed, "percentunit", stacked=True),
    ]


def _transactions() -> list[Panel]:
    """What was committed, what had to be sent again."""
    odd = {"aborted transactions": "tierstream_aborts_total", "records below the position": "tierstream_replayed_records_total"}
    return [
        _rates("Transactions", "tierstream_commits_total", "instance", "cps"),
        _rates("Written to the changelog", "tierstream_changelog_records_total", "instance", "cps"),
        events("What should not be", about(*odd.values()), [Query(each_step(metric), name) for name, metric in odd.items()]),
    ]


def _time() -> list[Panel]:
    """Whether time passes, and what it does."""
    overdue = "tierstream_overdue_accounts"
    ages = [Query(f"max by (partition) (time() - {series(TICK)})", "partition {{partition}}")]
    moved = {"due": "tierstream_accounts_due_total", "moved": "tierstream_accounts_moved_by_time_total"}
    found = [Query(rate(metric), name) for name, metric in moved.items()]
    late = [Query(quantile(0.99, LATENESS, by="cause"), "{{cause}}")]
    return [
        graph("Age of time, by partition", about(TICK), ages, "s", limits=((180, "red"),)),
        _rates("Transactions in which time passed", "tierstream_ticks_total", "instance", "cps"),
        graph("Accounts that time found", about(*moved.values()), found, "cps"),
        graph("Lateness of what time decided, 99 of 100", about(LATENESS), late, "s", width=12),
        graph("Accounts overdue", about(overdue), [Query(total(overdue, by="partition"), "partition {{partition}}")], "short", width=12),
    ]


def _rates(title: str, metric: str, by: str, unit: str, *where: str, width: int = 8) -> Panel:
    """How fast a counter grows, one area for each value of a label."""
    return graph(title, about(metric), [Query(rate(metric, *where, by=by), f"{{{{{by}}}}}")], unit, width=width, stacked=True)
