"""The figures of how soon: after a kill, and from the first command of somebody who has just come."""

from collections.abc import Iterator

from benchmarks import first_transition, restore
from benchmarks.plans import POLICIES, Plan, Row, on_stand, plain
from benchmarks.restore import Made
from benchmarks.workload import one_each, profiles


def plans() -> Iterator[Plan]:
    """All of them."""
    yield _restore("restore", "rows only", "Every account has had one interaction, so it has a row and no dossier.", one_each, 3)
    yield _restore("restore-profiles", "a profile each", "Every account has had one profile, so it has a row and a dossier.", profiles, 6)
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
