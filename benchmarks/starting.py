"""The figures of how soon: after a kill, after a change of policy, and from the first command of somebody who has just come."""

from collections.abc import Iterator

from benchmarks import activation, first_transition, restore
from benchmarks.plans import POLICIES, Plan, Row, on_stand, plain
from benchmarks.restore import Made
from benchmarks.workload import one_each, profiles


def plans() -> Iterator[Plan]:
    """All of them."""
    yield _restore("restore", "rows only", "Every account has had one interaction, so it has a row and no dossier.", one_each, 3)
    yield _restore("restore-profiles", "a profile each", "Every account has had one profile, so it has a row and a dossier.", profiles, 6)
    yield _activation()
    yield _first_transition()
    yield _first_transition_cold()


def _restore(name: str, what: str, more: str, made: Made, minutes: float) -> Plan:
    return Plan(
        name=name,
        title=f"Restore after kill -9, {what}, 8 partitions on one core, policy `sabc-live`",
        how=f"{more} The worker is killed; a record for each partition comes in; another worker starts. From the group's assignment to the "
        "commit of the slowest partition's record. A new process loads compiled code before that, while the group still waits for the "
        "killed one: measured apart and added. Memory: growth over a worker that knows no account, client buffers included.",
        rows=(
            Row("to_fold_s", "loading compiled code, and from the start of the restore to the first fold", "s", 2, "<= 5 for a million"),
            Row("load_s", "of which loading compiled code", "s", 2),
            Row("restore_s", "the restore alone, slowest partition", "s", 2),
            Row(
                "outside_s", "from the start of the other process to its first fold, with the group's patience with the killed one", "s", 2
            ),
            Row("records", "changelog records read", "1"),
            Row("bytes_per_account", "memory for an account, client buffers included", "B"),
        ),
        sizes={"accounts": 1_000_000},
        small={"accounts": 20_000},
        take=lambda sizes, runs, tell: on_stand(
            lambda stand: plain(restore.measured(stand, POLICIES / "sabc-live.yaml", made, **sizes, runs=runs, tell=tell))
        ),
        minutes=minutes,
        asked_for=True,
    )


def _activation() -> Plan:
    return Plan(
        name="activation",
        title="Everybody decided again after `policy activate`, events coming in, policy `sabc-live`",
        how="An interaction of every account, one in twenty with a profile. Events come as for the latency above; then other weights and "
        "thresholds are put in force, by which one account in ten moves; next run, those before again. From the order's append to the "
        "commit of the last account decided. No core is reserved. Checked: nobody is left over, and an offline replay of the log "
        "publishes the same.",
        rows=(
            Row("again_s", "until every account is decided again", "s", 1, "<= 30 for a million"),
            Row("moved", "transitions by it", "1"),
            Row("rate", "events sent a second", "1/s"),
            Row("events_per_s", "events folded a second meanwhile", "1/s"),
            Row("before_p50_ms", "append to transition readable before, median", "ms", 1),
            Row("before_p99_ms", "before, 99 of 100", "ms", 1),
            Row("meanwhile_p50_ms", "append to transition readable meanwhile, median", "ms", 1),
            Row("meanwhile_p99_ms", "meanwhile, 99 of 100", "ms", 1),
            Row("meanwhile_max_ms", "meanwhile, worst", "ms", 1),
            Row("preview_s", "computing beforehand who would move (`--dry-run`)", "s", 1),
        ),
        sizes={"accounts": 1_000_000, "seconds": 50, "rate": 5_000, "every": 50},
        small={"accounts": 20_000, "seconds": 16, "rate": 2_000, "every": 20},
        take=lambda sizes, runs, tell: on_stand(
            lambda stand: plain(activation.measured(stand, POLICIES / "sabc-live.yaml", **sizes, runs=runs, tell=tell)), pinned=False
        ),
        most_runs=3,
        minutes=8,
    )


def _first_transition() -> Plan:
    return Plan(
        name="demo",
        title="First tier transition on screen, everything there already",
        how="`tierstream demo` in this checkout, from the command to the first line that shows a transition.",
        rows=(
            Row("first_transition_s", "to the first transition", "s", 1, "<= 20"),
            Row("whole_s", f"to the end of a demo of {first_transition.SECONDS} s", "s", 1),
        ),
        sizes={},
        small={},
        take=lambda _, runs, tell: plain(first_transition.warm(runs=runs, tell=tell)),
        most_runs=3,
    )


def _first_transition_cold() -> Plan:
    return Plan(
        name="demo-cold",
        title="First tier transition on screen, from a fresh clone",
        how="`make demo` in a fresh clone with an empty home directory: makes the environment, downloads packages and Kafka; "
        "then the same command again. The speed of the network is in it.",
        rows=(
            Row("first_transition_s", "to the first transition, with downloads", "s", 1, "<= 120"),
            Row("second_s", "the second time", "s", 1, "<= 20"),
        ),
        sizes={},
        small={},
        take=lambda _, runs, tell: plain(first_transition.cold(runs=runs, tell=tell)),
        minutes=7,
        asked_for=True,
    )
