"""The test stand: one real broker, the load on its core, the measured worker on the other.

Rules: on a pinned stand the load and the broker share core 0 and the worker has core 1 to itself, otherwise the system places them;
every set of topics has a prefix of its own and every run an application id, so that no run finds what another left; what is measured
is a real process, as `tierstream worker` starts it, read from outside (/proc, /metrics, the topics).
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from agents.embedded.broker import Broker
from agents.embedded.guarding import Guard
from agents.embedded.ports import free_ports
from agents.generating.poison import Framed
from agents.generating.producing import Feeder, Tally
from agents.provisioning import create_topics
from agents.settings import Settings, load_settings
from benchmarks.processes import BROKER_CORE, WORKER_CORE, cpu_s, pin, rss_bytes

PARTITIONS = 8
_READY_S, _FOLDED_S, _STOP_S = 120.0, 1_200.0, 30.0
_LOOK_S = 0.05


class Stand:
    """A broker of the benchmarks' own in `directory`. Use it as a context."""

    def __init__(self, directory: Path, *, pinned: bool) -> None:
        self.directory = directory
        self._pinned = pinned
        self._cores = os.sched_getaffinity(0)
        self._broker = Broker(directory / "broker", heap="2g")

    def __enter__(self) -> "Stand":
        if self._pinned:
            pin(os.getpid(), BROKER_CORE)  # the broker inherits it
        self._broker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.stop()
        os.sched_setaffinity(0, self._cores)

    def settings(self, prefix: str, application_id: str, **more: Any) -> Settings:
        """The settings of one run, its topics made; `more` wins."""
        settings = load_settings(
            {
                "bootstrap_servers": self._broker.bootstrap,
                "topic_prefix": f"{prefix}-",
                "application_id": application_id,
                "partitions": PARTITIONS,
                **more,
            }
        )
        create_topics(settings)
        return settings

    @contextmanager
    def worker(
        self, settings: Settings, policy: Path, command: Sequence[str] = (), *, core: int = WORKER_CORE, name: str = ""
    ) -> Iterator["Worker"]:
        """A worker process on its own core; stopped at the end, and that it stopped well is checked.

        `command`: another program than `tierstream worker`; `name` tells several workers of an application apart.
        """
        log = self.directory / f"{settings.topic_prefix}{settings.application_id}{name}.log"
        program = command or ("-m", "agents.cli", "worker")
        worker = Worker(settings, policy, log, program)
        pin(worker.pid, *([core] if self._pinned else self._cores))
        guard = Guard(worker.pid, program[1], log)
        try:
            yield worker
        finally:
            worker.stop()
            guard.release()


class Worker:
    """One process of `tierstream worker`."""

    def __init__(self, settings: Settings, policy: Path, log: Path, command: Sequence[str]) -> None:
        self._partitions = settings.partitions
        self._port = free_ports(1)[0]
        self._log = log
        variables = {
            "TIERSTREAM_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
            "TIERSTREAM_TOPIC_PREFIX": settings.topic_prefix,
            "TIERSTREAM_APPLICATION_ID": settings.application_id,
            "TIERSTREAM_PARTITIONS": str(settings.partitions),
            "TIERSTREAM_WEB_PORT": str(self._port),
            "TIERSTREAM_SESSION_TIMEOUT_S": str(settings.session_timeout_s),
            "TIERSTREAM_POLICY": str(policy.resolve()),
            "TIERSTREAM_CLOCK": settings.clock,
            "TIERSTREAM_REDIS_URL": settings.redis_url,
            "TIERSTREAM_REDIS_PREFIX": settings.redis_prefix,
        }
        with log.open("ab") as file:
            self.process = subprocess.Popen([sys.executable, *command], env=os.environ | variables, stdout=file, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def cpu_s(self) -> float:
        """Processor time used so far."""
        return cpu_s(self.pid)

    def rss_bytes(self) -> int:
        """Memory that is resident now."""
        return rss_bytes(self.pid)

    def metrics(self) -> Mapping[str, float]:
        """What /metrics says now, summed over labels; empty while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                page = answer.read().decode()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return {}
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                name = f"{sample.name}.{sample.labels['state']}" if "state" in sample.labels else sample.name
                sums[name] = sums.get(name, 0.0) + sample.value
                sums[f"max {name}"] = max(sums.get(f"max {name}", 0.0), sample.value)
        return sums

    def await_ready(self) -> None:
        """Every partition is this worker's and restored."""
        self.await_metrics(lambda found: found.get("tierstream_lane_state.running") == self._partitions, _READY_S, "every lane running")

    def await_folded(self, total: int, on_share: Callable[[float], None] = lambda _: None) -> None:
        """So many input records are folded and committed."""

        def reached(found: Mapping[str, float]) -> bool:
            folded = found.get("tierstream_events_total", 0.0)
            on_share(folded / total)
            return folded >= total

        self.await_metrics(reached, _FOLDED_S, f"{total} records folded", every_s=0.5)

    def await_metrics(self, reached: Callable[[Mapping[str, float]], bool], timeout_s: float, what: str, every_s: float = _LOOK_S) -> None:
        """Until `reached` says so. A worker that ends meanwhile, or that takes too long, is an error with its last words."""
        give_up_at = time.monotonic() + timeout_s
        while not reached(found := self.metrics()):
            self.require_alive()
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{what} did not come true in {timeout_s:g} s: {self.last_words()}; metrics: {found}")
            time.sleep(every_s)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM; it must end well."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(_STOP_S)

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self.process.poll()

    def require_alive(self) -> None:
        """Raises RuntimeError, with its last words, if it has ended."""
        if self.poll() is not None:
            raise RuntimeError(f"the worker ended with {self.process.returncode}: {self.last_words()}")

    def said_at_s(self, what: str) -> float:
        """When it last logged a line with these words, in seconds since the epoch."""
        lines = [line for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines() if what in line]
        return datetime.fromisoformat(lines[-1].split(" ", 1)[0]).timestamp()

    def last_words(self) -> str:
        """The end of its log."""
        return " / ".join(self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:])


def preload(settings: Settings, records: Iterator[Framed], on_progress: Callable[[Tally], None]) -> int:
    """Send records as fast as they are made; returns how many. All must arrive."""
    tally = Feeder(settings).feed(records, on_progress=on_progress)
    if lost := tally.undelivered.total():
        raise RuntimeError(f"{lost} records were not delivered: {dict(tally.undelivered)}")
    return tally.records
