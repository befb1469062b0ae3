"""With a real schema registry (Apicurio): who writes what under which id, what may evolve, what is refused, and what while it is down."""

import copy
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agents import clients
from agents.clocks import wall_clock
from agents.counters import LaneCounters
from agents.embedded.broker import Broker
from agents.lane import Lane
from agents.lanes import lane_maker
from agents.reading import committed_records
from agents.registry import Registry, codec_for
from agents.registry_client import RegistryClient, RegistryDown, RegistryRefused
from agents.settings import Settings
from schemas import catalogue
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.records import Interaction, TierTransition
from streams.policy import load_policy
from tests.apicurio import Apicurio
from tests.builders import interaction
from tests.integration.commands import Commands
from tests.shops import EXAMPLES
from tests.waiting import eventually
from tests.workers import ROOT, deployment, publish

WAIT_S = 120.0
INTERACTION = catalogue.shipped().followed("Interaction").definition


@pytest.fixture(scope="module")
def apicurio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apicurio]:
    """One that gave its first ids to others, so that none of ours is the catalogue's."""
    registry = Apicurio(tmp_path_factory.mktemp("registry") / "log")
    registry.start()
    for number in range(25):
        posted(registry, f"others-{number}-value", {"type": "record", "name": f"Other{number}", "fields": [{"name": "a", "type": "long"}]})
    yield registry
    registry.stop()


@pytest.fixture
def settings(kafka: Broker, prefix: str, apicurio: Apicurio) -> Settings:
    return deployment(kafka.bootstrap, prefix, partitions=1, registry_url=apicurio.url, broker_timeout_s=30.0)


def client_of(apicurio: Apicurio, timeout_s: float = 30.0) -> RegistryClient:
    return RegistryClient(apicurio.url, {}, timeout_s)


