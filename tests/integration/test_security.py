"""Behind TLS, SCRAM and ACLs: every command runs with the rights that the manual lists and no more, and each one that is missing is named.

Secrets and what is known of people are in no log, message or metric; a policy cannot run code; nothing listens beyond loopback.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from agents import clients
from agents.cli.policies import required_policy
from agents.clocks import wall_clock
from agents.credentials import credentials
from agents.doctor.examining import examined
from agents.doctor.findings import Finding, State
from agents.embedded.broker import Broker
from agents.embedded.configuration import data_directory
from agents.provisioning import create_topics
from agents.rights import DUTIES, Duty, Right, missing, of
from agents.settings import Settings, load_settings
from schemas.errors import PolicyError, SettingsError
from streams.policy import load_policy
from tests.house.documents import documented_rights
from tests.house.tree import ROOT
from tests.secured import PASSWORD, SecuredKafka
from tests.waiting import eventually
from tests.workers import Worker, environment

PREFIX = "guarded-"
POLICY = ROOT / "tests" / "policies" / "plain.yaml"
CONTACT = "Zhang-Wei-of-the-test"  # a person, whom a scan of everything said would find


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """The broker, with topics, and a user for each command that has what the manual lists for it."""
    kafka = SecuredKafka(tmp_path_factory.mktemp("guarded"), **{"transaction.max.timeout.ms": "120000"})
    kafka.admit({user_of(duty): documented_rights(duty, PREFIX, "tierstream") for duty in DUTIES})
    create_topics(settings_of(kafka, "topics create"))
    yield kafka
    kafka.broker.stop()
    shutil.rmtree(data_directory(kafka.broker.directory))


def user_of(duty: Duty) -> str:
    return duty.replace(" ", "-").replace("--", "-")


def settings_of(kafka: SecuredKafka, duty: Duty, **more: str) -> Settings:
    """What a process of this duty is told."""
    small = {"partitions": 2, "web_port": 0, "policy": str(POLICY), "session_timeout_s": 6.0, "topic_prefix": PREFIX}
    return load_settings(small | {"bootstrap_servers": kafka.bootstrap, "kafka": kafka.options(user_of(duty), **more)})


def variables(settings: Settings) -> dict[str, str]:
    return environment(settings) | {"TIERSTREAM_KAFKA": json.dumps(settings.kafka)}


def said_by(kafka: SecuredKafka, duty: Duty, *arguments: str, expect: int = 0) -> str:
    """Everything that a command says, run by its own user."""
    command = [sys.executable, "-m", "agents.cli", *arguments]
    ended = subprocess.run(command, env=variables(settings_of(kafka, duty)), cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert ended.returncode == expect, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


class Spoken(NamedTuple):
    """Everything that a worker and the commands said, and where the worker listened."""

    text: str
    listens: set[tuple[str, int]]


@pytest.fixture(scope="module")
def spoken(guarded: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    """A worker and the commands, each with its own rights and no more, on records about a person."""
    folder = tmp_path_factory.mktemp("spoken")
    worker = settings_of(guarded, "worker")
    events = folder / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in about_a_person()))
    told = [said_by(guarded, "ingest", "ingest", "records", str(events), expect=1)]
    with Worker(worker, folder / "worker.log", more={"TIERSTREAM_KAFKA": json.dumps(worker.kafka)}) as process:
        process.await_lanes(2)
        eventually(lambda: process.metric("tierstream_events_total") >= 3, what="every record folded")
        told += [process.get("/metrics")[1], process.get("/readyz")[1]]
        told.append(said_by(guarded, "command", "command", "assign-owner", "acme", "sales-7", "--by", CONTACT))
        said_by(guarded, "explain", "explain", "acme", "--json")  # from the changelog: the settings name no worker
        listens = listening(process.process.pid)
        assert process.stop() == 0
        told.append(process.said)
    told += after_it(guarded, folder)
    return Spoken("\n".join(told), listens)


def after_it(guarded: SecuredKafka, folder: Path) -> list[str]:
    """The commands that look at what the worker has left, side by side."""
    commands: list[tuple[Duty, list[str]]] = [
        ("export", ["export", "--out", str(folder / "log.jsonl"), "--json"]),
        ("audit", ["audit"]),
        ("report", ["report", "pyramid"]),
        ("replay --live", ["replay", "--live", "--policy", str(POLICY)]),
        ("dead-letters", ["dead-letters", "list"]),
        ("worker", ["doctor"]),
    ]
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda command: said_by(guarded, command[0], *command[1]), commands))
    return [*told, said_by(guarded, "policy activate", "policy", "activate", str(POLICY), "--dry-run", expect=2)]  # it is in force already


def about_a_person() -> list[dict[str, object]]:
    """An account with a contact's name and number in it, and a line with the name where it cannot be taken."""
    event = {"account_id": "acme", "occurred_at": "2024-01-10T12:00:00Z"}
    visit = event | {"kind": "VISIT"}
    return [
        {"topic": "profiles", "value": event | {"event_id": "p", "name": CONTACT, "phone": CONTACT, "custom": {"boss": CONTACT}}},
        {"topic": "interactions", "value": visit | {"event_id": "v", "contact_id": CONTACT}},
        {"topic": "interactions", "value": visit | {"event_id": "w", "contact_id": CONTACT, "dwell_seconds": 20}},
        {"topic": "interactions", "value": visit | {"event_id": "x", "contact_id": [CONTACT]}},
    ]


