"""kill -9, again and again, over two workers under load."""

from pathlib import Path
from random import Random

import pytest

from tests.integration.faults.conftest import Fragile
from tests.integration.faults.scene import PARTITIONS, Mortal, Scene, killed_at_random, lanes_of
from tests.waiting import eventually

KILLS = 12
LONGEST_S = 3.0


@pytest.mark.faults
def test_twelve_kills_lose_and_double_nothing(fragile: Fragile, prefix: str, tmp_path: Path) -> None:
    scene = Scene(fragile.broker.bootstrap, prefix, session_timeout_s=3.0)
    with Mortal(scene.settings, tmp_path / "one.log") as one, Mortal(scene.settings, tmp_path / "two.log") as two:
        for worker in (one, two):
            worker.await_lanes(2)
        with scene.load() as load:
            killed_at_random(Random(10), [one, two], KILLS, LONGEST_S)
            load.await_more(3_000)
        eventually(lambda: len(lanes_of(one, two)) == PARTITIONS, 60, "all lanes")
        scene.await_folded()
        assert one.kills + two.kills == KILLS
        assert (one.stop(), two.stop()) == (0, 0)
    scene.assert_exact(load.sent)
