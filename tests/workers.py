"""Real worker processes for tests: started as an operator would, asked over HTTP, never left behind."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from agents import clients, provisioning
from agents.settings import Settings, load_settings
from schemas.codec import Codec
from tests.asking import answer_of
from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "agents.cli", "worker"]


def deployment(bootstrap: str, prefix: str, **more: Any) -> Settings:
    """Settings of a small deployment with its topics made."""
    small = {
        "partitions": 4,
        "web_port": 0,
        "policy": str(ROOT / "tests" / "policies" / "plain.yaml"),
        "session_timeout_s": 6.0,
    }  # the least that a broker takes
    settings = load_settings({"bootstrap_servers": bootstrap, "topic_prefix": prefix} | small | more)
    provisioning.create_topics(settings)
    return settings


def environment(settings: Settings) -> dict[str, str]:
    """The variables under which a process of this deployment runs."""
    chosen = settings.model_dump(mode="json", exclude_defaults=True, exclude={"kafka", "registry"})
    return os.environ | {f"TIERSTREAM_{name.upper()}": str(value) for name, value in chosen.items()}


def publish(settings: Settings, topic: str, records: Iterable[msgspec.Struct]) -> None:
    """Append records to an input, keyed by account, and wait until the broker has them."""
    producer, codec = clients.idempotent_producer(settings), Codec()
    for record in records:
        producer.produce(settings.topic_name(topic), key=record.account_id.encode(), value=codec.encode(record))
    assert producer.flush(30) == 0


class Worker:
    """One worker process. As a context it is gone at the end, whatever happened."""

    def __init__(
        self, settings: Settings, log: Path, *arguments: str, more: Mapping[str, str] | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        """`command` is another way to start one, for planted bugs."""
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [*command, *arguments], cwd=ROOT, env=environment(settings) | dict(more or {}), stdout=file, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        """Everything on stdout and stderr so far."""
        return self.log.read_text()

    @property
    def url(self) -> str:
        """Where it answers; of the last start if a supervisor started it again."""
        return eventually(lambda: re.findall(r"web=(http://\S+)", self.said), 120.0, f"{self.log} naming the web views")[-1]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; (0, why) when nobody answers."""
        return answer_of(self.url + path)

    def lanes(self) -> set[int]:
        """The lanes of a worker that is ready; empty while it is not."""
        status, body = self.get("/readyz")
        return {int(number) for number in json.loads(body)["lanes"]} if status == 200 else set()

    def await_lanes(self, count: int, timeout_s: float = 120.0) -> set[int]:
        """Until it is ready with so many lanes."""
        return eventually(lambda: lanes if len(lanes := self.lanes()) == count else None, timeout_s, f"{count} lanes, see {self.log}")

    def metric(self, name: str, **labels: str) -> float:
        """One sample of `/metrics`, summed over the labels that were not given; 0 when it is not there."""
        samples = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        return sum(float(value) for found, value in samples if wanted <= set(found.split(",")))

    def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(timeout_s)
