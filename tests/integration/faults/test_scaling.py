"""One worker becomes two and one again under load; a worker that is told to stop does so cleanly."""

import time
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.integration.faults.scene import Scene
from tests.workers import Worker


@pytest.mark.faults
def test_scaling_from_one_to_two_and_back_loses_and_doubles_nothing(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    with Worker(scene.settings, tmp_path / "one.log") as one:
        one.await_lanes(4)
        with scene.load() as load:
            load.await_more(5_000)
            with Worker(scene.settings, tmp_path / "two.log") as two:
                two.await_lanes(2)
                one.await_lanes(2)
                load.await_more(8_000)
                assert two.stop() == 0
            one.await_lanes(4)
            load.await_more(5_000)
        scene.await_folded()
        assert one.stop() == 0
    scene.assert_exact(load.sent)


@pytest.mark.faults
def test_sigterm_under_load_ends_a_worker_cleanly_within_10_seconds(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    with scene.load() as load:
        for turn in range(2):
            with Worker(scene.settings, tmp_path / f"turn-{turn}.log") as worker:
                worker.await_lanes(4)
                load.await_more(5_000)
                began_at = time.monotonic()
                assert worker.stop() == 0
                assert time.monotonic() - began_at <= 10
                assert "Traceback" not in worker.said
    with Worker(scene.settings, tmp_path / "last.log") as worker:
        scene.await_folded()
        assert worker.stop() == 0
    scene.assert_exact(load.sent)
