"""The AsyncAPI document says what the catalogues say, and the committed one is the one that the code makes."""

import json
from collections.abc import Iterator
from typing import Any

import yaml
from typer.testing import CliRunner

from agents.cli.commands import create_cli
from schemas.asyncapi import document
from schemas.catalogue import shipped
from schemas.topics import TOPICS, Role
from tests.house.tree import ROOT

DOCUMENT = ROOT / "docs" / "asyncapi.yaml"
PUBLIC = [topic for topic in TOPICS.values() if topic.role is not Role.INTERNAL]


def printed(*arguments: str) -> str:
    return CliRunner().invoke(create_cli(), ["schemas", "asyncapi", *arguments], env={"COLUMNS": "200"}).stdout


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == printed(), "`tierstream schemas asyncapi > docs/asyncapi.yaml` writes it anew"


def test_every_reference_leads_somewhere() -> None:
    whole = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    found = list(references(whole))
    assert len(found) > 3 * len(PUBLIC)
    for reference in found:
        place = whole
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references(node: Any) -> Iterator[str]:
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(inner)
    if isinstance(node, dict) and "$ref" in node:
        yield node["$ref"]


def test_every_public_topic_is_a_channel_with_the_schema_that_its_records_are_written_in() -> None:
    said = document("1", "a:1,b:2", 12, 3, lambda name: f"eu.{name}")
    assert {server["host"] for server in said["servers"].values()} == {"a:1", "b:2"}
    assert set(said["channels"]) == {topic.name for topic in PUBLIC}
    for topic in PUBLIC:
        channel = said["channels"][topic.name]
        assert channel["address"] == f"eu.{topic.name}"
        assert (channel["bindings"]["kafka"]["partitions"], channel["bindings"]["kafka"]["replicas"]) == (12, 3)
        if topic.record is not None:
            message = said["components"]["messages"][topic.record.__name__]
            followed = shipped().followed(topic.record.__name__)
            assert (message["x-schema-id"], message["payload"]["schema"]) == (followed.id, followed.definition)
            assert json.dumps(message["payload"]["schema"])


def test_outputs_are_sent_as_cloud_events_and_inputs_are_received() -> None:
    said = document("1", "a:1", 1, 1)
    for topic in PUBLIC:
        is_output = topic.role is Role.OUTPUT
        operation = said["operations"][f"{'send' if is_output else 'receive'}-{topic.name}"]
        assert operation["action"] == ("send" if is_output else "receive")
        message = said["components"]["messages"][topic.record.__name__ if topic.record else "DeadLetter"]
        assert ("traits" in message or "ce_id" in message.get("headers", {}).get("properties", {})) == is_output


def test_the_document_of_a_deployment_names_its_topics() -> None:
    said = yaml.safe_load(printed("--topic-prefix", "eu.", "--partitions", "4", "--bootstrap-servers", "kafka-1:9092"))
    assert said["channels"]["tier-transitions"]["address"] == "eu.tier-transitions"
    assert said["servers"]["kafka"]["host"] == "kafka-1:9092"
