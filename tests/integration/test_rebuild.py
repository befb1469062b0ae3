"""Another application made from the inputs on a real broker, as an operator does it: for a policy that measures otherwise."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition

from agents import clients
from agents.embedded.broker import Broker
from agents.provisioning import create_topics
from agents.reading import committed_records, end_of
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import Action, FoldOrder, HotLead, TierTransition
from tests.builders import NOON, SECOND, interaction, order, prediction
from tests.integration.commands import Commands
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment, publish

pytestmark = pytest.mark.faults  # several processes one after the other, one of them killed
FIRST = ROOT / "tests" / "policies" / "plain.yaml"
NEW = ("--application-id", "second", "--output-prefix", "second.")
OTHERWISE = {
    "version: 2026.11.1": "version: 2027.1.1\ncurrency: CNY",
    "PRICE_INQUIRY: 12": "PRICE_INQUIRY: 100",
    "\ndimensions:\n": "\n  paid: { from: orders, count: order, status: [PAID], window: 30000d }\n"
    "\ndimensions:\n  bought: { linear: { measure: paid, from: 0, to: 1 } }\n",
    "attributes: 0.30,": "attributes: 0.10, bought: 0.20,",
}
"""A measure that counts otherwise, and one over an input that the first policy does not read: no change of policy brings them."""


@pytest.fixture
def old(kafka: Broker, prefix: str) -> Settings:
    return deployment(kafka.bootstrap, prefix)


@pytest.fixture
def commands(kafka: Broker, prefix: str) -> Commands:
    return Commands(kafka.bootstrap, prefix)


@pytest.fixture
def second(kafka: Broker, prefix: str) -> Commands:
    """What is run for the new application, which variables name."""
    commands = Commands(kafka.bootstrap, prefix)
    commands.environment |= {"TIERSTREAM_APPLICATION_ID": "second", "TIERSTREAM_OUTPUT_PREFIX": "second."}
    return commands


@pytest.fixture
def otherwise(tmp_path: Path) -> Path:
    text, path = FIRST.read_text(), tmp_path / "otherwise.yaml"
    for before, after in OTHERWISE.items():
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    return path


@pytest.fixture
def new(old: Settings, otherwise: Path) -> Settings:
    settings = old.model_copy(update={"application_id": "second", "output_prefix": "second.", "policy": otherwise})
    create_topics(settings)
    return settings


def lived(settings: Settings, tmp_path: Path, accounts: int, begin: int = 0) -> None:
    """So many accounts more: a quarter with a prediction and an order, and so on. A worker has folded them, and is stopped."""
    numbers = range(begin, begin + accounts)
    publish(settings, "orders", (order(f"account-{number}") for number in numbers if number % 4 > 1))
    publish(settings, "predictions", (prediction(f"account-{number}", 90 if number % 2 else 10) for number in numbers))
    publish(settings, "interactions", (interaction(f"account-{number}", "PRICE_INQUIRY") for number in numbers))
    with Worker(settings, tmp_path / "old.log") as worker:
        worker.await_lanes(4, 90)
        eventually(lambda: worker.metric("tierstream_events_total") == 2 * accounts, 120, "every record folded")
        assert worker.stop() == 0


def read(settings: Settings, topic: str, record: Any) -> Iterator[Any]:
    codec = Codec()
    for raw in committed_records(settings, topic):
        yield codec.decode_as(record, raw.payload)


def tiers(settings: Settings) -> Counter[str]:
    """In which tier the accounts are that have moved at all."""
    last = {said.account_id: said.to_tier for said in read(settings, "tier-transitions", TierTransition)}
    return Counter(last.values())


def replayed(commands: Commands, otherwise: Path) -> Any:
    """What a replay of the new application's log says of what it published."""
    ended = commands.run("replay", "--live", "--policy", str(otherwise), "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def test_an_application_is_rebuilt_beside_the_old_one_caught_up_and_taken_over(
    old: Settings, new: Settings, commands: Commands, second: Commands, otherwise: Path, tmp_path: Path
) -> None:
    lived(old, tmp_path, 40)
    asked = ("rebuild", "--from", "tierstream", "--policy", str(otherwise), *NEW)
    seen = commands.json(*asked, "--dry-run")
    assert (seen["records"], seen["accounts"], seen["written"]) == (80, 40, False)
    assert {each["topic"]: (each["there"], each["gone"]) for each in seen["inputs"]} == {
        "interactions": (40, 0), "orders": (20, 0), "predictions": (40, 0),
    }  # fmt: skip
    assert seen["moves"] == [
        {"scheme": "sabc", "from": "C", "to": "A", "accounts": 10}, {"scheme": "sabc", "from": "C", "to": "B", "accounts": 20},
    ]  # fmt: skip
    assert sum(end_of(new, "fold-order", number) for number in range(4)) == 0
    unsure = commands.run(*asked)
    assert (unsure.returncode, "confirm with --yes" in unsure.stderr) == (2, True)

    done = commands.json(*asked, "--yes")
    assert (done["moves"], done["written"]) == (seen["moves"], True)
    assert tiers(new) == {"A": 10, "B": 20}
    assert {said.mode for said in read(new, "tier-transitions", TierTransition)} == {"REBUILD"}
    assert {said.mode for said in read(new, "fold-order", FoldOrder)} == {"REBUILD"}

    lived(old, tmp_path, 40, 40)
    assert commands.json(*asked, "--yes")["records"] == 80
    assert (tiers(new), tiers(old)) == ({"A": 20, "B": 40}, {})
    assert [*read(new, "hot-leads", HotLead), *read(new, "actions", Action)] == []

    publish(old, "predictions", [prediction("account-0", 95, NOON + SECOND)])
    with Worker(new, tmp_path / "new.log") as worker:
        worker.await_lanes(4, 90)
        eventually(lambda: tiers(new) == {"A": 20, "B": 41}, 120, "the new one goes on")
        at_work = commands.run(*asked, "--yes")
        assert (at_work.returncode, "has 1 workers" in at_work.stderr) == (2, True)
        assert worker.stop() == 0
    assert [said.mode for said in read(new, "tier-transitions", TierTransition) if said.account_id == "account-0"] == ["LIVE"]
    eventually(lambda: "has folded by itself already" in commands.run(*asked, "--yes").stderr, 60, "an application at work is not rebuilt")
    assert second.run("audit").returncode == 0
    assert replayed(second, otherwise)["transitions"] == 61


