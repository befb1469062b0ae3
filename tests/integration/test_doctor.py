"""The doctor names what is wrong: one deployment with everything planted in it that can be, examined once, and a healthy one.

What concerns TLS, passwords and ACLs is in `test_security.py`, on a broker that has them.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from agents import clients
from agents.cli.policies import required_policy
from agents.clocks import wall_clock
from agents.doctor.connecting import too_old
from agents.doctor.examining import CHECKS, examined
from agents.doctor.findings import Finding, State
from agents.doctor.machine import differing
from agents.embedded.broker import Broker
from agents.kafka_log import KafkaLog
from agents.listening import listen
from agents.provisioning import create_topics
from agents.settings import Settings, load_settings
from schemas.changelog import Progress, progress_key, progress_payload
from schemas.codec import Codec
from schemas.limits import YEAR_2200_MS
from tests.builders import interaction, profile
from tests.house.tree import ROOT
from tests.integration.commands import Commands

SKEW_MS = 3_600_000
POLICY = ROOT / "policies" / "sabc.yaml"
Planted = dict[str, list[Finding]]


def alter(settings: Settings, topic: str, option: str, setting: str) -> None:
    entry = ConfigEntry(option, setting, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.topic_name(topic), incremental_configs=[entry])
    admin = clients.admin_client(settings)
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(20)


def plant_topics(settings: Settings) -> None:
    alter(settings, "orders", "message.timestamp.type", "CreateTime")
    alter(settings, "invoices", "cleanup.policy", "compact")
    alter(settings, "opportunities", "retention.ms", "3600000")
    alter(settings, "hot-leads", "min.insync.replicas", "2")
    admin = clients.admin_client(settings)
    for answer in admin.delete_topics([settings.topic_name("tickets")]).values():
        answer.result(20)


def plant_records(settings: Settings) -> None:
    """A producer with librdkafka's own partitioner, one with another registry, one that writes JSON, one without keys, one from 2199."""
    codec, name = Codec(), settings.topic_name
    careless = Producer({"bootstrap.servers": settings.bootstrap_servers, "partitioner": "consistent"})
    for number in range(20):
        record = interaction(f"account-{number}")
        careless.produce(name("interactions"), codec.encode(record), record.account_id.encode())
    framed = codec.encode(profile("acme"))
    careless.produce(name("profiles"), b"\0\0\0\xff\xff" + framed[5:], b"acme")
    careless.produce(name("risks"), b'{"account_id": "acme"}', b"acme")
    careless.produce(name("profiles"), framed, partition=0)
    careless.produce(name("interactions"), codec.encode(interaction("later", at=YEAR_2200_MS - 1)), b"later")
    assert careless.flush(20) == 0


def plant_state(settings: Settings) -> None:
    """Progress of another policy; of a topic that was made again; of records that are gone."""
    admin = clients.admin_client(settings)
    log = KafkaLog(settings, 0, ("interactions", "risks", "profiles"), admin)
    now = log.topic_ids()
    log.close()
    producer = clients.idempotent_producer(settings)
    for topic, at in {
        "interactions": Progress(0, "0123456789abcdef", now["interactions"]),
        "risks": Progress(0, "0123456789abcdef", now["risks"]),
        "profiles": Progress(0, "0123456789abcdef", "of another"),
    }.items():
        producer.produce(settings.topic_name("accounts-changelog"), progress_payload(at), progress_key(topic), partition=0)
    producer.produce(settings.topic_name("risks"), b"x", b"x", partition=0)
    assert producer.flush(20) == 0
    for answer in admin.delete_records([TopicPartition(settings.topic_name("risks"), 0, 1)]).values():
        answer.result(20)


@pytest.fixture(scope="module")
def planted(kafka: Broker) -> Iterator[Planted]:
    """What the doctor says of them all, by check. Its clock is an hour ahead, and the settings are wrong where they can be."""
    settings = load_settings({"bootstrap_servers": kafka.bootstrap, "topic_prefix": "doctor-ill-", "partitions": 2})
    create_topics(settings)
    plant_records(settings)
    plant_state(settings)
    open_one = clients.transactional_producer(settings, "doctor-ill-foreign")
    open_one.init_transactions(20)
    open_one.begin_transaction()
    open_one.produce(settings.topic_name("predictions"), b"x", b"x", partition=1)
    assert open_one.flush(20) == 0
    plant_topics(settings)
    ill = settings.model_copy(update={"policy": POLICY, "session_timeout_s": 2.0, "web_host": "0.0.0.0", "replication_factor": 2})
    found: Planted = {}
    for finding in examined(ill, required_policy, lambda: wall_clock() + SKEW_MS):
        found.setdefault(finding.check, []).append(finding)
    yield found
    open_one.abort_transaction(20)


