"""A worker that is stopped past its session and wakes up when others have its partitions."""

import signal
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.integration.faults.scene import Scene
from tests.waiting import eventually
from tests.workers import Worker


@pytest.mark.faults
def test_a_zombie_is_fenced_ends_with_70_and_doubles_nothing(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    with Worker(scene.settings, tmp_path / "zombie.log") as zombie, Worker(scene.settings, tmp_path / "heir.log") as heir:
        zombie.await_lanes(2)
        heir.await_lanes(2)
        with scene.load() as load:
            load.await_more(2_500)
            zombie.process.send_signal(signal.SIGSTOP)
            heir.await_lanes(4, 60)
            load.await_more(2_500)
            zombie.process.send_signal(signal.SIGCONT)
            eventually(lambda: zombie.process.poll() is not None, 60, "the zombie's end")
            load.await_more(1_000)
        assert zombie.process.returncode == 70, zombie.said[-2000:]
        scene.await_folded()
        assert heir.stop() == 0
    scene.assert_exact(load.sent)
