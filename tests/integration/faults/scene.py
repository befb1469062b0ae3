"""What the tests of faults have in common: a deployment under a policy of fading points, load with poison, and the oracle's verdict."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

from agents.clocks import wall_clock
from agents.dying import ExitCode
from agents.generating.lives import Lives
from agents.generating.poison import Framed, Poisoner, framed
from agents.generating.producing import Feeder
from agents.settings import Settings
from schemas.codec import Codec
from tests.oracle.judging import Anomaly
from tests.oracle.reading import Deployment
from tests.oracle.recomputing import inputs_of
from tests.oracle.wire import decoded
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment

POLICY = ROOT / "tests" / "policies" / "fading.yaml"
PARTITIONS = 4
ACCOUNTS = 1_500
RATE = 1_000.0
POISON_SHARE = 0.001
DAYS_A_SECOND = 86_400.0


class Verdict(NamedTuple):
    """What the oracle says of a deployment: anomalies, and how much it has judged."""

    anomalies: list[Anomaly]
    events: int
    transitions: int
    dead_letters: int
    transactions: int


class Load:
    """Generated lives into Kafka at a rate, until stopped; each record is delivered exactly once."""

    def __init__(self, settings: Settings, rate: float, seed: int, accounts: int = ACCOUNTS) -> None:
        self._random, self._codec = Random(seed), Codec()
        self._lives = Lives(self._random, accounts, start_at_ms=wall_clock(), pace=DAYS_A_SECOND, run=f"load{seed}")
        self._poisoner = Poisoner(self._random, POISON_SHARE, settings.partitions, self._codec)
        self._stop = threading.Event()
        self._feeder = Feeder(settings, rate=rate)
        self._thread = threading.Thread(target=self._feeder.feed, args=(self._records(), self._stop), daemon=True)

    def _records(self) -> Iterator[Framed]:
        for happening in self._lives.births():
            yield framed(happening, self._codec)
        while True:
            yield self._poisoner.frame(self._lives.at(wall_clock()))

    @property
    def sent(self) -> int:
        """Records so far."""
        return self._feeder.tally.records

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def await_more(self, records: int, timeout_s: float = 120.0) -> None:
        """Until so many more records have been sent."""
        goal = self.sent + records
        eventually(lambda: self.sent >= goal, timeout_s, f"{records} more records")

    def stop(self) -> int:
        """End it; gives the number of records, all of which the broker has."""
        self._stop.set()
        self._thread.join(150)
        assert not self._thread.is_alive(), "the load must end"
        assert not self._feeder.tally.undelivered.total(), self._feeder.tally.undelivered
        return self.sent


class Mortal(Worker):
    """A worker that is killed and at once started again, as often as the test likes: no pause of a supervisor, no moment to recover."""

    def __init__(self, settings: Settings, log: Path, *arguments: str) -> None:
        super().__init__(settings, log, *arguments)
        self._again = lambda: Worker(settings, log, *arguments).process
        self.kills = 0

    def kill(self) -> None:
        """SIGKILL to a worker that runs, and another one in its place. It may have ended itself, fenced, as supervision expects."""
        assert self.revive() in (None, ExitCode.ENDED_ITSELF), self.said[-2000:]
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self._again()
        self.kills += 1

    def revive(self) -> int | None:
        """Start it again if it has ended itself; with which code, None if it runs."""
        if (code := self.process.poll()) is not None:
            self.process = self._again()
        return code


def killed_at_random(random: Random, workers: list[Mortal], kills: int, longest_s: float) -> None:
    """One after another, at any moment: in the middle of a transaction, a rebalance, a restore, a start."""
    for kill in range(kills):
        time.sleep(random.uniform(0.2, longest_s))
        workers[kill % len(workers)].kill()


def lanes_of(*workers: Mortal) -> set[int]:
    """The lanes that run; a worker that ended itself is started again on the way."""
    running = [worker for worker in workers if worker.revive() is None and "web=" in worker.said]
    return {number for worker in running for number in worker.lanes()}


class Scene:
    """One deployment of four partitions on a broker."""

    def __init__(self, bootstrap: str, prefix: str, **more: Any) -> None:
        self.settings = deployment(bootstrap, prefix, policy=str(POLICY), partitions=PARTITIONS, **more)
        self.policy = yaml.safe_load(POLICY.read_text())
        self.where = Deployment(bootstrap, prefix, self.settings.application_id, PARTITIONS)

    def load(self, rate: float = RATE, seed: int = 1, accounts: int = ACCOUNTS) -> Load:
        """Load for this deployment."""
        return Load(self.settings, rate, seed, accounts)

    def await_folded(self, timeout_s: float = 120.0) -> None:
        """Until fold-order covers every input to its end."""
        began_at = time.monotonic()
        while left := self.where.behind(inputs_of(self.policy)):
            assert time.monotonic() - began_at < timeout_s, f"not folded after {timeout_s} s: {left}"

    def transactions(self) -> int:
        """How many there have been: fold-order has a record of each."""
        order = self.where.own("fold-order")
        return sum(map(len, self.where.read(order)[order].values()))

    def reached(self, topic: str) -> dict[int, int]:
        """How far each partition of an input has been folded."""
        order = self.where.own("fold-order")
        found: dict[int, int] = {}
        for number, messages in self.where.read(order)[order].items():
            for part in (part for message in messages for part in decoded("FoldOrder", message.value())["ranges"]):
                if part["topic"] == topic:
                    found[number] = part["to_offset"]
        return found

    def verdict(self) -> Verdict:
        """Read everything and judge it."""
        anomalies, partitions = self.where.judged(self.policy)
        return Verdict(
            anomalies,
            sum(len(records) for left in partitions for records in left.inputs.values()),
            sum(len(left.transitions) for left in partitions),
            sum(len(left.dead_letters) for left in partitions),
            sum(len(left.orders) for left in partitions),
        )

    def assert_exact(self, sent: int) -> Verdict:
        """Everything folded, and not one anomaly. Prints what was judged."""
        self.await_folded()
        verdict = self.verdict()
        print(f"judged {verdict._replace(anomalies=[])} of {sent} sent")
        assert verdict.anomalies == [], f"{len(verdict.anomalies)} anomalies, the first: {verdict.anomalies[:10]}"
        assert verdict.events == sent
        assert verdict.transitions > 0
        assert verdict.dead_letters > 0
        return verdict