@pytest.mark.parametrize(
    ("check", "said", "mend"),
    [
        ("topics", "tickets is missing", "tierstream topics create"),
        ("topics", "orders must have message.timestamp.type=LogAppendTime, has CreateTime", "--add-config message.timestamp.type"),
        ("topics", "invoices must have cleanup.policy=delete, has compact", "--add-config cleanup.policy=delete"),
        ("topics", "opportunities must have retention.ms=-1, has 3600000", "--add-config retention.ms=-1"),
        ("topics", "interactions must have 2 replicas, has 1", "TIERSTREAM_REPLICATION_FACTOR"),
        ("copies", "hot-leads cannot be written to: min.insync.replicas=2, and it has 1 copies", "min.insync.replicas=1"),
        ("limits", "TIERSTREAM_SESSION_TIMEOUT_S is 2, the brokers allow 6 to 1800 s", "group.min.session.timeout.ms"),
        ("clock", "ms ahead of the broker's", "chrony"),
        ("open transactions", "holds back doctor-ill-predictions:1 from offset 0 on", "kafka-transactions.sh abort"),
        ("state", "policy must have the digest of the one in force, 0123456789abcdef", "another application id"),
        ("state", "topic profiles was deleted and made again", "another application id"),
        ("state", "records 0 to 0 of risks:0 were deleted before they were folded", "keep inputs for longer"),
        ("partitioner", "records of interactions are refused, WRONG_PARTITION", "murmur2_random"),
        ("schemas", "records of profiles are refused, UNKNOWN_SCHEMA", "schemas/avro/catalogue.json"),
        ("schemas", "records of risks are refused, UNDECODABLE", "Confluent framing"),
        ("keys", "records of profiles are refused, MISSING_KEY", "account_id"),
        ("producers' clocks", "records of interactions are refused, TOO_FAR_AHEAD", "time zone"),
    ],
)
def test_what_is_planted_is_named_with_its_fix(planted: Planted, check: str, said: str, mend: str) -> None:
    wrong = [finding for finding in planted[check] if finding.state is State.WRONG]
    assert any(said in finding.said and mend in finding.mend for finding in wrong), planted[check]


def test_what_works_and_will_trouble_somebody_is_worth_a_look(planted: Planted) -> None:
    first = planted["web"][0]
    assert (first.state, "listen on 0.0.0.0" in first.said) == (State.LOOK, True)


def test_nothing_is_skipped_because_something_else_is_wrong(planted: Planted) -> None:
    assert [each for findings in planted.values() for each in findings if each.state is State.SKIPPED] == []


def test_a_healthy_deployment_has_nothing_wrong_and_the_doctor_leaves_no_trace(kafka: Broker, prefix: str) -> None:
    tierstream = Commands(kafka.bootstrap, prefix, partitions=2).with_topics()
    answer = tierstream.json("doctor", "--policy", str(POLICY))
    assert answer["fine"]
    assert {finding["state"] for finding in answer["findings"]} == {"fine"}
    assert {finding["check"] for finding in answer["findings"]} >= {listed.name for listed in CHECKS}
    assert tierstream.json("audit")["transitions"] == 0


def test_what_needs_no_broker_is_checked_without_one(tmp_path: Path) -> None:
    mistaken = tmp_path / "mistaken.yaml"
    mistaken.write_text(POLICY.read_text().replace("behaviour: 0.4", "behaviours: 0.4"))
    with listen("127.0.0.1", 0) as taken:
        environment = {
            "TIERSTREAM_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "TIERSTREAM_BROKER_TIMEOUT_S": "0.5",
            "TIERSTREAM_WEB_PORT": str(taken.getsockname()[1]),
            "TIERSTREAM_POLICY": str(mistaken),
        }
        command = f"ulimit -n 100 && exec {sys.executable} -m agents.cli doctor"
        ended = subprocess.run(
            ["sh", "-c", command], env=environment | {"COLUMNS": "400"}, cwd=ROOT, text=True, capture_output=True, timeout=60
        )
    assert ended.returncode == 1, ended.stderr
    said = ended.stdout
    assert "no broker answers at 127.0.0.1:1" in said
    assert "at most 100 files may be open, 8 lanes need" in said
    assert "the web views need a free address" in said
    assert "unknown dimension 'behaviours', did you mean 'behaviour'?" in said


def test_wrong_settings_are_no_illness_but_wrong_use() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "agents.cli", "doctor"], env={"TIERSTREAM_PARTITIONS": "none"}, cwd=ROOT, text=True, capture_output=True
    )
    assert (ended.returncode, "TIERSTREAM_PARTITIONS" in ended.stderr) == (2, True)


def test_a_library_of_another_version_is_named() -> None:
    (found,) = differing({"faust-streaming": "0.15.3", "numpy": "2.4.6"}, {"faust-streaming": "0.14.0", "numpy": "2.4.6"})
    assert (found.state, found.said) == (State.WRONG, "faust-streaming must be 0.15.3, is 0.14.0")


def test_brokers_from_before_topic_ids_are_too_old() -> None:
    (found,) = too_old({3: (0, 9)})
    assert (found.state, "Kafka 2.8" in found.mend) == (State.WRONG, True)
    assert too_old({3: (0, 13)}) == []
