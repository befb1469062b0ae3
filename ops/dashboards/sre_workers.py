"""Who does the work: lanes, the processes that they live in, and the projection into Redis."""

from ops.dashboards.panels import Panel, bars, events, graph, states
from ops.dashboards.queries import Query, about, each_step, most, or_nothing, quantiles, rate, series, total

LANE = "tierstream_lane_state"
LANE_STATES = (("stopped", "dark-red"), ("restoring", "orange"), ("paused", "yellow"), ("running", "green"))
RESTORING, PAUSED, RUNNING = (f'state="{name}"' for name, _ in LANE_STATES[1:])
_PARTITION, _INSTANCE = "partition {{partition}}", "{{instance}}"


def lanes() -> list[Panel]:
    """What each lane does, and how it is handed over."""
    each = " or ".join(f"{series(LANE, matcher)} * {number}" for number, matcher in enumerate((RESTORING, PAUSED, RUNNING), 1))
    accounts, policy, fences = "tierstream_accounts", "tierstream_policy_info", "tierstream_fences_total"
    left, took, restored = "tierstream_restore_remaining_records", "tierstream_restore_seconds", "tierstream_restored_records_total"
    in_force = [Query(f"count by (policy, version, digest) ({series(policy)})", "{{policy}} {{version}} {{digest}}")]
    return [
        states("State of each lane", about(LANE), Query(f"max by (partition) ({each})", _PARTITION), LANE_STATES),
        graph("Accounts in memory", about(accounts), [Query(total(accounts, by="partition"), _PARTITION)], "short", width=6, stacked=True),
        bars("Partitions by the policy in force", about(policy), in_force, "short", width=6),
        graph("Still to be restored", about(left), [Query(or_nothing(total(left, by="partition")), _PARTITION)], "short", width=6),
        graph("Restored", about(restored), [Query(rate(restored, by="instance"), _INSTANCE)], "cps", width=6),
        graph("Last restore", about(took), [Query(most(took, by="partition"), _PARTITION)], "s", width=6),
        events("Partitions taken from somebody else", about(fences), [Query(each_step(fences, by="instance"), _INSTANCE)], width=6),
    ]


def workers() -> list[Panel]:
    """Memory, cores, files; which version runs where."""
    memory, cpu, files, most_files = (f"process_{name}" for name in ("resident_memory_bytes", "cpu_seconds_total", "open_fds", "max_fds"))
    build, started = "tierstream_build_info", "tierstream_worker_info"
    runs = [
        Query(f"count by (version, python) ({series(build)})", "tierstream {{version}}, Python {{python}}"),
        Query(f"count by (application, clock) ({series(started)})", "{{application}}, clock {{clock}}"),
    ]
    return [
        graph("Memory", about(memory), [Query(total(memory, by="instance"), _INSTANCE)], "bytes", width=6),
        graph("Cores", about(cpu), [Query(rate(cpu, by="instance"), _INSTANCE)], "none", width=6),
        graph("Open files", about(files), [Query(f"{series(files)} / {series(most_files)}", _INSTANCE)], "percentunit", width=6),
        bars("What runs: workers by version and application", about(build, started), runs, "short", width=6),
    ]


def projection() -> list[Panel]:
    """How far Redis is behind what the workers publish."""
    lag, done, records = (f"tierstream_projection_{name}" for name in ("lag_seconds", "records_total", "behind_records"))
    changed, unchanged, read = (f"tierstream_projection_{name}" for name in ("changes_total", "unchanged_total", "read_timestamp_seconds"))
    odd = [f"tierstream_projection_{name}_total" for name in ("unreadable", "repeats", "rebuilds")]
    behind = [Query(f"time() - {most(read, by='partition')}", _PARTITION)]
    effects = [Query(rate(changed, by="kind"), "{{kind}}"), Query(rate(unchanged, by="kind"), "{{kind}} that Redis had already")]
    return [
        graph("From append to Redis", about(lag), quantiles(lag), "s", width=6),
        graph("Redis is behind by", about(read), behind, "s", width=6, limits=((60, "red"),)),
        graph("Records not in Redis yet", about(records), [Query(total(records, by="topic"), "{{topic}}")], "short", width=6),
        graph("Records projected", about(done), [Query(rate(done, by="topic"), "{{topic}}")], "cps", width=6, stacked=True),
        graph("Changes in Redis", about(changed, unchanged), effects, "cps", width=6),
        *(
            events(title, about(name), [Query(each_step(name, by="instance"), _INSTANCE)], width=6)
            for title, name in zip(("Unreadable records", "Writes repeated", "Partitions begun anew"), odd, strict=True)
        ),
    ]
