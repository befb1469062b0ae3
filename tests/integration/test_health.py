"""Fixture 10 of the facts on a real broker: two invoices paid late take health from 80 to 60, and the tier's wake-up sequence starts once.

Under the shipped `saas` with the weights of the fixture. One worker sees the fall and another the recovery; they say what memory says.
"""

from pathlib import Path
from typing import Any

import yaml

from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.reading import committed_records
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import Action, Event
from streams.policy import load_policy_text
from tests.builders import DAY, interaction, invoice, order, ticket
from tests.folding import TOPIC_OF, Folding
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment, publish

CODEC = Codec()


def weighted() -> str:
    """The shipped policy; of 100 points of health 30 are for payment."""
    policy = yaml.safe_load((ROOT / "policies" / "saas.yaml").read_text(encoding="utf-8"))
    policy["health"]["of"] = {"rfm": 0.5, "pays": 0.3, "service": 0.2}
    return yaml.safe_dump(policy, allow_unicode=True, sort_keys=False)


def paid(number: int, at: int, *, late: bool = False) -> Event:
    return invoice("acme", "PAID", at, invoice_id=f"i{number}", due_at=at - (DAY if late else 0), paid_at=at)


def well(at: int) -> list[Event]:
    """Used every day, paid well and on time, and unhappy with the service: 80 points."""
    uses = [interaction("acme", "FEATURE_USE", at - days * DAY) for days in range(16, -1, -1)]
    return [*uses, order("acme", amount_minor=1_200_000, at=at, recurring=True), ticket("acme", satisfaction=1, at=at), paid(1, at)]


def essence(action: Action) -> tuple[Any, ...]:
    return action.kind, action.name, action.scheme, action.tier, action.due_at, action.reason


def told(settings: Settings) -> list[Action]:
    return [CODEC.decode_as(Action, raw.payload) for raw in committed_records(settings, "actions")]


def folded(worker: Worker, settings: Settings, *records: Event) -> None:
    """These records, one after the other, and the worker has folded them all."""
    before = worker.metric("tierstream_events_total")
    for record in records:
        publish(settings, TOPIC_OF[type(record)], [record])
    eventually(lambda: worker.metric("tierstream_events_total") == before + len(records), 60, "every record folded")


def test_002_34_fixture_10_health_falls_the_wake_up_sequence_starts_once_and_recovery_ends_it(
    kafka: Broker, prefix: str, tmp_path: Path
) -> None:
    file, now_ms = tmp_path / "saas.yaml", wall_clock()
    file.write_text(weighted(), encoding="utf-8")
    settings = deployment(kafka.bootstrap, prefix, policy=str(file), partitions=1)
    memory, before = Folding(load_policy_text(weighted())), well(now_ms - 20)
    fall = [paid(2, now_ms - 10, late=True), paid(3, now_ms - 9, late=True)]
    below = [paid(4, now_ms - 8, late=True)]
    recovery = [paid(number, now_ms - 7) for number in range(5, 12)]
    recovery += [ticket("acme", satisfaction=5, at=now_ms - 6, ticket_id=f"t-{number}") for number in range(2, 9)]
    memory.fold(*before)
    assert memory.partition.view("acme")["health"]["points"] == 80  # type: ignore[index]
    memory.fold(*fall)
    assert memory.partition.view("acme")["health"]["points"] == 60  # type: ignore[index]
    memory.fold(*below, *recovery)
    assert len(memory.records("actions")) == 2
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(1, 90)
        folded(worker, settings, *before, *fall)
        assert [(action.kind, action.name, action.tier) for action in told(settings)] == [("BREACHED", "coupon", "medium")]
        assert worker.stop() == 0
    with Worker(settings, tmp_path / "heir.log") as heir:
        heir.await_lanes(1, 90)
        folded(heir, settings, *below, *recovery)
        assert heir.stop() == 0
    begun, ended = told(settings)
    assert (begun.kind, ended.kind, ended.resolves) == ("BREACHED", "RESOLVED", begun.action_id)
    assert [essence(begun), essence(ended)] == [essence(action) for action in memory.records("actions")]
