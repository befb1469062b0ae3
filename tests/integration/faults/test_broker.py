"""The broker is killed under load and comes back."""

import time
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.integration.faults.scene import Scene
from tests.workers import Worker

OUTAGE_S = 5.0


@pytest.mark.faults
def test_work_goes_on_by_itself_after_the_broker_was_killed(own_kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(own_kafka.bootstrap, prefix)
    with (
        Worker(scene.settings, tmp_path / "one.log", "--supervised") as one,
        Worker(scene.settings, tmp_path / "two.log", "--supervised") as two,
    ):
        one.await_lanes(2)
        two.await_lanes(2)
        with scene.load() as load:
            for _ in range(2):
                load.await_more(10_000)
                own_kafka.kill()
                time.sleep(OUTAGE_S)  # the outage itself
                own_kafka.start()
            load.await_more(5_000)
        scene.await_folded(150)
        assert (one.stop(), two.stop()) == (0, 0)
    scene.assert_exact(load.sent)
