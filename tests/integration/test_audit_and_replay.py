"""`audit` and `replay --live` against a running engine: whole means whole, and a planted fault is found and named."""

from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.embedded.broker import Broker
from agents.reading import committed_messages, committed_records
from schemas import dead_letters
from schemas.codec import Codec
from schemas.records import FoldOrder, TierTransition
from streams.policy import load_policy
from tests.house.tree import ROOT
from tests.integration.commands import Commands
from tests.waiting import eventually

SABC = load_policy(ROOT / "policies" / "sabc.yaml")


def folded(commands: Commands) -> int:
    """How many input records have been folded, by the engine's own record."""
    orders = (Codec().decode_as(FoldOrder, raw.payload) for raw in committed_records(commands.settings, "fold-order"))
    return sum(part.to_offset - part.from_offset for order in orders for part in order.ranges)


@pytest.fixture
def worked(kafka: Broker, prefix: str, tmp_path: Path) -> tuple[Commands, dict[str, int]]:
    """An engine that has folded a few thousand records, some of them poison, and was stopped."""
    commands = Commands(kafka.bootstrap, prefix).with_topics()
    arguments = ("--accounts", "80", "--seed", "6", "--poison-share", "0.01", "--pace", "2")
    with commands.running("worker", "--policy", "sabc", log=tmp_path / "worker.log"):
        told = commands.json("generate", "--rate", "1500", "--seconds", "3", *arguments)
        expected = sum(told["topics"].get(topic, 0) for topic in SABC.inputs)
        eventually(lambda: folded(commands) == expected, 60, "everything is folded")
    return commands, told["spoilt"]


def test_what_an_engine_published_is_whole_and_says_what_the_log_says(worked: tuple[Commands, dict[str, int]]) -> None:
    commands, spoilt = worked
    audit = commands.json("audit")
    assert audit["fine"]
    assert audit["transitions"] > 20
    replay = commands.json("replay", "--policy", "sabc", "--live")
    assert replay["fine"]
    assert replay["transitions"] == audit["transitions"]
    letters = Counter(
        dead_letters.from_headers(message.headers(), message.key(), message.value()).reason.value
        for message in committed_messages(commands.settings, "dead-letters")
    )
    assert letters == spoilt

    planted = _planted_forgery(commands)
    found = commands.json("audit", exit_code=1)
    assert {breach["rule"] for breach in found["breaches"]} == {"GAP", "REPEATED_ID", "BROKEN_CHAIN"}
    assert {breach["place"] for breach in found["breaches"]} == {planted}
    replayed = commands.json("replay", "--policy", "sabc", "--live", exit_code=1)
    assert len(replayed["differences"]) == 1

    other = commands.run("replay", "--policy", "demo", "--live")
    assert other.returncode == 2
    assert "digest" in other.stderr


def _planted_forgery(commands: Commands) -> str:
    """The last transition of a partition once more; returns where it lies."""
    last = list(committed_records(commands.settings, "tier-transitions"))[-1]
    doubled = Codec().decode_as(TierTransition, last.payload)
    name = commands.settings.topic_name("tier-transitions")
    places: list[str] = []
    producer = Producer({"bootstrap.servers": commands.settings.bootstrap_servers})
    producer.produce(
        name, Codec().encode(doubled), last.key, last.partition,
        on_delivery=lambda _, message: places.append(f"{name}:{message.partition()}:{message.offset()}"),
    )  # fmt: skip
    producer.flush(10)
    return places[0]
