"""Changing the policy of running workers on a real broker, as an operator does it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from agents.reading import committed_records, end_of
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import FoldOrder, TierTransition
from tests.builders import prediction
from tests.integration.commands import Commands
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment, publish

FIRST = ROOT / "tests" / "policies" / "plain.yaml"
MANY = 30_000


@pytest.fixture
def settings(kafka: Broker, prefix: str) -> Settings:
    return deployment(kafka.bootstrap, prefix)


@pytest.fixture
def commands(kafka: Broker, prefix: str, settings: Settings) -> Commands:
    assert settings.partitions == 4
    return Commands(kafka.bootstrap, prefix)


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    """The first policy with lower thresholds."""
    path = tmp_path / "lower.yaml"
    text = FIRST.read_text().replace("enter_at: 60", "enter_at: 25").replace("version: 2026.11.1", "version: 2027.1.1")
    path.write_text(text)
    return path


def graded(settings: Settings, accounts: int) -> None:
    """So many accounts, half of which stand at C with 27 points, and the others with 3."""
    publish(settings, "predictions", (prediction(f"account-{number}", 90 if number % 2 else 10) for number in range(accounts)))


def folded(worker: Worker, accounts: int) -> None:
    eventually(lambda: worker.metric("tierstream_events_total") == accounts, 120, "every record folded")


def transitions(settings: Settings) -> Iterator[TierTransition]:
    codec = Codec()
    for raw in committed_records(settings, "tier-transitions"):
        yield codec.decode_as(TierTransition, raw.payload)


def orders(settings: Settings) -> Iterator[FoldOrder]:
    codec = Codec()
    for raw in committed_records(settings, "fold-order"):
        yield codec.decode_as(FoldOrder, raw.payload)


def test_a_change_is_shown_asked_for_obeyed_and_the_old_policy_refused(
    settings: Settings, commands: Commands, lower: Path, tmp_path: Path
) -> None:
    graded(settings, 40)
    with Worker(settings, tmp_path / "first.log") as worker:
        worker.await_lanes(4)
        folded(worker, 40)
        shown = commands.json("policy", "activate", str(lower), "--dry-run")
        assert (shown["accounts"], shown["movers"], shown["ordered"]) == (40, 20, False)
        assert shown["moves"] == [{"scheme": "sabc", "from": "C", "to": "B", "accounts": 20}]
        asked = commands.run("policy", "activate", str(lower))
        assert (asked.returncode, "50.0% of the accounts would move" in asked.stderr) == (2, True)
        assert list(transitions(settings)) == []
        done = commands.json("policy", "activate", str(lower), "--yes")
        assert (done["ordered"], done["not_adopted_yet"]) == (True, [])
        eventually(lambda: len(list(transitions(settings))) == 20, what="the movers have moved")
        assert {each.cause.kind for each in transitions(settings)} == {"POLICY"}
        again = commands.run("policy", "activate", str(lower))
        assert (again.returncode, "is in force already" in again.stderr) == (2, True)
        assert worker.stop() == 0
    with Worker(settings, tmp_path / "old.log") as old:
        assert old.process.wait(120) == 2
        assert "start without --policy" in old.said


def test_a_policy_that_counts_otherwise_is_refused_with_what_it_lacks(settings: Settings, commands: Commands, tmp_path: Path) -> None:
    graded(settings, 8)
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(4)
        folded(worker, 8)
        other = tmp_path / "other.yaml"
        other.write_text(FIRST.read_text().replace("DOWNLOAD: 4", "DOWNLOAD: 5"))
        refused = commands.run("policy", "activate", str(other), "--yes")
        assert refused.returncode == 2
        assert "measures.engagement: is new or counts otherwise" in refused.stderr


def test_a_change_survives_kill_9_amid_its_slices_and_its_replay_equals_what_was_published(
    settings: Settings, commands: Commands, lower: Path, tmp_path: Path
) -> None:
    graded(settings, MANY)
    with Worker(settings, tmp_path / "first.log") as worker:
        worker.await_lanes(4)
        folded(worker, MANY)
        activating = commands.start("policy", "activate", str(lower), "--yes", log=tmp_path / "activate.log")
        eventually(lambda: any(end_of(settings, "tier-transitions", number) for number in range(4)), 120, "the first have moved")
        worker.process.kill()
        worker.process.wait()
    with Worker(settings.model_copy(update={"policy": None}), tmp_path / "second.log") as heir:
        heir.await_lanes(4)
        assert activating.wait(120) == 0, (tmp_path / "activate.log").read_text()
        eventually(lambda: len(list(transitions(settings))) == MANY // 2, 120, "the movers have moved")
        graded(settings, 4)
        eventually(lambda: heir.metric("tierstream_events_total") >= 4, what="it goes on")
        assert heir.stop() == 0
    assert {order.policy_digest for order in orders(settings)} == {each.policy_digest for each in transitions(settings)} | {
        next(orders(settings)).policy_digest
    }
    assert commands.run("audit").returncode == 0
    replayed = commands.run("replay", "--live", "--policy", str(FIRST), "--json")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert json.loads(replayed.stdout)
