"""What an engine published on a real Kafka, for programs that read it: an account is hot, another was erased, a record was refused."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from agents import clients
from agents.clocks import wall_clock
from agents.counters import LaneCounters
from agents.embedded.broker import Broker
from agents.lanes import lane_maker
from agents.reading import committed_records
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import TierTransition
from streams.policy import load_policy
from tests.builders import command, interaction
from tests.integration.commands import Commands
from tests.waiting import eventually
from tests.workers import ROOT, deployment, publish

EXAMPLES = ROOT / "docs" / "examples" / "consuming"
WAIT_S = 60.0


class Shop:
    """What an engine has published of two accounts, one of them erased, and a dead letter; and the schemas, exported."""

    def __init__(self, settings: Settings, schemas: Path) -> None:
        self.settings = settings
        self.environment = {
            **os.environ,
            "KAFKA": settings.bootstrap_servers,
            "TOPIC_PREFIX": settings.topic_prefix,
            "SCHEMAS": str(schemas),
        }

    def transitions(self) -> list[TierTransition]:
        return [Codec().decode_as(TierTransition, raw.payload) for raw in committed_records(self.settings, "tier-transitions")]

    def program(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        command_line = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]
        return subprocess.Popen(
            command_line,
            env=self.environment | {"GROUP": f"{self.settings.topic_prefix}{name}"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def forge(self, **changes: Any) -> None:
        """Publish one transition more, made from the last one of acme."""
        last = [each for each in self.transitions() if each.account_id == "acme"][-1]
        producer = clients.idempotent_producer(self.settings)
        payload = Codec().encode(msgspec.structs.replace(last, **changes))
        producer.produce(self.settings.topic_name("tier-transitions"), key=b"acme", value=payload)
        assert producer.flush(30) == 0


def opened(kafka: Broker, prefix: str, folder: Path, **more: Any) -> Shop:
    """An engine's lane has folded what came and is gone. `more`: settings."""
    settings = deployment(kafka.bootstrap, prefix, partitions=1, **more)
    now_ms = wall_clock()
    acme = [interaction("acme", kind, now_ms) for kind in ("DOWNLOAD", "DOWNLOAD", "DOWNLOAD", "PRICE_INQUIRY")]
    gone = [interaction("gone", "DOWNLOAD", now_ms) for _ in range(3)]
    publish(settings, "interactions", [*acme, *gone])
    publish(settings, "commands", [command("gone", "ERASE", now_ms, requested_by="dpo", reason="asked")])
    producer = clients.idempotent_producer(settings)
    producer.produce(settings.topic_name("interactions"), key=b"acme", value=b"\0\0\0\0\1?", headers=[("ce_id", b"theirs")])
    assert producer.flush(30) == 0
    lane = lane_maker(settings, load_policy(ROOT / "policies" / "sabc.yaml"), wall_clock, frozenset())(0, LaneCounters())
    lane.recover()
    eventually(lambda: (lane.step(0.2), sum(lane.counters.events.values()) >= 9)[1], WAIT_S, "9 records folded")
    lane.log.close()
    exported = folder / "schemas-by-id"
    assert Commands(kafka.bootstrap, prefix).run("schemas", "export", str(exported)).returncode == 0
    return Shop(settings, exported)
