"""What the documents tell a newcomer to type works as it stands there, in that order; and what they show is what comes out."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from agents.embedded.valkey import Valkey
from tests.house.documents import OPERATIONS, fences
from tests.house.tree import ROOT

README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"


def typed(page: Path, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The page's marked commands as one session of a shell, which ends at the first that fails."""
    shutil.copytree(ROOT / "docs" / "examples", directory / "docs" / "examples")
    commands = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-x", "-c", "\n".join(fences(page, "sh run"))],
        cwd=directory,
        env={**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", **environment},
        text=True,
        capture_output=True,
        timeout=240,
    )


@pytest.fixture
def newcomer(tmp_path: Path) -> Any:
    """An empty directory; a broker that is left running there is stopped."""
    yield tmp_path
    Broker(tmp_path / ".tierstream" / "broker").stop()


def test_a_newcomer_gets_from_the_readme_to_an_audited_engine(newcomer: Path) -> None:
    session = typed(README, newcomer, TIERSTREAM_WEB_PORT=str(free_ports(1)[0]))
    log = newcomer / ".tierstream" / "worker.log"
    assert session.returncode == 0, session.stderr + session.stdout + (log.read_text() if log.exists() else "")
    for said in (
        "topics are as the catalogue says",
        "Every chain is gapless",
        "says exactly what the log says",
        "14 accepted",
        "Kafka stopped",
    ):
        assert said in session.stdout
    assert "worker stopped" in log.read_text()


@pytest.mark.faults  # for its length
def test_the_tutorial_leads_from_an_order_file_to_a_policy_of_one_s_own(newcomer: Path, valkey: Valkey) -> None:
    database = valkey.url.removesuffix("/0") + "/6"
    session = typed(TUTORIAL, newcomer, TIERSTREAM_REDIS_URL=database, TIERSTREAM_WEB_PORT=str(free_ports(1)[0]))
    assert session.returncode == 0, session.stderr + session.stdout + (newcomer / "worker.log").read_text()
    for said in (
        "sixty",
        "20 accepted",
        "enter_at must rise from tier to tier, got 30 for S",
        "exit code 2",
        "Every chain is gapless",
        "Kafka stopped",
    ):
        assert said in session.stdout + session.stderr


def test_the_commands_of_the_manual_work(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    session = typed(OPERATIONS, tmp_path, TIERSTREAM_BOOTSTRAP_SERVERS=kafka.bootstrap, TIERSTREAM_TOPIC_PREFIX=prefix)
    assert session.returncode == 0, session.stderr + session.stdout


def test_the_transition_in_the_readme_is_one_that_the_example_gives() -> None:
    (shown,) = (json.loads(text) for text in fences(README, "json"))
    command = [sys.executable, "-m", "agents.cli", "replay", "--policy", "sabc", "docs/examples/first.jsonl"]
    lines = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True).stdout.splitlines()
    transitions = [line["value"] for line in map(json.loads, lines) if line["topic"] == "tier-transitions"]
    assert [f"{t['from_tier']} -> {t['to_tier']}" for t in transitions] == ["C -> B", "B -> A", "A -> C", "C -> A"]
    assert is_part(shown, transitions[shown["sequence"] - 1])
    assert sum(line["micro"] for line in shown["contributions"]) == shown["score_after_micro"]


def is_part(part: Any, whole: Any) -> bool:
    """Whether everything in `part` stands in `whole`: of objects some fields, of lists every item."""
    if isinstance(part, dict):
        return all(name in whole and is_part(value, whole[name]) for name, value in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return bool(part == whole)
