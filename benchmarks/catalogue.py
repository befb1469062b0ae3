"""Which figures there are, in the order of the report; those that compare are in `comparisons`, those of how soon in `starting`."""

from collections.abc import Callable
from typing import Any

from benchmarks import comparisons, latency, memory, orders, projection, replay, stages, starting, throughput, ticks
from benchmarks.figures import kept, spread
from benchmarks.plans import POLICIES, Plan, Row, on_stand, plain


def _throughput(policy: str, minutes: float, accounts: int = 50_000, records: int = 500_000, **more: Any) -> Plan:
    """`more`: what differs from a plan of the second rank."""
    bar = more.pop("bar", "")
    return Plan(
        name=f"throughput-{policy}",
        title=f"Events a second, one worker on one core, policy `{policy}`",
        how="Every account is known. For each run a worker restores them and waits until the next stretch of interactions lies in the "
        "topics; exactly once, changelog, fold-order and transitions written; `clock: records`. Counted from its first commit to its "
        "last, by the append times of `fold-order`. Memory: growth over a worker that knows no account, client buffers included. "
        "Checked: every record folded once, the audit of `tier-transitions` without a breach.",
        rows=(
            Row("events_per_s", "events a second", "1/s", bar=bar),
            Row("cpu_us", "processor time of the worker for an event", "us", 1),
            Row("fold_us", "decoding and folding, by the lanes' wall clock", "us", 1),
            Row("handed_percent", "events that compiled code left to Python", "%", 2),
            Row("commit_ms", "waiting for one commit", "ms", 1),
            Row("events_per_transaction", "events in a transaction", "1"),
            Row("changes_per_event", "changelog records for an event", "1", 2),
            Row("transitions", "tier transitions published and audited, all runs so far", "1"),
            Row(
                "restore_s",
                "restore of these accounts, with a profile each, to the first possible fold, slowest partition",
                "s",
                2,
                "<= 5 for a million",
            ),
            Row("bytes_per_account", "memory for such an account, with dossier and client buffers (hot state apart: see below)", "B"),
        ),
        sizes={"accounts": accounts, "records": records},
        small={"accounts": 5_000, "records": 300_000},
        take=lambda sizes, runs, tell: on_stand(
            lambda stand: plain(throughput.measured(stand, POLICIES / f"{policy}.yaml", **sizes, runs=runs, tell=tell))
        ),
        minutes=minutes,
        **more,
    )


def _latency(name: str, when: str, every: int, bars: dict[str, str], rate: int | Callable[[], int]) -> Plan:
    seconds, accounts = 20 if callable(rate) else 35, 20_000
    return Plan(
        name=name,
        title=f"From an event to its transition {when}, policy `sabc-live`",
        how=f"An open loop: every send has its instant, fixed before the run. Every {every:,}th event raises or withdraws a lawsuit "
        "against an account in A and so changes its tier; what else changes tiers comes on top. Readable: a read_committed consumer has "
        "the transition. The first 5 s are not counted. No core is reserved: sender, consumer, broker and worker share the machine.",
        rows=(
            Row("rate", "events sent a second", "1/s"),
            Row("appended_p50_ms", "append to readable, median", "ms", 1, bars.get("appended_p50_ms", "")),
            Row("appended_p99_ms", "append to readable, 99 of 100", "ms", 1, bars.get("appended_p99_ms", "")),
            Row("appended_max_ms", "append to readable, worst", "ms", 1),
            Row("due_p50_ms", "due instant to readable, median", "ms", 1),
            Row("due_p99_ms", "due instant to readable, 99 of 100", "ms", 1),
            Row("due_max_ms", "due instant to readable, worst", "ms", 1),
            Row("sender_late_p99_ms", "how late the sender was, 99 of 100", "ms", 1),
            Row("transitions", "transitions counted", "1"),
        ),
        sizes={"accounts": accounts, "seconds": seconds, "every": every},
        small={"accounts": 1_000, "seconds": 10, "every": every},
        take=lambda sizes, runs, tell: on_stand(
            lambda stand: latency.measured(
                stand, POLICIES / "sabc-live.yaml", **sizes, rate=rate() if callable(rate) else rate, runs=runs, tell=tell
            ),
            pinned=False,
        ),
        most_runs=3,
        minutes=4 if callable(rate) else 2.5,
    )