def test_a_rebuild_that_is_killed_keeps_workers_out_goes_on_where_it_was_and_equals_a_replay_of_the_file(
    old: Settings, new: Settings, commands: Commands, second: Commands, otherwise: Path, tmp_path: Path
) -> None:
    lived(old, tmp_path, 80)
    asked = ("rebuild", "--from", "tierstream", "--policy", str(otherwise), "--yes", *NEW)
    stuck = foreign_transaction(new, 2)
    killed = commands.start(*asked, log=tmp_path / "killed.log")
    eventually(lambda: end_of(new, "fold-order", 1) > 0, 120, "two partitions are done, the third waits for the foreign transaction")
    killed.kill()
    killed.wait()
    stuck.abort_transaction(30)
    half = len(list(read(new, "tier-transitions", TierTransition)))
    assert 0 < half < 60
    with Worker(new, tmp_path / "early.log") as early:
        assert early.process.wait(90) == 2
        assert "is being rebuilt from application tierstream: run `tierstream rebuild` to its end" in early.said
    eventually(lambda: commands.run(*asked).returncode == 0, 120, "it goes on, once the group has forgotten the worker")
    transitions = list(read(new, "tier-transitions", TierTransition))
    assert (len(transitions), tiers(new)) == (60, {"A": 20, "B": 40})
    assert second.run("audit").returncode == 0
    assert replayed(second, otherwise)["transitions"] == 60

    log = tmp_path / "log.jsonl"
    assert commands.run("export", "--out", str(log)).returncode == 0
    again = commands.run("replay", str(log), "--policy", str(otherwise), "--mode", "REBUILD", *NEW[:2])
    assert again.returncode == 0, again.stderr
    said = [json.loads(line)["value"] for line in again.stdout.splitlines() if '"tier-transitions"' in line]
    assert sorted(each["transition_id"] for each in said) == sorted(each.transition_id for each in transitions)


def test_a_rebuild_is_refused_where_it_would_double_mix_or_leave_out(
    old: Settings, new: Settings, commands: Commands, otherwise: Path, tmp_path: Path
) -> None:
    lived(old, tmp_path, 8)
    named = ("--policy", str(otherwise), "--yes")
    same = commands.run("rebuild", "--from", "tierstream", *named)
    assert (same.returncode, "name a new one with --application-id" in same.stderr) == (2, True)
    create_topics(old.model_copy(update={"application_id": "third"}))
    among = commands.run("rebuild", "--from", "tierstream", *named, "--application-id", "third")
    assert (among.returncode, "publishes into topics of its own" in among.stderr) == (2, True)
    nobody = commands.run("rebuild", "--from", "nobody", *named, *NEW)
    assert (nobody.returncode, "nobody-fold-order is missing" in nobody.stderr) == (2, True)
    delete_first(old, "predictions", 0)
    gone = commands.run("rebuild", "--from", "tierstream", *named, *NEW)
    assert (gone.returncode, "are deleted now: 1 of predictions" in gone.stderr) == (2, True)
    assert commands.json("rebuild", "--from", "tierstream", *named, *NEW, "--partial")["records"] == 16


def foreign_transaction(settings: Settings, number: int) -> Producer:
    """Somebody's open transaction on a changelog: nobody can read it to its end."""
    producer = clients.transactional_producer(settings, f"{settings.topic_prefix}foreign")
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(settings.topic_name("accounts-changelog"), b"x", b"\0foreign\0", partition=number)
    assert producer.flush(30) == 0
    return producer


def delete_first(settings: Settings, topic: str, number: int) -> None:
    """Delete the first record of a partition, as an operator can."""
    admin = clients.admin_client(settings)
    (answer,) = admin.delete_records([TopicPartition(settings.topic_name(topic), number, 1)]).values()
    answer.result(30)
