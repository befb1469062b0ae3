"""A worker whose input is refused almost whole stops with one line and writes nothing of it, each time; a higher share lets it go on."""

from pathlib import Path

from agents import clients
from agents.embedded.broker import Broker
from agents.reading import committed_records
from agents.settings import Settings
from schemas.records import Interaction
from tests.builders import interaction
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish

POISONED = 3_000


def refused(settings: Settings) -> int:
    return sum(1 for _ in committed_records(settings, "dead-letters"))


def poison(settings: Settings) -> None:
    """Records in a schema that nobody knows, all in partition 0."""
    producer = clients.idempotent_producer(settings)
    for number in range(POISONED):
        producer.produce(settings.topic_name("interactions"), b"\0\x7f\0\0\0" + bytes(20), b"acct-%d" % number, 0)
    assert producer.flush(20) == 0


def good() -> Interaction:
    return interaction("acme", "DOWNLOAD")


def test_a_worker_stops_before_it_throws_a_topic_away_and_stops_there_again(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = deployment(kafka.bootstrap, prefix, partitions=1)
    publish(settings, "interactions", [good()])
    poison(settings)
    kept = []
    for turn in range(2):
        with Worker(settings, tmp_path / f"turn-{turn}.log") as worker:
            assert worker.process.wait(150) == 2
        last = worker.said.splitlines()[-1]
        assert last.startswith("lane 0: 501 of 501 records up to interactions:0:501 would become dead letters"), last
        assert "UNKNOWN_SCHEMA" in last
        assert "TIERSTREAM_DEAD_LETTER_SHARE=1" in last
        kept.append(refused(settings))
    assert kept[0] == kept[1] <= 500
    with Worker(settings, tmp_path / "all.log", more={"TIERSTREAM_DEAD_LETTER_SHARE": "1"}) as worker:
        eventually(lambda: refused(settings) == POISONED, 120, "every dead letter")
        assert worker.stop() == 0
