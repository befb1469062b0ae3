"""The network between a worker and its broker: slow, cut, and half-open (connections that nobody closes and that carry nothing).

What such connections cost a worker that is alone is a matter of its clients' patience, 15 s to 80 s: that is for `make soak`. Here
another one takes over, and the first comes back when its connections are reset.
"""

from pathlib import Path

import pytest

from tests.integration.faults.conftest import Fragile
from tests.integration.faults.scene import Scene
from tests.workers import Worker

LATENCY_S = 0.02
CUTS = 4
BACK_S = 60.0


@pytest.mark.faults
def test_a_slow_broken_and_half_open_network_loses_and_doubles_nothing(fragile: Fragile, prefix: str, tmp_path: Path) -> None:
    scene = Scene(fragile.broker.bootstrap, prefix)
    through = scene.settings.model_copy(update={"bootstrap_servers": fragile.proxied})
    with (
        fragile.proxy() as network,
        Worker(through, tmp_path / "behind.log", "--supervised") as behind,
        Worker(scene.settings, tmp_path / "heir.log") as heir,
    ):
        for worker in (behind, heir):
            worker.await_lanes(2)
        with scene.load() as load:
            network.latency_s = LATENCY_S
            load.await_more(2_000)
            network.latency_s = 0.0
            for _ in range(CUTS):
                assert network.cut() > 0
                load.await_more(400)
            network.silence()
            heir.await_lanes(4, BACK_S)
            load.await_more(1_000)
            assert network.forget() > 0
            network.speak()
            load.await_more(1_000)
            network.cut()
            for worker in (behind, heir):
                worker.await_lanes(2, BACK_S)
            load.await_more(1_000)
        scene.await_folded()
        assert (behind.stop(), heir.stop()) == (0, 0)
    scene.assert_exact(load.sent)
