"""Every metric of tierstream, as data: its name as it is scraped, its type, its labels, what it means and what a person does with it.

Rules: names and units are Prometheus' (seconds, `_total` on counters), but for the consumer lag, which is named as kafka-lag-exporter does,
and `process_*`, as every exporter does; no metric names an account; what a label may say is bounded by `LABELS`. `docs/metrics.md` is
written from this page, and tests hold the `/metrics` of a worker (`METRICS`) and of a projection (`PROJECTION`) to it.
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
    "kind": "the kinds of action (docs/policies.md): RECYCLED, PLAYBOOK, BREACHED ...; DONE and REFUSED answer commands; of a "
    "projection: tiers, explanations, leads, erasures",
    "rule": "what asked for the action: the clocks and actions of the policy, the kinds of command",
    "reason": "the reasons for a dead letter (docs/operations.md)",
    "why": "why compiled code left an interaction to Python: UNREADABLE (or refused), UNKNOWN (of an account that may not enter), DOSSIER "
    "(what is kept apart from the row is needed), RECYCLED (a clock moves the account to the pool), MAY_JUMP (a number may step up "
    "by itself), NO_ROOM (too many decisions at once), FEW (a record that came alone), UNCOMPILED (the policy is folded in Python)",
    "partition": "the partitions of the deployment",
    "state": "restoring, running, paused, stopped",
    "group": "the consumer group of the application: `<prefix><application id>`",
    "policy": "the name of the policy in force",
    "version": "of the policy in force, or of tierstream",
    "digest": "of the policy in force",
    "application": "the application id",
    "clock": "wall, records",
    "python": "the version of Python",
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
    MetricSpec("tierstream_overdue_accounts", "gauge", ("partition",),
               "Accounts whose deadline has passed and which no tick has looked at yet.",
               "Looked at every `TIERSTREAM_TICK_EVERY_S`; above 0 for longer, time does not pass: see the age of the last tick"),
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
    # -- how far behind
    MetricSpec("kafka_consumergroup_group_lag", "gauge", ("partition", "topic", "group"),
               "Records of an input, and transaction markers among them, that are not folded yet.",
               "Against the high watermark, seen every two seconds; 0 when all is folded, markers and all. `topic` is the broker's name of "
               "it, as with kafka-lag-exporter; what an open transaction of a producer holds back counts"),
    MetricSpec("kafka_consumergroup_group_lag_seconds", "gauge", ("partition", "topic", "group"),
               "Since when there has been something that is not folded."),
    MetricSpec("kafka_consumergroup_group_offset", "gauge", ("partition", "topic", "group"), "The offset up to which an input is folded."),
    MetricSpec("kafka_partition_latest_offset", "gauge", ("partition", "topic"), "The high watermark of an input."),
    # -- lanes
    MetricSpec("tierstream_lane_state", "gauge", ("partition", "state"),
               "1 for the state that the lane is in.",
               "`paused` is a rebalance"),
    MetricSpec("tierstream_fences_total", "counter", (),
               "Former owners fenced: one each time that this process took a partition.",
               "More than rebalances and restarts explain: two workers fight for partitions. A worker that is fenced itself ends, and "
               "begins again at 0: `changes(process_start_time_seconds[1h])`"),
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
    MetricSpec("tierstream_restore_remaining_records", "gauge", ("partition",),
               "Offsets of the changelog still to be read.",
               "There while the lane restores. It must fall"),
    MetricSpec("tierstream_restore_seconds", "gauge", ("partition",), "Duration of the last restore."),
    # -- policy
    MetricSpec("tierstream_policy_info", "gauge", ("partition", "policy", "version", "digest"),
               "1 for the policy in force.",
               "Two digests at once: a change of policy is under way"),
    MetricSpec("tierstream_policy_reviewed_timestamp_seconds", "gauge", ("partition",),
               "When people last reviewed the policy in force (`reviewed_on`).",
               "Its age is `time()` less this"),
    MetricSpec("tierstream_policy_review_due_timestamp_seconds", "gauge", ("partition",), "When the next review is due."),
    # -- the process
    MetricSpec("tierstream_build_info", "gauge", ("version", "python"), "1 for the version of tierstream that runs."),
    MetricSpec("tierstream_worker_info", "gauge", ("application", "clock"), "1 for what this process was started as."),
    MetricSpec("tierstream_partitions", "gauge", (),
               "Partitions of the deployment.",
               "Less the lanes that run anywhere, it is what nobody scores"),
    MetricSpec("process_resident_memory_bytes", "gauge", (), "Resident memory size in bytes.", "[What to expect](operations.md#workers)"),
    MetricSpec("process_virtual_memory_bytes", "gauge", (), "Virtual memory size in bytes."),
    MetricSpec("process_cpu_seconds_total", "counter", (), "Total user and system CPU time spent in seconds."),
    MetricSpec("process_start_time_seconds", "gauge", (), "Start time of the process since unix epoch in seconds.",
               "`changes(...[1h])` counts restarts"),
    MetricSpec("process_open_fds", "gauge", (), "Number of open file descriptors."),
    MetricSpec("process_max_fds", "gauge", (), "Maximum number of open file descriptors."),
)  # fmt: skip

METRICS = {metric.name: metric for metric in _ALL}
"""What a worker shows, by name, in the order of the page."""

PROJECTION = {metric.name: metric for metric in (
    MetricSpec("tierstream_projection_lag_seconds", "histogram", ("topic",),
               "From the append of a record to the moment its effect is in Redis.",
               "Grows while Redis is away, and shrinks again by itself"),
    MetricSpec("tierstream_projection_read_timestamp_seconds", "gauge", ("partition",),
               "Up to when all that was published is in Redis.",
               "Its age is `time()` less this: how stale what Redis says may be. At rest about a second. Not there before the first time"),
    MetricSpec("tierstream_projection_behind_records", "gauge", ("partition", "topic"),
               "Offsets that lie ahead.",
               "At most a second old; markers of transactions count"),
    MetricSpec("tierstream_projection_records_total", "counter", ("topic",), "Records dealt with."),
    MetricSpec("tierstream_projection_changes_total", "counter", ("kind",), "What changed in Redis."),
    MetricSpec("tierstream_projection_unchanged_total", "counter", ("kind",),
               "What changed nothing, because Redis had it already, or something newer.",
               "Much of it: two projections do the same work, or one begins again"),
    MetricSpec("tierstream_projection_unreadable_total", "counter", (),
               "Records that could not be read.",
               "Anything but 0 is somebody else's record on the topic, or a projection older than the worker: the log names each"),
    MetricSpec("tierstream_projection_repeats_total", "counter", (),
               "Writes that Redis did not take, to be repeated.",
               "Redis is away, or full"),
    MetricSpec("tierstream_projection_rebuilds_total", "counter", (),
               "Partitions that were begun from the beginning.",
               "Without a `--rebuild`: Redis was emptied, or nobody had projected for most of a day"),
)}  # fmt: skip
"""What a projection shows (`tierstream project`)."""
