"""The command line without a broker: it teaches, is quick, tells mistakes in a line and exits as promised."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from agents.cli.commands import create_cli
from tests.house.tree import ROOT

COMMANDS = (
    "demo", "doctor", "broker up", "broker down", "broker status", "topics create", "topics check", "schemas export", "schemas asyncapi",
    "schemas register", "worker", "project", "tiers", "top", "generate", "ingest records",
    "ingest orders", "command override", "command revoke", "command assign-owner", "command erase",
    "rebuild", "replay", "report", "export", "explain", "audit", "dead-letters list", "dead-letters show", "dead-letters replay",
    "policy check", "policy schema", "policy calibrate", "policy activate",
)  # fmt: skip
NOWHERE = {"TIERSTREAM_BOOTSTRAP_SERVERS": "127.0.0.1:1", "TIERSTREAM_BROKER_TIMEOUT_S": "0.5"}


def tierstream(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agents.cli", *arguments],
        input=stdin,
        text=True,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_teaches_by_an_example(command: str) -> None:
    helped = tierstream(*command.split(), "--help", COLUMNS="120")
    assert helped.returncode == 0
    assert "Example" in helped.stdout
    assert f"tierstream {command}" in helped.stdout


def test_help_loads_no_client_and_no_engine() -> None:
    program = "import sys; from agents.cli.commands import create_cli; create_cli(); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, cwd=ROOT).stdout
    assert [module for module in ("faust", "confluent_kafka", "numpy", "pydantic", "fastavro") if f"'{module}'" in loaded] == []


def test_the_command_line_has_the_commands_that_are_documented() -> None:
    assert {" ".join(path) for path in paths(get_command(create_cli()))} == set(COMMANDS)


def paths(command: Any, *above: str) -> Iterator[tuple[str, ...]]:
    """The commands under one, each with the groups that it is in."""
    if not hasattr(command, "commands"):
        yield above
        return
    for name, each in command.commands.items():
        yield from paths(each, *above, name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("audit",), "no Kafka broker answers at 127.0.0.1:1"),
        (("topics", "check"), "no Kafka broker answers"),
        (("generate",), "no Kafka broker answers"),
        (("ingest", "README.md"), "no Kafka broker answers"),
        (("worker", "--policy", "sabc"), "no Kafka broker answers"),
        (("worker",), "no Kafka broker answers"),
        (("worker", "--policy", "nothere"), "policy file nothere does not exist"),
        (("worker", "--policy", "sabc", "--quarantine", "interactions:x:1"), "--quarantine must be TOPIC:PARTITION:OFFSET"),
        (("replay", "--policy", "sabc"), "either EVENTS or --live"),
        (("replay", "--policy", "sabc", "nothere.jsonl"), "cannot be read"),
        (("generate", "--out", "x", "--poison-share", "0.1"), "--poison-share"),
        (("generate", "--start", "yesterday", "--out", "-"), "--start must be a time"),
        (("topics", "check", "--partitions", "0"), "TIERSTREAM_PARTITIONS"),
        (("command", "override", "acme", "S", "--reason", "x", "--by", "kim"), "needs either --until TIME or --for DURATION"),
        (("command", "override", "acme", "S", "--reason", "x", "--by", "kim", "--for", "soon"), "--for must be a duration"),
        (("command", "override", "acme", "S", "--reason", "x", "--by", "kim", "--until", "2027-01-01"), "--until must say its time zone"),
        (("command", "erase", "", "--reason", "x", "--by", "kim", "--dry-run"), "account_id must"),
        (("command", "erase", "acme", "--reason", "x", "--by", "kim"), "no Kafka broker answers at 127.0.0.1:1"),
        (("nonsense",), "No such command"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_exits_2(arguments: tuple[str, ...], words: str) -> None:
    ended = tierstream(*arguments, **NOWHERE)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_policy_check_shows_what_a_policy_says() -> None:
    checked = tierstream("policy", "check", "sabc")
    assert checked.returncode == 0
    assert [word for word in ("Ladder sabc", "engagement", "lawsuit", "40%", "The policy is fine.") if word not in checked.stdout] == []


def test_policy_check_lists_every_problem_and_exits_2(tmp_path: Path) -> None:
    sound = (ROOT / "policies" / "sabc.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        sound.replace("behaviour: 0.40", "behaviour: 0.50").replace("measure: engagement", "measure: engagment"), encoding="utf-8"
    )
    checked = tierstream("policy", "check", str(broken), "--json")
    assert checked.returncode == 2
    answer = json.loads(checked.stdout)
    assert not answer["fine"]
    assert [word for word in ("engagment", "score") if not any(word in problem for problem in answer["problems"])] == []


def test_policy_check_warns_and_only_strict_makes_it_an_exit_code(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(re.sub(r"reviewed_on: .*", "reviewed_on: 2020-01-01", (ROOT / "policies" / "sabc.yaml").read_text(encoding="utf-8")))
    warned, strict = tierstream("policy", "check", str(old)), tierstream("policy", "check", str(old), "--strict", "--json")
    assert (warned.returncode, strict.returncode) == (0, 1)
    assert "warning reviewed_on (001-21)" in warned.stdout
    assert "The policy is fine, with 1 warning." in warned.stdout
    assert [(each["path"], each["fact"], each["severity"]) for each in json.loads(strict.stdout)["warnings"]] == [
        ("reviewed_on", "001-21", "warning")
    ]


def test_policy_check_explains_in_plain_words() -> None:
    answer = json.loads(tierstream("policy", "check", "sabc", "--json").stdout)
    assert {"path": "schemes.sabc", "subject": "sabc", "effect": "lowers", "text": "A is lost below 80 points"} in answer["says"]
    shown = tierstream("policy", "check", "sabc").stdout
    headings = ("Which clocks run", "What lifts an account", "What lowers it, or holds it down", "What the words mean")
    assert [heading for heading in headings if heading not in shown] == []


def test_policy_check_answers_scripts_in_json() -> None:
    answer = json.loads(tierstream("policy", "check", "policies/sabc.yaml", "--json").stdout)
    assert answer["fine"]
    assert answer["policy"]["score"] == {"attributes": 0.3, "behaviour": 0.4, "ai": 0.3}
    assert answer["inputs"] == ["interactions", "risks", "profiles", "predictions"]


def test_the_shipped_schema_is_the_one_the_command_prints() -> None:
    printed = json.loads(tierstream("policy", "schema").stdout)
    assert printed == json.loads((ROOT / "policies" / "policy.schema.json").read_text(encoding="utf-8"))


def test_generated_history_replays_to_the_same_outputs_each_time() -> None:
    arguments = ("generate", "--history", "30", "--records", "3000", "--accounts", "40", "--seed", "2", "--start", "2026-01-01T00:00:00Z")
    history = tierstream(*arguments, "--out", "-").stdout
    first, again = (tierstream("replay", "--policy", "sabc", "-", stdin=history) for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == again.stdout
    outputs = [json.loads(line) for line in first.stdout.splitlines()]
    assert {output["topic"] for output in outputs} == {"tier-transitions", "account-tiers", "hot-leads"}
    assert len(outputs) > 10


def test_replay_names_refused_lines_and_exits_1() -> None:
    good = '{"topic": "interactions", "value": {"event_id": "e", "account_id": "a", "occurred_at": 1704888000000, "kind": "VISIT"}}'
    replayed = tierstream("replay", "--policy", "sabc", "-", stdin=f"{good}\n\nnonsense\n{good}\n")
    assert replayed.returncode == 1
    assert replayed.stderr.startswith("-:3: UNDECODABLE")
