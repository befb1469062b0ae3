"""Every metric of tierstream, as data: its name as it is scraped, its type, its labels, what it means and what a person does with it.

Rules: names and units are Prometheus' (seconds, `_total` on counters); no metric names an account; what a label may say is bounded by
`LABELS`. `docs/metrics.md` is written from this page, and a house test holds `/metrics` to it.
"""

from typing import Literal, NamedTuple


class MetricSpec(NamedTuple):
    """One metric. `means` is its HELP line, `reading` is for people: when to look, what to do."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    means: str
    reading: str = ""


LABELS = {
    "topic": "the topics of the catalogue",
    "scheme": "the schemes of the policy",
    "direction": "ENTRY, UP, DOWN, OTHER",
    "cause": "the kinds of cause of a transition (`schemas/records/outputs.py`)",
    "tier": "the tiers of the policy",
    "trigger": "the triggers of the policy, as it writes them; empty where the score or the end of a risk made the lead",
    "kind": "the kinds of action: RECYCLED; DONE and REFUSED answer commands",
    "rule": "what asked for the action: the clocks and actions of the policy, the kinds of command",
    "reason": "the reasons for a dead letter (docs/operations.md)",
    "why": "why compiled code left an interaction to Python: UNREADABLE (or refused), UNKNOWN (of an account that may not enter), DOSSIER "
    "(what is kept apart from the row is needed), RECYCLED (a clock moves the account to the pool), MAY_JUMP (a number may step up "
    "by itself), NO_ROOM (too many decisions at once), FEW (too few records at once), UNCOMPILED (the policy is folded in Python)",
    "partition": "the partitions of the deployment",
    "state": "restoring, running, paused, stopped",
}
"""What a label may say: that is how many time series there can be."""

_ALL = (
    # -- how late
    MetricSpec("tierstream_scoring_lag_seconds", "histogram", ("topic",),
               "From a record's append to the commit of all that follows from it.",
               "**The** figure: alert on its p99"),
    MetricSpec("tierstream_deadline_lateness_seconds", "histogram", ("cause",),
               "From the instant at which time alone changed an account to the moment the change was decided.",
               "Live changes only. At rest about `TIERSTREAM_TICK_EVERY_S` and the tick delay, and the policy's `lateness` on top. "
               "`_count` says how many changes and actions time has made"),
    # -- what came in and went out
    MetricSpec("tierstream_events_total", "counter", ("topic",), "Input records folded and committed."),
    MetricSpec("tierstream_outputs_total", "counter", ("topic",), "Records published."),
    MetricSpec("tierstream_transitions_total", "counter", ("scheme", "direction", "cause"),
               "Tier transitions published.",
               "A storm of one cause is a campaign, a mistake in the policy, or a producer gone wild"),
    MetricSpec("tierstream_hot_leads_total", "counter", ("scheme", "tier", "trigger"),
               "Hot leads published, by the tier they came to and the trigger that fired."),
    MetricSpec("tierstream_actions_total", "counter", ("kind", "rule"),
               "Actions published; RECYCLED: accounts that a clock moved to the pool.",
               "History and accounts that must not be contacted move without an action"),
    MetricSpec("tierstream_dead_letters_total", "counter", ("topic", "reason"),
               "Input records refused.",
               "By [reason](operations.md#dead-letters). Alert on any increase"),
    # -- time
    MetricSpec("tierstream_ticks_total", "counter", (),
               "Transactions in which time passed.",
               "One a minute for each partition at least, under `clock: wall`"),
    MetricSpec("tierstream_last_tick_timestamp_seconds", "gauge", ("partition",),
               "The instant up to which time has passed.",
               "Its age is `time()` less this. More than two minutes live: the inputs are not folded to their end, or ticks have stopped. "
               "Not there before the first tick of the process"),
    MetricSpec("tierstream_accounts_due_total", "counter", (),
               "Accounts that a tick found due.",
               "Those that it did not move were only to be looked at again"),
    MetricSpec("tierstream_accounts_moved_by_time_total", "counter", (),
               "Accounts, each time that time alone published something about them."),
    # -- transactions
    MetricSpec("tierstream_commits_total", "counter", (), "Transactions committed."),
    MetricSpec("tierstream_commit_seconds", "histogram", (),
               "Duration of committing a transaction.",
               "The brokers' share of the lag"),
    MetricSpec("tierstream_aborts_total", "counter", (),
               "Transactions aborted and sent again with the same content.",
               "Some while a broker restarts; at other times look at the brokers"),
    MetricSpec("tierstream_changelog_records_total", "counter", (), "Rows, dossiers, layouts and ticks written to the changelog."),
    MetricSpec("tierstream_fold_seconds_total", "counter", (),
               "Time spent folding.",
               "Its rate is the share of a core that scoring takes"),
    MetricSpec("tierstream_handed_over_total", "counter", ("why",),
               "Interactions that compiled code left to Python.",
               "Over the rate of `tierstream_events_total{topic=\"interactions\"}` it is the share that costs a hundred times as much. "
               "Much UNREADABLE is a producer with another schema, FEW an engine with little to do"),
    MetricSpec("tierstream_replayed_records_total", "counter", (),
               "Records below the lane's position, dropped.",
               "Anything but 0 is worth a look"),
    # -- lanes
    MetricSpec("tierstream_lane_state", "gauge", ("partition", "state"),
               "1 for the state that the lane is in.",
               "`paused` is a rebalance"),
    MetricSpec("tierstream_accounts", "gauge", ("partition",), "Accounts in memory."),
    MetricSpec("tierstream_tier_accounts", "gauge", ("partition", "scheme", "tier"),
               "Accounts that stand in a tier, as published.",
               "At most half a minute old. `sum by (scheme, tier)` is the pyramid"),
    MetricSpec("tierstream_buffered_records", "gauge", ("partition", "topic"),
               "Records read and not folded yet.",
               "One topic high and the others at 0: an input is waiting for another one's order"),
    MetricSpec("tierstream_restored_records_total", "counter", (),
               "Changelog records read while taking partitions.",
               "Grows while a lane restores"),
    MetricSpec("tierstream_restore_seconds", "gauge", ("partition",), "Duration of the last restore."),
)  # fmt: skip

METRICS = {metric.name: metric for metric in _ALL}
"""By name, in the order of the page."""
