"""Overrides and owners on a real broker: ordered by the command line, carried out by a worker, ended by time, and proved by the log."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.reading import committed_messages
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import TierTransition
from schemas.records.outputs import Action
from tests.builders import prediction
from tests.integration.commands import Commands
from tests.unit.test_overrides_document import EXAMPLE, policy_of_the_page
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish


@pytest.fixture
def settings(kafka: Broker, prefix: str, tmp_path: Path) -> Settings:
    return deployment(kafka.bootstrap, prefix, partitions=2, policy=str(policy_of_the_page(tmp_path)))


def commands_of(settings: Settings) -> Commands:
    return Commands(settings.bootstrap_servers, settings.topic_prefix, partitions=2)


def published(settings: Settings) -> list[TierTransition]:
    codec = Codec()
    return [codec.decode_as(TierTransition, message.value()) for message in committed_messages(settings, "tier-transitions")]


def told(transition: TierTransition) -> tuple[Any, ...]:
    """What a replay must say again, but for where the record lies."""
    return (transition.from_tier, transition.to_tier, transition.effective_at, transition.cause.kind, transition.cause.detail,
            [stage.because for stage in transition.trail])  # fmt: skip


def test_002_33_fixture_11_thirty_days_on_a_broker_are_what_replay_says(settings: Settings, tmp_path: Path) -> None:
    tierstream = commands_of(settings)
    history = settings.model_copy(update={"clock": "records"})
    with Worker(history, tmp_path / "worker.log") as worker:
        worker.await_lanes(2)
        assert tierstream.json("ingest", str(EXAMPLE))["accepted"] == 8
        eventually(lambda: len(published(settings)) >= 3, 60, "three transitions")
        assert worker.stop() == 0
    replayed = tierstream.run("replay", "--policy", settings.policy or "", str(EXAMPLE))
    said = [json.loads(line) for line in replayed.stdout.splitlines()]
    expected = [said_again(each["value"]) for each in said if each["topic"] == "tier-transitions"]
    assert [told(each) for each in published(settings)] == expected
    assert tierstream.json("audit")["fine"]
    assert tierstream.json("replay", "--live", "--policy", settings.policy or "")["fine"]


def said_again(transition: dict[str, Any]) -> tuple[Any, ...]:
    cause = transition["cause"]
    return (transition["from_tier"], transition["to_tier"], transition["effective_at"], cause["kind"], cause.get("detail"),
            [stage["because"] for stage in transition["trail"]])  # fmt: skip


def test_an_override_is_ordered_answered_and_ends_by_itself(settings: Settings, tmp_path: Path) -> None:
    tierstream = commands_of(settings)
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(2)
        publish(settings, "predictions", [prediction("acme", 65.0, wall_clock())])
        eventually(lambda: len(published(settings)) == 1, 60, "the first transition")
        said = ("--reason", "pilot customer", "--by", "kim")
        refused = tierstream.json("command", "override", "acme", "S", *said, "--for", "10s", exit_code=1)
        assert (refused["answer"]["kind"], refused["answer"]["reason"]) == ("REFUSED", "approved_by is missing")
        ordered = ("command", "override", "acme", "S", *said, "--approved-by", "lee", "--for", "5s", "--id", "o-1")
        done = tierstream.json(*ordered)
        assert done["answer"]["kind"] == "DONE"
        assert done["sent_to"].startswith("commands:")
        again = tierstream.json(*ordered)
        assert again["answer"] == done["answer"], "a repetition finds the answer that there is"
        assert tierstream.json("command", "assign-owner", "acme", "sales-7", "--by", "kim")["answer"]["kind"] == "DONE"
        eventually(lambda: len(published(settings)) == 3, 60, "the expiry")
        explained = tierstream.json("explain", "acme", "--url", worker.url)
        assert explained["account"]["owner_id"] == "sales-7"
        assert worker.stop() == 0
    _, up, back = published(settings)
    assert (up.from_tier, up.to_tier, up.cause.kind, back.from_tier, back.to_tier, back.cause.kind) == (
        "B", "S", "OVERRIDE", "S", "B", "OVERRIDE",
    )  # fmt: skip
    assert back.effective_at == done["command"]["expires_at"]
    assert tierstream.json("audit")["fine"]
    assert tierstream.json("replay", "--live", "--policy", settings.policy or "")["fine"]
    answers = [Codec().decode_as(Action, message.value()) for message in committed_messages(settings, "actions")]
    assert not any(name in repr(each) for each in answers for name in ("kim", "lee"))


def test_an_order_that_nobody_answers_says_so_and_a_dry_run_sends_nothing(settings: Settings) -> None:
    tierstream = commands_of(settings)
    unanswered = tierstream.run("command", "erase", "acme", "--reason", "case 1", "--by", "dpo", "--wait", "1", "--id", "e-1")
    assert unanswered.returncode == 1
    assert "No answer within 1 s" in unanswered.stderr
    assert "--id e-1" in unanswered.stderr
    assert tierstream.json("command", "erase", "acme", "--reason", "case 1", "--by", "dpo", "--dry-run")["sent_to"] is None
    assert tierstream.json("command", "erase", "acme", "--reason", "case 2", "--by", "dpo", "--wait", "0")["answer"] is None
    assert len(list(committed_messages(settings, "commands"))) == 2