def _half_of_p1() -> int:
    """Half of the events a second that were last measured, in whole thousands, and no more than the bar asks for."""
    runs = next((figure.runs for figure in kept() if figure.name == "throughput-sabc-live"), None)
    folded = spread(runs, "events_per_s").middle if runs else 2 * 10_000
    return max(1_000, min(100_000, int(round(folded / 2, -3))))


def _replay() -> Plan:
    return Plan(
        name="replay",
        title="A backtest: a log in a file folded again, policy `sabc-live`",
        how="One partition in one process, every account seen before; from the bytes of the file to the outputs, which are counted and not "
        "printed; by the wall clock. Checked: both files say the same.",
        rows=(
            Row("avro_per_s", "records a second from `export --avro`", "1/s", bar=">= 300,000"),
            Row("json_per_s", "records a second from lines of JSON", "1/s", bar=">= 50,000"),
            Row("avro_us", "processor time for a record from `export --avro`", "us", 2),
            Row("json_us", "processor time for a record from lines of JSON", "us", 2),
            Row("handed_percent", "records that compiled code left to Python", "%", 2),
            Row("outputs", "outputs", "1"),
        ),
        sizes={"accounts": 20_000, "records": 1_000_000},
        small={"accounts": 500, "records": 20_000},
        minutes=1.5,
        take=lambda sizes, runs, tell: plain(replay.measured(POLICIES / "sabc-live.yaml", **sizes, runs=runs, tell=tell)),
        most_runs=3,
    )


