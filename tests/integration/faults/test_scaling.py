"""One worker becomes two, three, and one again under load; a worker that is told to stop does so cleanly."""

import time
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.integration.faults.scene import Scene
from tests.waiting import eventually
from tests.workers import Worker

STOP_WITHIN_S = 10.0


def stopped(worker: Worker) -> None:
    """SIGTERM under load: it ends in time, with 0, and without a traceback."""
    began_at = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began_at <= STOP_WITHIN_S
    assert "Traceback" not in worker.said


@pytest.mark.faults
def test_scaling_from_one_to_two_to_three_and_back_loses_and_doubles_nothing(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    with Worker(scene.settings, tmp_path / "one.log") as one, scene.load() as load:
        one.await_lanes(4)
        load.await_more(2_000)
        with Worker(scene.settings, tmp_path / "two.log") as two:
            two.await_lanes(2)
            one.await_lanes(2)
            load.await_more(2_000)
            with Worker(scene.settings, tmp_path / "three.log") as three:
                eventually(three.lanes, 30, "a lane of the third")
                load.await_more(2_000)
                stopped(three)
            stopped(two)
        one.await_lanes(4)
        load.await_more(2_000)
        stopped(one)
        with Worker(scene.settings, tmp_path / "last.log") as last:
            load.stop()
            scene.await_folded()
            stopped(last)
    scene.assert_exact(load.sent)
