"""`audit` and `replay --live` against a running engine: whole means whole, and a planted fault is found and named."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from agents.embedded.broker import Broker
from agents.reading import committed_messages, committed_records
from agents.replaying import COMPARED
from schemas import dead_letters
from schemas.codec import Codec
from schemas.records import FoldOrder
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
    assert replay["outputs"] == {topic: len(list(committed_records(commands.settings, topic))) for topic in COMPARED}
    assert replay["transitions"] == replay["outputs"]["tier-transitions"] == audit["transitions"]
    assert replay["outputs"]["hot-leads"] > 0
    letters = Counter(
        dead_letters.from_headers(message.headers(), message.key(), message.value()).reason.value
        for message in committed_messages(commands.settings, "dead-letters")
    )
    assert letters == spoilt

    planted = _planted(commands, "tier-transitions", lambda last: last)
    found = commands.json("audit", exit_code=1)
    assert {breach["rule"] for breach in found["breaches"]} == {"GAP", "REPEATED_ID", "BROKEN_CHAIN"}
    assert {breach["place"] for breach in found["breaches"]} == {planted}
    forged = [
        planted,
        _planted(commands, "hot-leads", lambda last: replace(last, lead_id="forged")),
        _planted(commands, "account-tiers", lambda last: replace(last, revision=99)),
    ]
    assert sorted(_not_of_the_log(commands)) == sorted(forged)

    other = commands.run("replay", "--policy", "demo", "--live")
    assert other.returncode == 2
    assert "digest" in other.stderr


def _not_of_the_log(commands: Commands) -> list[str]:
    """Where `replay --live` finds what the log does not say; it must find nothing else."""
    found = commands.json("replay", "--policy", "sabc", "--live", exit_code=1)["differences"]
    assert {each["message"].endswith("was published, but the log does not say so") for each in found} == {True}
    return [f"{commands.settings.topic_name(each['topic'])}:{each['partition']}:{each['offset']}" for each in found]


def _planted(commands: Commands, topic: str, forged: Callable[[Any], Any]) -> str:
    """A forgery of the last record of a topic; returns where it lies."""
    last = list(committed_records(commands.settings, topic))[-1]
    record = forged(Codec().decode_as(COMPARED[topic], last.payload))
    name = commands.settings.topic_name(topic)
    places: list[str] = []
    producer = Producer({"bootstrap.servers": commands.settings.bootstrap_servers})
    producer.produce(
        name, Codec().encode(record), last.key, last.partition,
        on_delivery=lambda _, message: places.append(f"{name}:{message.partition()}:{message.offset()}"),
    )  # fmt: skip
    producer.flush(10)
    return places[0]