def _stages(policy: str, accounts: int = 6_250, records: int = 250_000) -> Plan:
    return Plan(
        name=f"stages-{policy}",
        title=f"What an event costs before anything is sent, policy `{policy}`",
        how="The same records in memory, one partition, no broker and no threads, in batches as a lane takes them under load.",
        rows=(
            Row("fold", "decode, fold, decide, rows for the changelog", "us", 2),
            Row("write", "what the transaction holds", "us", 2),
            Row("changes", "changelog records for an event", "1", 2),
            Row("decided", "records published for an event", "1", 3),
        ),
        sizes={"accounts": accounts, "records": records},
        small={"accounts": accounts // 6, "records": records // 6},
        take=lambda sizes, runs, tell: plain(
            stages.measured(POLICIES / f"{policy}.yaml", **sizes, tell=lambda said: tell(f"stages {policy}: {said}")) for _ in range(runs)
        ),
        most_runs=3,
    )


def _ticks() -> Plan:
    return Plan(
        name="ticks",
        title="Time passing over a million accounts, policy `sabc-live`",
        how="One partition in memory, no broker and no threads; processor time. Due without a change: rows that another version of the "
        "policy wrote. Checked: the accounts each tick looked at, and the changes it made.",
        rows=(
            Row("idle_ms", "a tick with nothing due", "ms", 2, "<= 1"),
            Row("few_ms", "a tick with 10,000 due, of which 500 change a tier", "ms", 0, "<= 200"),
            Row("all_ms", "a tick with 10,000 that change a tier", "ms", 0, "<= 2,000"),
            Row("changelog_ms", "rows of these 10,000 for the changelog", "ms", 1),
            Row("view_ms", "one account explained (`explain`, without the way to the worker)", "ms", 2, "<= 100"),
            Row("view_p99_ms", "one account explained, 99 of 100", "ms", 2),
        ),
        sizes={"accounts": 1_000_000, "early": 500, "late": 10_000, "recalled": 9_500},
        small={"accounts": 5_000, "early": 20, "late": 200, "recalled": 180},
        minutes=0.5,
        take=lambda sizes, runs, tell: plain(ticks.measured(POLICIES / "sabc-live.yaml", **sizes, runs=runs, tell=tell)),
    )


def _rescore() -> Plan:
    return Plan(
        name="rescore",
        title="The source document's 12,000 accounts scored anew, policy `sabc`",
        how="Rows that an older version of the policy wrote: every score is computed again, then every account is decided. "
        "In memory; processor time.",
        rows=(
            Row("rescore_ms", "score all accounts", "ms", 0, "<= 50"),
            Row("decide_ms", "decide all accounts, and find when each changes next", "ms", 0),
        ),
        sizes={"accounts": 12_000},
        small={"accounts": 200},
        minutes=0.3,
        take=lambda sizes, runs, tell: plain(ticks.rescored(POLICIES / "sabc.yaml", **sizes, runs=runs, tell=tell)),
    )


def _memory() -> Plan:
    return Plan(
        name="memory",
        title="What an account takes in memory, and what its restore costs, policy `sabc-live`",
        how="50,000 accounts have lived: a profile each, then 250,000 interactions, skewed. What the changelog keeps of them is put back "
        "under a million names into one partition: rows, then dossiers. Growth of resident memory; processor time. No broker, no client.",
        rows=(
            Row("hot_bytes", "hot state of an account: row, key, index, deadline", "B", bar="<= 600"),
            Row("dossier_bytes", "its dossier, with a profile", "B"),
            Row("row_us", "putting back a row", "us", 2),
            Row("dossier_us", "putting back a dossier", "us", 2),
        ),
        sizes={"accounts": 1_000_000, "lives": 50_000, "records": 250_000},
        small={"accounts": 100_000, "lives": 1_000, "records": 5_000},
        minutes=0.5,
        take=lambda sizes, runs, tell: plain(memory.measured(POLICIES / "sabc-live.yaml", **sizes, runs=runs, tell=tell)),
        most_runs=3,
    )


def _projection() -> Plan:
    return Plan(
        name="projection",
        title="Transitions a second that one `tierstream project` on one core brings to Redis",
        how="A backlog of transitions, each with its account's record, as much explained as those of `sabc-live`. Counted by Redis' own "
        "progress, from the first look that finds something to the first that finds everything. The projection has a core to itself; "
        "Redis (Valkey) and the broker share the other. Checked: Redis says of every account what the compacted topic says.",
        rows=(
            Row("transitions_per_s", "transitions a second", "1/s", bar=">= 20,000"),
            Row("cpu_us", "processor time of the projection for a transition with its account's record", "us", 1),
            Row("redis_us", "processor time of Redis for both", "us", 1),
            Row("transitions", "transitions", "1"),
        ),
        sizes={"accounts": 150_000, "transitions": 300_000},
        small={"accounts": 10_000, "transitions": 20_000},
        minutes=5,
        take=lambda sizes, runs, tell: on_stand(lambda stand: plain(projection.measured(stand, **sizes, runs=runs, tell=tell))),
    )


def _orders() -> Plan:
    return Plan(
        name="orders",
        title="18 months of real orders, from a file to their transitions, policy `orders-rfm`",
        how="`tierstream ingest orders` and two workers under `clock: records`, ready before the command starts; no core is reserved. "
        "Events are orders and the ticks between them. Wants the CDNOW file (TIERSTREAM_DATA).",
        rows=(
            Row("end_to_end_s", "from the command to the last record folded", "s", 1),
            Row("ingest_s", "of which the import itself, the process included", "s", 1),
            Row("events_per_s", "events a second, end to end", "1/s"),
            Row("events", "events", "1"),
            Row("transitions", "tier transitions published and audited", "1"),
        ),
        sizes={"customers": 23_570},
        small={"customers": 200},
        minutes=4,
        take=lambda sizes, runs, tell: on_stand(
            lambda stand: plain(orders.measured(stand, POLICIES / "orders-rfm.yaml", **sizes, runs=runs, tell=tell)), pinned=False
        ),
        asked_for=True,
    )


PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        _throughput("sabc-live", 6.5, accounts=1_000_000, records=800_000, bar=">= 200,000"),
        comparisons.peers(),
        _throughput("sabc", 1.5, most_runs=3),
        _throughput("demo", 2, asked_for=True),
        *comparisons.costs(),
        *comparisons.spread(),
        _stages("sabc-live", accounts=50_000),
        _stages("sabc"),
        _stages("demo"),
        *comparisons.by_size(),
        _ticks(),
        _rescore(),
        _memory(),
        _replay(),
        _projection(),
        _orders(),
        _latency("latency", "at 2,000 events a second", 20, {"appended_p50_ms": "<= 40", "appended_p99_ms": "<= 100"}, 2_000),
        _latency("latency-half", "at half of what it can fold", 500, {"appended_p99_ms": "<= 250"}, _half_of_p1),
        *starting.plans(),
    )
}
"""By name, in the order of the report."""
