"""A worker that only looks alive ends, non-zero, with one line that says why: faults injected into real processes and a real broker."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.builders import interaction
from tests.deployments import Deployment
from tests.integration.commands import Commands
from tests.planted import faults
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish

WATCHDOG_S = 4.0
SAYS = {
    "lane-ends": "watchdog: lane 0 is dead: its thread ended without being told to",
    "ticking-ends": "watchdog: the thread ticking ended without being told to",
    "ticking-dies": "worker: the thread ticking died of an unexpected KeyError: 'planted'",
    "rebalance-hangs": "watchdog: the group has not settled for",
    "loop-stands": "watchdog: the event loop has not turned for",
}


def last_line(said: str) -> str:
    return said.splitlines()[-1]


@pytest.mark.faults
@pytest.mark.alone
def test_whatever_hangs_or_dies_in_a_worker_ends_it_with_70_and_one_line(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    """All at once, each in an application of its own: most of their time is starting."""
    assert SAYS.keys() == faults.keys()
    with ExitStack() as stack:
        workers = {}
        for fault in faults:
            settings = deployment(kafka.bootstrap, prefix, application_id=fault, watchdog_s=WATCHDOG_S, partitions=1)
            command = [sys.executable, "-m", "tests.planted", fault, "worker"]
            workers[fault] = stack.enter_context(Worker(settings, tmp_path / f"{fault}.log", command=command))
        for fault, worker in workers.items():
            assert worker.process.wait(120) == 70, (fault, worker.said[-2_000:])
            assert last_line(worker.said).startswith(SAYS[fault]), (fault, worker.said[-2_000:])


@pytest.mark.faults
@pytest.mark.alone
def test_a_restore_that_waits_for_a_foreign_transaction_ends_and_the_next_one_succeeds(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = deployment(kafka.bootstrap, prefix, partitions=2, watchdog_s=WATCHDOG_S)
    place = Deployment(kafka.bootstrap, prefix, number=1)
    foreign = place.open_transaction("accounts-changelog", "rsomebody")
    with Worker(settings, tmp_path / "stuck.log") as worker:
        assert worker.process.wait(120) == 70
        said = last_line(worker.said)
    assert said.startswith("watchdog: lane 1 has restored nothing for"), said
    assert said.endswith("is a foreign transaction open?")
    foreign.abort_transaction(20)
    with Worker(settings, tmp_path / "next.log") as worker:
        worker.await_lanes(2)
        assert worker.stop() == 0


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    """A broker that has its connections and answers nothing."""
    pid = broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.faults
@pytest.mark.alone
def test_input_that_waits_while_nothing_can_be_committed_ends_the_worker_and_nothing_is_lost(
    own_kafka: Broker, prefix: str, tmp_path: Path
) -> None:
    """Small transactions, so that the broker freezes amid many; and a worker that is told to stop then, stops in its 10 seconds."""
    records = 6_000
    settings = deployment(own_kafka.bootstrap, prefix, partitions=1, watchdog_s=WATCHDOG_S, batch_records=20)
    publish(settings, "interactions", [interaction(f"acct-{number % 50}") for number in range(records)])
    with Worker(settings, tmp_path / "waits.log") as worker:
        eventually(lambda: worker.metric("tierstream_events_total") > 0, 120, "the first commits")
        with frozen(own_kafka):
            assert worker.process.wait(60) == 70
    assert last_line(worker.said).startswith("watchdog: lane 0 has input waiting and has committed nothing for"), worker.said[-2_000:]
    patient = settings.model_copy(update={"watchdog_s": 120.0})
    with Worker(patient, tmp_path / "stops.log") as worker:
        eventually(lambda: worker.metric("tierstream_events_total") > 0, 120, "the first commits after the outage")
        with frozen(own_kafka):
            told_at_s = time.monotonic()
            code = worker.stop()
            assert time.monotonic() - told_at_s <= 10.0
    assert code == 70
    assert last_line(worker.said) == "worker: stopping on SIGTERM took longer than 9.5 s"
    commands = Commands(own_kafka.bootstrap, prefix, 1)
    with Worker(patient.model_copy(update={"batch_records": 5_000}), tmp_path / "last.log") as worker:
        eventually(lambda: Deployment(own_kafka.bootstrap, prefix, 0, partitions=1).progress()["interactions"].next_offset == records, 120)
        assert worker.stop() == 0
    replayed = commands.json("replay", "--live", "--policy", str(settings.policy))
    assert replayed["fine"], replayed
