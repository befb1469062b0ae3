"""What several partitions cost, and what a second worker brings. On the broker, policy `common`, the load of the comparison.

Rules: the topics are filled while the workers are ready and halted (SIGSTOP), so that all of them begin at the same instant with
everything there; the span is from the first commit after that to the last, by what a reader of `fold-order` could read; on a machine
of two cores the second worker shares a core with the broker, which the page says beside the figure.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from agents.clocks import wall_clock
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.fold_order import Commit, Folding, folded
from benchmarks.peers import load
from benchmarks.peers.tierstream import POLICY
from benchmarks.processes import BROKER_CORE, WORKER_CORE, CpuLog
from benchmarks.stand import Stand, Worker, preload

PARTITIONS = (1, 4, 8, 16)
_SESSION_S = 300.0
_HALTED_S = 240.0


def partitions(stand: Stand, *, accounts: int, records: int, runs: int, tell: Tell) -> Iterator[Run]:
    """Events a second and processor time of one worker, by the number of its partitions."""
    for number in range(1, runs + 1):
        run: Run = {}
        for count in PARTITIONS:
            said = f"{count} partitions: run {number} of {runs}"
            settings = _settings(stand, f"spread-{count}-{number}", count)
            rate, cpu_us = _measured(stand, settings, [WORKER_CORE], accounts, records, partial(tell, said))
            run |= {f"events_per_s {count}": rate, f"cpu_us {count}": cpu_us}
        yield run


def workers(stand: Stand, *, accounts: int, records: int, runs: int, tell: Tell) -> Iterator[Run]:
    """Events a second of one worker and of two."""
    for number in range(1, runs + 1):
        one, one_us = _measured(
            stand,
            _settings(stand, f"one-{number}", 8),
            [WORKER_CORE],
            accounts,
            records,
            partial(tell, f"one worker: run {number} of {runs}"),
        )
        both = [WORKER_CORE, BROKER_CORE]
        two, two_us = _measured(
            stand, _settings(stand, f"two-{number}", 8), both, accounts, records, partial(tell, f"two workers: run {number} of {runs}")
        )
        yield {"one": one, "two": two, "times": two / one, "one_us": one_us, "two_us": two_us}


def _settings(stand: Stand, prefix: str, count: int) -> Settings:
    return stand.settings(prefix, "bench", partitions=count, session_timeout_s=_SESSION_S)


def _measured(stand: Stand, settings: Settings, cores: list[int], accounts: int, records: int, tell: partial[None]) -> tuple[float, float]:
    total = accounts + records
    with ExitStack() as stack:
        folding = stack.enter_context(Folding(settings))
        crew = [stack.enter_context(stand.worker(settings, POLICY, core=core, name=f"-{core}")) for core in cores]
        _await_shared(crew, settings.partitions)
        for worker in crew:
            worker.process.send_signal(signal.SIGSTOP)
        preload(settings, load.records(accounts, records, wall_clock()), lambda tally: tell(tally.records / total))
        used = [stack.enter_context(CpuLog(worker.pid)) for worker in crew]
        for worker in crew:
            worker.process.send_signal(signal.SIGCONT)
        folding.await_folded(total, partial(_require_alive, crew), tell)
        begins_at_s, ends_at_s, events = span(folding.commits, accounts)
        cpu_s = sum(log.between(begins_at_s, ends_at_s) for log in used)
    return events / (ends_at_s - begins_at_s), cpu_s / events * 1e6


def _require_alive(crew: list[Worker]) -> None:
    for worker in crew:
        worker.require_alive()


def _await_shared(crew: list[Worker], partitions: int) -> None:
    """Every partition runs, each worker has its part of them, and the group is at rest."""
    for worker in crew:
        worker.await_metrics(
            lambda found: found.get("tierstream_lane_state.running") == partitions / len(crew),
            _HALTED_S,
            "an equal share of the partitions",
        )


def span(commits: list[Commit], warm_up: int) -> tuple[float, float, int]:
    """From the commit that brings the records folded to twice the warm-up, to the last one; and the records folded between them."""
    done = 0
    for place, commit in enumerate(commits):
        done += commit.records
        if done >= 2 * warm_up:
            return commit.at_s, commits[-1].at_s, folded(commits[place + 1 :])
    raise ValueError(f"at least {2 * warm_up} records must be folded, {done} are")
