"""Ten kill -9 over two supervised workers under load."""

import os
import re
import signal
import time
from pathlib import Path
from random import Random

import pytest

from agents.embedded.broker import Broker
from tests.integration.faults.scene import Scene
from tests.waiting import eventually
from tests.workers import Worker

KILLS = 10


def pids(worker: Worker) -> list[int]:
    """Every process that its supervisor has started."""
    return [int(pid) for pid in re.findall(r"worker starts pid=(\d+)", worker.said)]


@pytest.mark.faults
def test_ten_kills_lose_and_double_nothing(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene, random = Scene(kafka.bootstrap, prefix), Random(10)
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    with Worker(scene.settings, logs[0], "--supervised") as one, Worker(scene.settings, logs[1], "--supervised") as two:
        for worker in (one, two):
            worker.await_lanes(2)
        with scene.load() as load:
            for kill in range(KILLS):
                time.sleep(random.uniform(0.5, 3.0))  # any moment: in the middle of a transaction, a rebalance, a restore
                victim = (one, two)[kill % 2]
                starts = pids(victim)
                os.kill(starts[-1], signal.SIGKILL)
                eventually(lambda victim=victim, starts=starts: len(pids(victim)) > len(starts), 60, "a new start")  # type: ignore[misc]
            load.await_more(5_000)
        sent = load.sent
        scene.await_folded()
        assert len(pids(one)) + len(pids(two)) >= KILLS + 2
        assert (one.stop(), two.stop()) == (0, 0)
    scene.assert_exact(sent)
