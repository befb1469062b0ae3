"""What docker-compose.yml says of our own services is run, outside containers: every command, with its environment, as it stands there.

The registry is started with its environment, too: what it knows lies in Kafka, so that its ids outlive it.

Replaced are the addresses of other containers, and what several containers on one machine would fight for: the port of the web views and
the names of topics (the broker is shared with other tests). The image's own variables and its health check come from ops/Dockerfile.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from agents.embedded.valkey import Valkey
from tests.apicurio import Apicurio
from tests.waiting import eventually
from tests.workers import ROOT, Worker

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
IMAGE = (ROOT / "ops" / "Dockerfile").read_text(encoding="utf-8")
PATIENCE_S = 120


class Service(Worker):
    """One of our services as its container would run it."""

    def __init__(self, name: str, here: Mapping[str, str], log: Path) -> None:
        self.log, self.ran = log, [sys.executable, "-m", "agents.cli", *SERVICES[name]["command"]]
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                self.ran, env=os.environ | environment(name, here), stdout=file, stderr=subprocess.STDOUT, cwd=ROOT
            )

    def ends_with(self, code: int) -> None:
        """Wait for its end."""
        assert self.process.wait(PATIENCE_S) == code, self.said


def environment(name: str, here: Mapping[str, str]) -> dict[str, str]:
    """The variables of a service, with the addresses of this machine and a port of its own."""
    (port,) = free_ports(1)
    image = dict(re.findall(r"(TIERSTREAM_\w+)=(\S+)", IMAGE))
    return image | SERVICES[name]["environment"] | here | {"TIERSTREAM_WEB_PORT": str(port)}


@pytest.fixture
def registry(kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apicurio]:
    """As its container would be started."""
    said = COMPOSE["services"]["registry"]["environment"] | {"APICURIO_KAFKASQL_BOOTSTRAP_SERVERS": kafka.bootstrap}
    for variable in (name for name in said if name.startswith("APICURIO_")):
        monkeypatch.setenv(variable, said[variable])
    server = Apicurio(tmp_path / "registry.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def here(kafka: Broker, valkey: Valkey, registry: Apicurio, prefix: str) -> dict[str, str]:
    """What is elsewhere on this machine."""
    return {
        "TIERSTREAM_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "TIERSTREAM_REDIS_URL": valkey.url,
        "TIERSTREAM_REDIS_PREFIX": prefix,
        "TIERSTREAM_REGISTRY_URL": registry.url,
        "TIERSTREAM_TOPIC_PREFIX": prefix,
        "TIERSTREAM_WEB_HOST": "127.0.0.1",
        "TIERSTREAM_WEB_ADVERTISED_HOST": "127.0.0.1",
    }


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_every_service_of_ours_does_its_work_as_the_file_starts_it(
    here: dict[str, str], registry: Apicurio, running: ExitStack, tmp_path: Path
) -> None:
    def start(name: str) -> Service:
        started.append(name)
        return running.enter_context(Service(name, here, tmp_path / f"{name}.log"))

    started: list[str] = []
    start("topics").ends_with(0)
    workers, projection = [start("worker-1"), start("worker-2")], start("projection")
    for service, share in (*((worker, 2) for worker in workers), (projection, 1)):
        eventually(lambda service=service: "web=http" in service.said, PATIENCE_S, f"{service.log} naming the web views")
        service.await_lanes(int(SERVICES["worker-1"]["environment"]["TIERSTREAM_PARTITIONS"]) // share, PATIENCE_S)
        assert _is_healthy(service)
    start("demo-data")
    for worker in workers:
        eventually(lambda worker=worker: worker.metric("tierstream_events_total"), PATIENCE_S, "events of demo-data")
    eventually(lambda: projection.metric("tierstream_projection_records_total"), PATIENCE_S, "the projection projecting")
    assert [service.stop() for service in (*workers, projection)] == [0, 0, 0]
    assert set(started) == set(SERVICES)
    before = _subjects(registry)
    registry.stop()
    registry.start()
    assert before
    assert _subjects(registry) == before


def _subjects(registry: Apicurio) -> dict[str, int]:
    """The id of the newest schema of each subject."""

    def asked(path: str) -> Any:
        with urlopen(f"{registry.url}/{path}", timeout=PATIENCE_S) as answer:
            return json.load(answer)

    return {subject: asked(f"subjects/{subject}/versions/latest")["id"] for subject in sorted(asked("subjects"))}


def _is_healthy(worker: Worker) -> bool:
    """What the health check of the image says, where it asks the worker's own port."""
    (checked,) = re.findall(r"^\s+CMD (\[.*\])$", IMAGE, re.MULTILINE)
    command = [part.replace("http://127.0.0.1:6066", worker.url) for part in yaml.safe_load(checked)]
    return subprocess.run([sys.executable, *command[1:]], capture_output=True, timeout=PATIENCE_S).returncode == 0