def posted(apicurio: Apicurio, subject: str, definition: Mapping[str, Any]) -> int:
    """Registered as a producer does; its id."""
    answer: Any = client_of(apicurio).ask("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(definition), "schemaType": "AVRO"})
    return int(answer["id"])


def with_colour(definition: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """As a producer changes it that knows the colour of things."""
    changed = copy.deepcopy(dict(definition))
    changed["fields"].append({"name": "colour", "type": "string"} | more)
    return changed


def coloured(schema_id: int, record: Interaction) -> bytes:
    """What that producer writes."""
    return b"\0" + schema_id.to_bytes(4, "big") + Codec().encode(record)[5:] + b"\x06red"


def send(settings: Settings, *payloads: bytes) -> None:
    producer = clients.idempotent_producer(settings)
    for payload in payloads:
        producer.produce(settings.topic_name("interactions"), key=b"acme", value=payload)
    assert producer.flush(30) == 0


def lane_of(settings: Settings) -> Lane:
    lane = lane_maker(settings, load_policy(ROOT / "policies" / "sabc.yaml"), wall_clock, frozenset())(0, LaneCounters())
    lane.recover()
    return lane


def step_until(lane: Lane, events: int) -> None:
    eventually(lambda: (lane.step(0.2), sum(lane.counters.events.values()) >= events)[1], WAIT_S, f"{events} records folded")


def ids_of(settings: Settings, topic: str) -> set[int]:
    return {int.from_bytes(raw.payload[1:5], "big") for raw in committed_records(settings, topic) if raw.payload}


def test_every_schema_is_registered_once_by_topic_and_demands_full_compatibility(
    settings: Settings, apicurio: Apicurio, prefix: str
) -> None:
    first, again = Registry(settings).register(), Registry(settings).register()
    assert first == again == Registry(settings).look_up()
    assert [(each.record, each.version) for each in first] == [(each.record, each.version) for each in catalogue.shipped().all()]
    assert {each.id for each in first}.isdisjoint({each.id for each in catalogue.shipped().all()})
    for record in ("Interaction", "TierTransition", "FoldOrder"):
        answer = client_of(apicurio).ask("GET", f"/config/{Registry(settings).subject(record)}")
        assert answer is not None
        assert answer["compatibilityLevel"] == "FULL_TRANSITIVE"
    assert Registry(settings).subject("TierTransition") == f"{settings.topic_prefix}tier-transitions-value"


def test_an_engine_with_a_registry_reads_either_ids_and_confluents_deserializer_reads_what_it_publishes(settings: Settings) -> None:
    now_ms = wall_clock()
    publish(settings, "interactions", [interaction("acme", "DOWNLOAD", now_ms) for _ in range(2)])  # before there was a registry
    lane = lane_of(settings)
    codec = codec_for(settings)
    send(settings, *(codec.encode(interaction("acme", kind, now_ms)) for kind in ("DOWNLOAD", "PRICE_INQUIRY")))
    step_until(lane, 4)
    lane.log.close()
    ours = {(each.record, each.version): each.id for each in Registry(settings).look_up()}
    followed = catalogue.shipped().followed
    assert ids_of(settings, "tier-transitions") == {ours["TierTransition", followed("TierTransition").version]}
    assert ids_of(settings, "fold-order") == {followed("FoldOrder").id}, "what the engine alone reads needs no registry"
    transitions = [codec.decode_as(TierTransition, raw.payload) for raw in committed_records(settings, "tier-transitions")]
    assert [each.to_tier for each in transitions] == ["B", "A"]
    environment = os.environ | {
        "KAFKA": settings.bootstrap_servers,
        "TOPIC_PREFIX": settings.topic_prefix,
        "REGISTRY": settings.registry_url or "",
    }
    said = subprocess.run(
        [sys.executable, str(EXAMPLES / "deserializer.py")], env=environment, capture_output=True, text=True, timeout=WAIT_S, check=True
    )
    assert said.stdout.splitlines() == ["acme 1 B", "acme 2 A"]


def test_old_and_new_producers_are_read_whether_their_schema_was_known_at_the_start_or_came_later(
    settings: Settings, apicurio: Apicurio
) -> None:
    subject = Registry(settings).subject("Interaction")
    Registry(settings).register()
    before = posted(apicurio, subject, with_colour(INTERACTION, default="none"))
    lane, now_ms = lane_of(settings), wall_clock()
    after = posted(apicurio, subject, with_colour(with_colour(INTERACTION, default="none"), name="shade", default=""))
    assert len({before, after}) == 2
    downloads = [interaction("acme", "DOWNLOAD", now_ms) for _ in range(3)]
    send(settings, coloured(before, downloads[0]), coloured(after, downloads[1]) + b"\x08dark", codec_for(settings).encode(downloads[2]))
    step_until(lane, 3)
    lane.log.close()
    (transition,) = [codec_for(settings).decode_as(TierTransition, raw.payload) for raw in committed_records(settings, "tier-transitions")]
    assert (transition.to_tier, transition.cause.event_id) == ("B", downloads[2].event_id)
    assert codec_for(settings).decode("interactions", coloured(before, downloads[0])) == downloads[0]


def test_an_id_that_the_registry_never_gave_is_a_dead_letter(settings: Settings) -> None:
    lane = lane_of(settings)
    send(settings, coloured(2_000_000, interaction("acme", "DOWNLOAD", wall_clock())))
    step_until(lane, 1)
    lane.log.close()
    assert len(list(committed_records(settings, "dead-letters"))) == 1
    assert dict(lane.counters.dead_letters) == {("interactions", "UNKNOWN_SCHEMA"): 1}


def test_what_is_incompatible_is_refused_with_the_field(settings: Settings, apicurio: Apicurio) -> None:
    Registry(settings).register()
    with pytest.raises(RegistryRefused, match=r"409.*colour"):
        posted(apicurio, Registry(settings).subject("Interaction"), with_colour(INTERACTION))


def test_ours_are_refused_where_another_version_breaks_them_and_the_command_says_which(
    settings: Settings, apicurio: Apicurio, kafka: Broker, prefix: str
) -> None:
    orders = Registry(settings).subject("Order")
    client_of(apicurio).ask("PUT", f"/config/{orders}", {"compatibility": "FULL_TRANSITIVE"})
    posted(apicurio, orders, with_colour(catalogue.shipped().followed("Order").definition))
    commands = Commands(kafka.bootstrap, prefix)
    commands.environment |= {"TIERSTREAM_REGISTRY_URL": apicurio.url, "TIERSTREAM_BROKER_TIMEOUT_S": "30"}
    said = commands.run("schemas", "register")
    assert said.returncode == 2
    assert f"refuses version 1 of Order for {orders}" in said.stderr
    assert "colour" in said.stderr


def test_a_registry_that_is_down_at_the_start_is_named_and_a_file_of_ids_takes_its_place(
    settings: Settings, apicurio: Apicurio, tmp_path: Path
) -> None:
    kept = settings.model_copy(update={"registry_ids": tmp_path / "ids.json", "broker_timeout_s": 1.0})
    patient = kept.model_copy(update={"broker_timeout_s": 30.0})
    ids = codec_for(patient, at_work=True).catalogue
    with apicurio.frozen():
        with pytest.raises(SettingsError, match=r"schema registry http.* does not answer .*: start it, or correct TIERSTREAM_REGISTRY_URL"):
            codec_for(kept.model_copy(update={"registry_ids": None}), at_work=True)
        assert codec_for(kept, at_work=True).catalogue.followed("TierTransition").id == ids.followed("TierTransition").id
        elsewhere = kept.model_copy(update={"registry_url": apicurio.url + "/"})
        with pytest.raises(SettingsError, match="does not answer"):
            codec_for(elsewhere, at_work=True)


def test_while_the_registry_is_down_known_ids_go_on_and_a_new_one_waits_for_it(
    settings: Settings, apicurio: Apicurio, caplog: pytest.LogCaptureFixture
) -> None:
    hasty = settings.model_copy(update={"broker_timeout_s": 8.0})
    lane, now_ms = lane_of(hasty), wall_clock()
    codec = codec_for(settings)
    after = posted(apicurio, Registry(settings).subject("Interaction"), with_colour(INTERACTION, default="blue"))
    with apicurio.frozen():
        send(settings, *(codec.encode(interaction("acme", "DOWNLOAD", now_ms)) for _ in range(2)))
        step_until(lane, 2)
        with pytest.raises(RegistryDown):
            client_of(apicurio, 1.0).ask("GET", f"/schemas/ids/{after}")
        waiting = threading.Thread(target=step_until, args=(lane, 3))
        send(settings, coloured(after, interaction("acme", "DOWNLOAD", now_ms)))
        waiting.start()
        eventually(lambda: f"schema {after} is new: waiting for the registry" in caplog.text, WAIT_S)
        assert ids_of(settings, "tier-transitions") == set()
    waiting.join(WAIT_S)
    lane.log.close()
    assert ids_of(settings, "dead-letters") == set()
    assert len(ids_of(settings, "tier-transitions")) == 1