def examine(guarded: SecuredKafka, **changed: object) -> list[Finding]:
    """What the doctor finds wrong for the worker's user."""
    settings = settings_of(guarded, "worker").model_copy(update={"broker_timeout_s": 2.0, **changed})
    return [finding for finding in examined(settings, required_policy, wall_clock) if finding.state is State.WRONG]


# -- rights ----------------------------------------------------------------------------------------------------------------


def test_the_manual_lists_the_rights_that_the_code_asks_for(guarded: SecuredKafka) -> None:
    for duty in DUTIES:
        assert sorted(documented_rights(duty, PREFIX, "tierstream")) == sorted(of(duty, settings_of(guarded, duty)))


def test_worker_and_commands_run_with_the_least_rights(spoken: Spoken) -> None:
    assert "worker stopped" in spoken.text
    assert "Every chain is gapless and whole" in spoken.text or "There is nothing to audit" in spoken.text
    assert "Nothing is wrong." in spoken.text


MISSING = [
    Right("TOPIC", f"{PREFIX}interactions", "READ"),
    Right("TOPIC", f"{PREFIX}orders", "DESCRIBE_CONFIGS"),
    Right("TOPIC", f"{PREFIX}tierstream-accounts-changelog", "WRITE"),
    Right("TOPIC", f"{PREFIX}tier-transitions", "WRITE"),
    Right("GROUP", f"{PREFIX}tierstream", "READ"),
    Right("TRANSACTIONAL_ID", f"{PREFIX}tierstream-", "WRITE", prefixed=True),
]


@pytest.mark.parametrize("right", MISSING, ids=str)
def test_the_doctor_names_the_right_that_is_missing(guarded: SecuredKafka, spoken: Spoken, right: Right) -> None:
    guarded.revoke("worker", right)
    try:
        said = [finding.said for finding in examine(guarded) if finding.check == "acls"]
        assert said == [f"user worker lacks {right}"]
    finally:
        guarded.grant("worker", right)


def test_a_group_that_has_the_name_of_a_topic_has_rights_of_its_own(guarded: SecuredKafka) -> None:
    settings = settings_of(guarded, "worker").model_copy(update={"application_id": "interactions"})
    lacking = missing("worker", settings, clients.admin_client(settings))
    assert [right for right in lacking if right.name == f"{PREFIX}interactions"] == [Right("GROUP", f"{PREFIX}interactions", "READ")]


