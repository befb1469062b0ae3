"""The long form, by `make soak MINUTES=n`: every kind of fault again and again, in an order that a seed decides, and a report at the end.

A round is a deployment of its own: two workers, one of them behind the proxy, load, faults for some minutes, then the oracle's verdict.
Not collected by itself (its name begins with no `test_`).
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.integration.faults import test_broker as broker_faults
from tests.integration.faults.conftest import Fragile
from tests.integration.faults.proxy import Proxy
from tests.integration.faults.scene import PARTITIONS, Mortal, Scene, lanes_of
from tests.waiting import eventually

MINUTES = float(os.environ.get("MINUTES", "10"))
SEED = int(os.environ.get("SEED", "0")) or time.time_ns() % 1_000_000
ROUND_S = 240.0
RATE = 500.0
FROZEN_S = 60.0
LONGEST_PAUSE_S = 4.0
WEIGHTS = {
    "worker killed": 30, "worker frozen past its session": 2, "connections cut": 5, "network silent": 2, "connections forgotten": 1,
    "broker killed": 2, "broker stopped": 2, "broker frozen for 60 s": 1, "disk full": 1,
}  # fmt: skip


class Round:
    """One deployment, and what can be done to it."""

    def __init__(self, fragile: Fragile, network: Proxy, workers: list[Mortal], random: Random) -> None:
        self._broker, self._network, self._workers, self._random = fragile.broker, network, workers, random

    def strike(self, fault: str) -> None:
        """One fault, to its end; ends when the next may come."""
        strikes: dict[str, Callable[[], object]] = {
            "worker killed": self._kill,
            "worker frozen past its session": self._freeze_worker,
            "connections cut": self._network.cut,
            "network silent": self._silence,
            "connections forgotten": self._network.forget,
            "broker killed": lambda: broker_faults.is_killed(self._broker),
            "broker stopped": lambda: broker_faults.ends(self._broker),
            "broker frozen for 60 s": lambda: broker_faults.hangs(self._broker, FROZEN_S),
            "disk full": lambda: broker_faults.has_no_room(self._broker),
        }
        strikes[fault]()

    def _worker(self) -> Mortal:
        return self._random.choice(self._workers)

    def _kill(self) -> None:
        if (worker := self._worker()).process.poll() is None:
            worker.kill()

    def _freeze_worker(self) -> None:
        worker = self._worker()
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(10)
        worker.process.send_signal(signal.SIGCONT)

    def _silence(self) -> None:
        self._network.silence()
        time.sleep(10)
        self._network.speak()


def survived(fragile: Fragile, prefix: str, directory: Path, random: Random, until_s: float) -> tuple[Counter[str], Counter[str]]:
    """A round: the faults there were, and what the oracle judged."""
    scene, faults = Scene(fragile.broker.bootstrap, prefix), Counter[str]()
    behind = scene.settings.model_copy(update={"bootstrap_servers": fragile.proxied})
    with (
        fragile.proxy() as network,
        Mortal(scene.settings, directory / "one.log") as one,
        Mortal(behind, directory / "two.log") as two,
        scene.load(RATE, seed=random.randrange(1_000_000)) as load,
    ):
        eventually(lambda: len(lanes_of(one, two)) == PARTITIONS, 120, "all lanes")
        one_round = Round(fragile, network, [one, two], random)
        while time.monotonic() < until_s:
            time.sleep(random.uniform(0.2, LONGEST_PAUSE_S))
            (fault,) = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            one_round.strike(fault)
            faults[fault] += 1
            faults.update(f"worker ended itself with {code}" for code in (one.revive(), two.revive()) if code is not None)
        load.stop()
        eventually(lambda: len(lanes_of(one, two)) == PARTITIONS, 300, "all lanes")
        scene.await_folded(300)
        faults["worker killed"] = one.kills + two.kills
        assert (one.stop(30), two.stop(30)) == (0, 0)
    verdict = scene.assert_exact(load.sent)
    judged = {"records": verdict.events, "transitions": verdict.transitions, "dead letters": verdict.dead_letters}
    return faults, Counter(judged | {"transactions": verdict.transactions, "rounds": 1})


@pytest.mark.timeout(0)
def test_whatever_happens_nothing_is_lost_or_doubled(
    fragile: Fragile, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random, faults, judged = Random(SEED), Counter[str](), Counter[str]()
    began_at_s = time.monotonic()
    try:
        while time.monotonic() < began_at_s + 60 * MINUTES:
            directory = tmp_path / f"round-{judged['rounds']}"
            directory.mkdir()
            until_s = min(time.monotonic() + ROUND_S, began_at_s + 60 * MINUTES)
            more_faults, more_judged = survived(fragile, f"{prefix}{judged['rounds']}-", directory, random, until_s)
            faults, judged = faults + more_faults, judged + more_judged
    finally:
        minutes = (time.monotonic() - began_at_s) / 60
        report = {"seed": SEED, "minutes": round(minutes, 1), "faults survived": dict(faults), "judged": dict(judged)}
        with capsys.disabled():
            print(f"\n{json.dumps(report, indent=2)}\n(of the rounds that ended, all exact; again with SEED={SEED}; logs in {tmp_path})")
