"""What does something cost that a worker could leave out? The same work with it and without it, in pairs, by processor time.

Rules: both halves of a pair run one after the other on the same records, in an order that changes from pair to pair, each in topics of
its own; a worker folds a profile of each account, is halted (SIGSTOP) while the interactions are put into the topics, and what it uses
from then on until all of them are committed counts, divided by them; nobody asks a worker for anything (but the usual scrape, where
counting is what is measured). The cost of a pair is the share that it adds to the processor time without it. The interval is from the
second smallest to the second largest pair: of nine pairs it holds the true median with a probability of 96 %, whatever the noise.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from agents.clocks import wall_clock
from agents.generating.poison import Framed
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.fold_order import Folding
from benchmarks.stand import Stand, Worker, preload
from benchmarks.throughput import FIRST_EVENTS, checked
from benchmarks.workload import SPANS_MS, interactions, one_each, profiles

SCRAPE_S = 5.0
_SESSION_S = 300.0
_WHOLE = "whole"


class Work(NamedTuple):
    """The records of every half: those by which accounts are known, and those that count."""

    known: list[Framed]
    events: list[Framed]


def measured(stand: Stand, policy: Path, variant: str, *, accounts: int, records: int, pairs: int, tell: Tell) -> Iterator[Run]:
    """One result for each pair."""
    tell(f"{variant}: making {records:,} records")
    work = _work(accounts, records, SPANS_MS[policy.stem])
    for number in range(1, pairs + 1):
        us = {}
        for half in (_WHOLE, variant) if number % 2 else (variant, _WHOLE):
            tell(f"{variant}: pair {number} of {pairs}, {half}")
            settings = stand.settings(f"pairs-{variant}-{number}-{half}", "bench", clock="records", session_timeout_s=_SESSION_S)
            us[half] = _cpu_us(stand, settings, policy, half, work)
        yield {"with_us": us[_WHOLE], "without_us": us[variant], "cost_percent": 100 * (us[_WHOLE] / us[variant] - 1)}


def _work(accounts: int, records: int, span_ms: int) -> Work:
    start_at_ms = wall_clock() - span_ms
    known = chain(one_each(min(accounts, FIRST_EVENTS), start_at_ms), profiles(accounts, start_at_ms))
    return Work(list(known), list(interactions(accounts, records, start_at_ms, span_ms)))


def _cpu_us(stand: Stand, settings: Settings, policy: Path, half: str, work: Work) -> float:
    """Microseconds of the worker's processor time for an event."""
    command: Sequence[str] = () if half == _WHOLE else ("-m", "benchmarks.variants", half)
    known = preload(settings, iter(work.known), lambda _: None)
    with Folding(settings) as folding, stand.worker(settings, policy, command) as worker:
        folding.await_folded(known, worker.require_alive, lambda _: None)
        worker.process.send_signal(signal.SIGSTOP)
        total = known + preload(settings, iter(work.events), lambda _: None)
        used_s = worker.cpu_s()
        with _scraping(worker) if half != "uncounted" else nullcontext():
            worker.process.send_signal(signal.SIGCONT)
            folding.await_folded(total, worker.require_alive, lambda _: None)
            used_s = worker.cpu_s() - used_s
    checked(settings, total)
    return used_s / len(work.events) * 1e6


@contextmanager
def _scraping(worker: Worker) -> Iterator[None]:
    """Somebody asks for the metrics every few seconds, as Prometheus does; first after half of that, as it comes about on average."""
    end = threading.Event()

    def ask() -> None:
        wait_s = SCRAPE_S / 2
        while not end.wait(wait_s):
            worker.metrics()
            wait_s = SCRAPE_S

    thread = threading.Thread(target=ask, name="scraping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