@pytest.mark.parametrize(
    ("right", "named"), [(MISSING[0], f"user worker lacks {MISSING[0]}"), (MISSING[5], "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")]
)
def test_a_worker_that_lacks_a_right_ends_with_2_and_names_it(guarded: SecuredKafka, spoken: Spoken, right: Right, named: str) -> None:
    guarded.revoke("worker", right)
    try:
        said = said_by(guarded, "worker", "worker", "--policy", str(POLICY), expect=2)
    finally:
        guarded.grant("worker", right)
    assert named in said
    assert "Traceback" not in said


# -- the way in ------------------------------------------------------------------------------------------------------------


def test_a_wrong_password_an_unknown_authority_and_a_wrong_protocol_are_told_apart(guarded: SecuredKafka, tmp_path: Path) -> None:
    options = guarded.options("worker")
    (found,) = examine(guarded, kafka=options | {"sasl.password": "another"})
    assert (found.check, "sasl.password in TIERSTREAM_KAFKA" in found.mend) == ("password", True)
    without_ca = {name: option for name, option in options.items() if name != "ssl.ca.location"}
    (found,) = examine(guarded, kafka=without_ca)
    assert (found.check, "ssl.ca.location" in found.mend) == ("tls", True)
    (found,) = examine(guarded, kafka={})
    assert (found.check, "sasl_ssl" in found.mend) == ("tls", True)


def test_options_that_the_groups_client_cannot_follow_are_named(guarded: SecuredKafka) -> None:
    with pytest.raises(SettingsError, match=r"sasl.mechanism must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, got OAUTHBEARER"):
        credentials(guarded.options("worker") | {"sasl.mechanism": "OAUTHBEARER"})


def test_a_transaction_timeout_that_the_brokers_refuse_is_named(guarded: SecuredKafka, spoken: Spoken) -> None:
    (found,) = examine(guarded, transaction_timeout_ms=200_000)
    assert (found.check, "TIERSTREAM_TRANSACTION_TIMEOUT_MS" in found.mend) == ("transactions", True)


# -- nothing gets out ------------------------------------------------------------------------------------------------------


def test_secrets_and_what_is_known_of_people_are_in_no_log_message_or_metric(guarded: SecuredKafka, spoken: Spoken) -> None:
    assert CONTACT in said_by(guarded, "explain", "explain", "acme", "--evidence", "--policy", str(POLICY))  # it is there to be found
    assert "a value that is not shown" in spoken.text  # it was about to be said
    assert "tierstream_events_total" in spoken.text
    assert [secret for secret in (PASSWORD, CONTACT) if secret in spoken.text] == []


def test_wrong_options_are_refused_without_being_shown(guarded: SecuredKafka) -> None:
    settings = settings_of(guarded, "worker", **{"sasl.mechanism": PASSWORD})
    with pytest.raises(SettingsError) as refused:
        clients.admin_client(settings)
    assert PASSWORD not in str(refused.value)
    assert PASSWORD not in repr(settings)


def test_a_policy_cannot_run_code(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    for tag in (
        f"!!python/object/apply:os.system ['touch {proof}']",
        f"!!python/object/new:os.system ['touch {proof}']",
        "!!python/name:os.system",
    ):
        mistaken = tmp_path / "policy.yaml"
        mistaken.write_text(POLICY.read_text() + f"\ncode: {tag}\n")
        with pytest.raises(PolicyError, match="python/"):
            load_policy(mistaken)
    assert not proof.exists()


def test_nothing_listens_beyond_loopback(kafka: Broker, spoken: Spoken) -> None:
    assert kafka.pid is not None
    brokers = listening(kafka.pid)
    assert spoken.listens
    assert {kafka.node.port, kafka.node.controller_port} <= {port for _, port in brokers}
    assert {address for address, _ in spoken.listens | brokers} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def listening(pid: int) -> set[tuple[str, int]]:
    """Where a process and those it started wait for connections."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    found = [each for process in family for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN]
    return {(each.laddr.ip, each.laddr.port) for each in found}
