"""`export` of a live engine's log, whose time its lanes made themselves: a replay of the file publishes what was published."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from agents.embedded.broker import Broker
from agents.reading import committed_records
from schemas.codec import Codec
from schemas.json_values import to_json
from schemas.records import FoldOrder, TierTransition
from streams.policy import load_policy
from tests.house.tree import ROOT
from tests.integration.commands import Commands
from tests.waiting import eventually

POLICY = load_policy(ROOT / "policies" / "demo.yaml")
WHEN_NOT_WHAT = ("decided_at", "lag_ms")
DUE_TO_TIME = {"SILENCE", "DECAY", "WINDOW", "TRIGGER", "CLOCK"}


def published(commands: Commands) -> list[TierTransition]:
    return [Codec().decode_as(TierTransition, raw.payload) for raw in committed_records(commands.settings, "tier-transitions")]


def orders(commands: Commands) -> list[FoldOrder]:
    return [Codec().decode_as(FoldOrder, raw.payload) for raw in committed_records(commands.settings, "fold-order")]


def by_chain(values: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Everything but when it was decided."""
    return {
        (value["account_id"], value["sequence"]): {name: held for name, held in value.items() if name not in WHEN_NOT_WHAT}
        for value in values
    }


@pytest.fixture(scope="module")
def commands(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """An engine that has lived for some seconds with poison among its records, and had time pass, and was stopped.

    One for all tests of this file: they only read what it has left.
    """
    commands = Commands(kafka.bootstrap, f"t{uuid.uuid4().hex[:8]}-").with_topics()
    with commands.running("worker", "--policy", "demo", log=tmp_path_factory.mktemp("export") / "worker.log"):
        commands.json("generate", "--rate", "400", "--seconds", "4", "--accounts", "80", "--seed", "6", "--poison-share", "0.01")
        eventually(lambda: any(said.cause.kind in DUE_TO_TIME for said in published(commands)), 60, "time moving a tier")
        eventually(lambda: any(order.tick is not None for order in orders(commands)), 60, "a tick that a lane made")
    return commands


@pytest.mark.parametrize("form", ["jsonl", "avro"])
def test_a_replay_of_an_export_publishes_what_was_published(commands: Commands, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"log.{form}"
    exported = commands.json("export", "--out", str(file), *(["--avro"] if form == "avro" else []))
    assert exported["written"]["ticks"] == sum(order.tick is not None for order in orders(commands)) > 0
    assert sum(exported["left_out"].values()) > 0, "poison is left out"
    replayed = commands.run("replay", "--policy", "demo", str(file))
    again = [line["value"] for line in map(json.loads, replayed.stdout.splitlines()) if line["topic"] == "tier-transitions"]
    said = published(commands)
    assert len(said) > 20
    assert by_chain(again) == by_chain([to_json(transition) for transition in said])


def test_an_export_of_one_topic_has_that_topic_alone_and_no_other_name_is_known(commands: Commands) -> None:
    ended = commands.run("export", "interactions")
    assert {json.loads(line)["topic"] for line in ended.stdout.splitlines()} == {"interactions"}
    places = [(line["partition"], line["offset"]) for line in map(json.loads, ended.stdout.splitlines())]
    assert len(places) == len(set(places))
    refused = commands.run("export", "fold-order")
    assert refused.returncode == 2
    assert "fold-order" in refused.stderr
