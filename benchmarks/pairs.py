"""What does something cost that a worker could leave out? The same work with it and without it, in pairs, by processor time.

Rules: both halves of a pair run one after the other on the same input, in an order that changes from pair to pair; nobody asks a worker
for anything (but the usual scrape, where counting is what is measured); the span is that of `throughput`: from the moment every account
is known to the last commit. The cost of a pair is the share that it adds to the processor time without it. The interval is from the
second smallest to the second largest pair: of nine pairs it holds the true median with a probability of 96 %, whatever the noise.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.fold_order import Folding
from benchmarks.processes import CpuLog
from benchmarks.stand import Stand, Worker
from benchmarks.throughput import checked, filled, result
from benchmarks.workload import SPANS_MS

SCRAPE_S = 5.0
_WHOLE = "whole"


def measured(stand: Stand, policy: Path, variant: str, *, accounts: int, records: int, pairs: int, tell: Tell) -> Iterator[Run]:
    """One result for each pair."""
    prefix = f"pairs-{variant}"
    total = filled(stand.settings(prefix, "fill"), SPANS_MS[policy.stem], accounts, records, tell)
    for number in range(1, pairs + 1):
        us = {}
        halves = (_WHOLE, variant) if number % 2 else (variant, _WHOLE)
        for half in halves:
            said = f"{variant}: pair {number} of {pairs}, {half}"
            us[half] = _cpu_us(stand, stand.settings(prefix, f"{half}-{number}"), policy, half, total, said, tell)
        yield {"with_us": us[_WHOLE], "without_us": us[variant], "cost_percent": 100 * (us[_WHOLE] / us[variant] - 1)}


def _cpu_us(stand: Stand, settings: Settings, policy: Path, half: str, total: int, said: str, tell: Tell) -> float:
    command: Sequence[str] = () if half == _WHOLE else ("-m", "benchmarks.variants", half)
    with (
        Folding(settings) as folding,
        stand.worker(settings, policy, command) as worker,
        CpuLog(worker.pid) as used,
        _scraping(worker) if half != "uncounted" else nullcontext(),
    ):
        folding.await_folded(total, worker.require_alive, lambda share: tell(said, share))
    checked(settings, total)
    return result(settings, used)["cpu_us"]


@contextmanager
def _scraping(worker: Worker) -> Iterator[None]:
    """Somebody asks for the metrics every few seconds, as Prometheus does."""
    end = threading.Event()

    def ask() -> None:
        while not end.wait(SCRAPE_S):
            worker.metrics()

    thread = threading.Thread(target=ask, name="scraping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
