"""The broker ends, is killed, hangs, and has no room left, one after another, under load; each time it comes back and so does the work.

"No room" is a limit on the size of a file (RLIMIT_FSIZE) that the broker's process is given while it runs: its next write past the
largest file it has fails, as on a full disk, without leave to mount one. The broker then ends itself, as Kafka does.
"""

import os
import resource
import signal
import time
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from agents.embedded.configuration import data_directory
from tests.integration.faults.conftest import Fragile
from tests.integration.faults.scene import Load, Scene
from tests.waiting import eventually
from tests.workers import Worker

OUTAGE_S = 3.0
FROZEN_S = 8.0  # past the session, and past the group's patience with a broker that says nothing
ROOM_BYTES = 100_000
RATE = 300.0  # it goes on through every outage, and all of it is judged


def ends(broker: Broker) -> None:
    assert broker.stop()
    time.sleep(OUTAGE_S)  # the outage itself
    broker.start()


def is_killed(broker: Broker) -> None:
    broker.kill()
    time.sleep(OUTAGE_S)
    broker.start()


def hangs(broker: Broker, seconds: float = FROZEN_S) -> None:
    pid = broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)
    assert broker.answers(60)


def has_no_room(broker: Broker) -> None:
    pid = broker.pid
    assert pid is not None
    written = max(file.stat().st_size for file in data_directory(broker.directory).rglob("*.log"))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (written + ROOM_BYTES, resource.RLIM_INFINITY))
    eventually(lambda: broker.pid is None, 60, "the broker ending for want of room")
    broker.start()


@pytest.mark.faults
def test_work_goes_on_by_itself_after_whatever_becomes_of_the_broker(fragile: Fragile, prefix: str, tmp_path: Path) -> None:
    scene = Scene(fragile.broker.bootstrap, prefix)
    with (
        Worker(scene.settings, tmp_path / "one.log", "--supervised") as one,
        Worker(scene.settings, tmp_path / "two.log", "--supervised") as two,
    ):
        one.await_lanes(2)
        two.await_lanes(2)
        with scene.load(RATE) as load:
            for fault in (is_killed, ends, hangs, has_no_room):
                goes_through(scene, load)
                fault(fragile.broker)
            load.await_more(1_000)
        scene.await_folded(150)
        assert (one.stop(), two.stop()) == (0, 0)
    scene.assert_exact(load.sent)


def goes_through(scene: Scene, load: Load) -> None:
    """Load is taken, and folded."""
    load.await_more(1_000)
    before = scene.transactions()
    eventually(lambda: scene.transactions() > before, 90, "a transaction after the fault before")
