"""Law of the whole chain at 60 times the speed, on a real Kafka, Prometheus and Alertmanager: a healthy engine wakes nobody, and each fault
is told with the way out of it.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from agents import clients
from agents.embedded.broker import Broker
from agents.settings import Settings
from ops.alerts.rules import RUNBOOKS
from schemas.codec import Codec
from tests.builders import interaction
from tests.companions.conftest import Start
from tests.companions.listening import listening, tell, watch
from tests.companions.programs import Server
from tests.companions.test_metrics import asked
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment

SCALE = 60
HEALTHY_S = 15
"""So many samples of a healthy engine: a quarter of an hour at full scale."""


class Traffic:
    """Somebody who writes all the time. `junk`: nine of ten records are in order, the tenth is not."""

    def __init__(self, settings: Settings) -> None:
        self.junk = False
        self._producer, self._codec, self._topic = clients.idempotent_producer(settings), Codec(), settings.topic_name("interactions")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        number = 0
        while not self._stopped.wait(0.05):
            number += 1
            account = f"account-{number % 200}"
            visit = interaction(account, event_id=f"visit-{number}", at=time.time_ns() // 1_000_000)
            payload = b"junk" if self.junk and number % 10 == 0 else self._codec.encode(visit)
            self._producer.produce(self._topic, payload, account.encode())
            self._producer.poll(0)

    @contextmanager
    def running(self) -> Iterator["Traffic"]:
        """While the caller is inside."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            self._thread.join()


def reviewed_today(folder: Path) -> Path:
    """A policy of which nobody wants a review."""
    text = (ROOT / "tests" / "policies" / "plain.yaml").read_text()
    (folder / "policy.yaml").write_text(text.replace("reviewed_on: 2026-11-01", f"reviewed_on: {date.today()}"))  # noqa: DTZ011 - any zone
    return folder / "policy.yaml"


def test_a_healthy_engine_wakes_nobody_and_each_of_three_faults_is_told(
    own_kafka: Broker, prefix: str, prometheus: Start, alertmanager: Start, tmp_path: Path
) -> None:
    policy = str(reviewed_today(tmp_path))
    settings = deployment(own_kafka.bootstrap, prefix, partitions=2, policy=policy, tick_every_s=0.2, tick_heartbeat_s=0.5)
    with listening() as told, Worker(settings, tmp_path / "worker.log") as worker, Traffic(settings).running() as traffic:
        worker.await_lanes(2, 120)
        eventually(lambda: worker.metric("tierstream_events_total") > 100, 60, "events being scored")
        tell(tmp_path, told)
        watch(tmp_path, SCALE, alertmanager(tmp_path), worker.url)
        server = prometheus(tmp_path)

        eventually(lambda: asked(server, f"count_over_time(up[1m]) > {HEALTHY_S}"), 120, "a healthy while")
        assert ever_firing(server) == set()
        assert told.firing() == set()

        traffic.junk = True
        eventually(lambda: "TierstreamDeadLetters" in told.firing(), 90, "junk being told")
        assert told.about("TierstreamDeadLetters")["labels"]["topic"] == "interactions"
        traffic.junk = False

        assert own_kafka.pid is not None
        os.kill(own_kafka.pid, signal.SIGSTOP)
        eventually(lambda: "TierstreamWorkerWithoutCommits" in told.firing(), 90, "silent brokers being told")
        os.kill(own_kafka.pid, signal.SIGCONT)
        eventually(lambda: "TierstreamWorkerWithoutCommits" in told.resolved(), 120, "brokers that are back being told")

        worker.process.kill()
        eventually(lambda: "TierstreamWorkerDown" in told.firing(), 90, "a worker that is gone being told")
        told_of = told.about("TierstreamWorkerDown")
    assert told_of["annotations"]["runbook_url"] == f"{RUNBOOKS}#tierstreamworkerdown"
    assert told_of["labels"]["severity"] == "page"


def ever_firing(server: Server) -> set[str]:
    """What has fired in Prometheus, told or not."""
    return {labels["alertname"] for labels, _ in asked(server, 'max_over_time(ALERTS{alertstate="firing"}[10m])')}
