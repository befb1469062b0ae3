"""For whoever is on call: is the engine healthy, and if not, which part of it? Scoring lag first, as that is what everybody else feels."""

from grafana_foundation_sdk.builders import dashboard

from ops.dashboards.panels import Panel, events, figure, graph, heat, states
from ops.dashboards.promise import BURN, PROMISE_S, burn
from ops.dashboards.queries import Query, about, grown, or_nothing, quantile, quantiles, rate, series, total
from ops.dashboards.scope import board, choice, manual, mark

LAG, COMMIT, LATENESS = "tierstream_scoring_lag_seconds", "tierstream_commit_seconds", "tierstream_deadline_lateness_seconds"
EVENTS, LETTERS, HANDED = "tierstream_events_total", "tierstream_dead_letters_total", "tierstream_handed_over_total"
TICK, LANE = "tierstream_last_tick_timestamp_seconds", "tierstream_lane_state"
TOPIC, INTERACTIONS = 'topic=~"$topic"', 'topic="interactions"'
LANE_STATES = (("stopped", "dark-red"), ("restoring", "orange"), ("paused", "yellow"), ("running", "green"))
RESTORING, PAUSED, RUNNING = (f'state="{name}"' for name, _ in LANE_STATES[1:])


def sre() -> dashboard.Dashboard:
    """The dashboard, without its rows."""
    made = board("tierstream-sre", "tierstream: is it healthy?", "Scoring lag first, then what may stand behind it.")
    made.with_variable(choice("topic", "Input", "Input topics to look at.", EVENTS))
    made.link(manual("Runbook", "operations.md#runbook")).link(manual("Metrics", "metrics.md"))
    made.annotation(mark("a lane is paused", "yellow", f"{total(LANE, PAUSED)} > 0"))
    return made.annotation(mark("alert", "dark-red", 'ALERTS{alertstate="firing", job=~"$job"}'))


def sre_rows() -> dict[str, list[Panel]]:
    """What is on it, row by row."""
    return {
        "Is it healthy?": _healthy(),
        "How late": _late(),
        "What comes in and goes out": _flow(),
        "Transactions": _transactions(),
        "Time": _time(),
        "Lanes and workers": _lanes(),
    }


def _healthy() -> list[Panel]:
    """One line that says whether to read on."""
    idle = Query(f"count(count by (partition) ({series(LANE)})) - {total(LANE, RUNNING)}")
    refused = Query(or_nothing(grown(LETTERS, TOPIC)))
    return [
        figure("Scoring lag, 99 of 100", about(LAG), Query(quantile(0.99, LAG)), "s", limits=((0.25, "orange"), (PROMISE_S, "red"))),
        figure("Error budget burnt, last hour", BURN, Query(burn("1h")), "none", limits=((1, "orange"), (14.4, "red")), decimals=2),
        figure("Events", about(EVENTS), Query(rate(EVENTS)), "eps"),
        figure("Partitions without a running lane", about(LANE), idle, "none", limits=((1, "red"),), decimals=0),
        figure("Age of time", about(TICK), Query(f"time() - min({series(TICK)})"), "s", limits=((90, "orange"), (120, "red"))),
        figure("Refused, in the time shown", about(LETTERS), refused, "short", limits=((1, "orange"),), decimals=0),
    ]


def _late() -> list[Panel]:
    """From append to commit."""
    by_input = [Query(quantile(0.99, LAG, TOPIC, by="topic"), "{{topic}}")]
    windows = [Query(burn(window), window) for window in ("5m", "1h", "6h")]
    return [
        heat("Scoring lag", about(LAG), Query(rate(LAG, TOPIC, by="le", of="bucket"), "{{le}}"), "s"),
        graph("Scoring lag, quantiles", about(LAG), quantiles(LAG, TOPIC), "s", width=12, limits=((PROMISE_S, "red"),)),
        graph("Scoring lag, 99 of 100, by input", about(LAG), by_input, "s", limits=((PROMISE_S, "red"),)),
        graph("Error budget burnt", BURN, windows, "none", limits=((6, "orange"), (14.4, "red"))),
        graph("The brokers' share: time of a commit", about(COMMIT), quantiles(COMMIT), "s"),
    ]


def _flow() -> list[Panel]:
    """Records in, records out, records refused."""
    refused = [Query(or_nothing(rate(LETTERS, TOPIC, by="topic, reason")), "{{topic}} {{reason}}")]
    waiting = [Query(total("tierstream_buffered_records", TOPIC, by="topic"), "{{topic}}")]
    handed = [Query(f"{rate(HANDED, by='why')} / scalar({rate(EVENTS, INTERACTIONS)})", "{{why}}")]
    return [
        _rates("Events, by input", EVENTS, "topic", "eps", TOPIC),
        _rates("Published", "tierstream_outputs_total", "topic", "eps"),
        events("Refused", about(LETTERS), refused, "eps"),
        graph("Read and not folded yet", about("tierstream_buffered_records"), waiting, "short"),
        _rates("Cores that folding takes", "tierstream_fold_seconds_total", "instance", "none"),
        graph("Interactions left to Python", about(HANDED), handed, "percentunit", stacked=True),
    ]


def _transactions() -> list[Panel]:
    """What was committed, what had to be sent again."""
    odd = {"aborted transactions": "tierstream_aborts_total", "records below the position": "tierstream_replayed_records_total"}
    return [
        _rates("Transactions", "tierstream_commits_total", "instance", "cps"),
        _rates("Written to the changelog", "tierstream_changelog_records_total", "instance", "cps"),
        events("What should not be", about(*odd.values()), [Query(rate(metric), name) for name, metric in odd.items()], "cps"),
    ]


def _time() -> list[Panel]:
    """Whether time passes, and what it does."""
    ages = [Query(f"max by (partition) (time() - {series(TICK)})", "partition {{partition}}")]
    done = {"due": "tierstream_accounts_due_total", "moved": "tierstream_accounts_moved_by_time_total"}
    late = [Query(quantile(0.99, LATENESS, by="cause"), "{{cause}}")]
    return [
        graph("Age of time, by partition", about(TICK), ages, "s", width=6, limits=((120, "red"),)),
        _rates("Transactions in which time passed", "tierstream_ticks_total", "instance", "cps", width=6),
        graph(
            "Accounts that time found", about(*done.values()), [Query(rate(metric), name) for name, metric in done.items()], "cps", width=6
        ),
        graph("Lateness of what time decided, 99 of 100", about(LATENESS), late, "s", width=6),
    ]


def _lanes() -> list[Panel]:
    """Who does the work, and how it is handed over."""
    each = " or ".join(f"{series(LANE, matcher)} * {number}" for number, matcher in enumerate((RESTORING, PAUSED, RUNNING), 1))
    accounts, restored = "tierstream_accounts", "tierstream_restore_seconds"
    return [
        states("Lanes", about(LANE), Query(f"max by (partition) ({each})", "partition {{partition}}"), LANE_STATES),
        graph(
            "Accounts", about(accounts), [Query(total(accounts, by="partition"), "partition {{partition}}")], "short", width=6, stacked=True
        ),
        graph(
            "Last restore", about(restored), [Query(f"max by (partition) ({series(restored)})", "partition {{partition}}")], "s", width=6
        ),
        _rates("Restored from the changelog", "tierstream_restored_records_total", "instance", "cps"),
    ]


def _rates(title: str, metric: str, by: str, unit: str, *where: str, width: int = 8) -> Panel:
    """How fast a counter grows, one area for each value of a label."""
    return graph(title, about(metric), [Query(rate(metric, *where, by=by), f"{{{{{by}}}}}")], unit, width=width, stacked=True)
