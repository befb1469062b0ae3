"""Clocks that warn, on a real broker: fixtures 6, 12 and 15 of the facts with seconds for days."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.reading import committed_records
from agents.replaying import COMPARED
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import Action
from tests.builders import SECOND, interaction, prediction, stage_change
from tests.folding import SMALL
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment, environment, publish

POLICY: dict[str, Any] = SMALL | {
    "policy": "contract",
    "reviewed_on": "2020-01-01",
    "act_within": "1h",
    "clocks": {
        "cadence": {"resets_on": {"actor": "OWNER"}, "after": {"A": "3s", "C": "1h"}, "then": {"action": "cadence_breached"}},
        "executive_visit": {"resets_on": {"kind": "EXECUTIVE_VISIT"}, "after": {"A": "4s"}, "then": {"action": "executive_visit_due"}},
        "stage_dwell": {"of": "opportunities", "process": "L2C", "after": "5s", "then": {"action": "stage_overdue"}},
    },
}
CODEC = Codec()


def actions(settings: Settings) -> Iterator[tuple[int, Action]]:
    for raw in committed_records(settings, "actions"):
        yield raw.partition, CODEC.decode_as(Action, raw.payload)


def breaches(settings: Settings, kind: str) -> dict[str, Action]:
    """By name; each is there once."""
    found = [action for _, action in actions(settings) if action.kind == kind]
    assert len({action.name for action in found}) == len(found), f"{kind} more than once: {found}"
    return {action.name: action for action in found}


def test_each_breach_is_announced_once_at_its_exact_moment_and_resolved_once_and_the_review_that_is_due_once(
    kafka: Broker, prefix: str, tmp_path: Path
) -> None:
    policy = tmp_path / "contract.yaml"
    policy.write_text(yaml.safe_dump(POLICY, sort_keys=False))
    settings = deployment(kafka.bootstrap, prefix, policy=str(policy), partitions=2, tick_every_s=0.2)
    began_ms = wall_clock()
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(2)
        seen_ms = wall_clock()
        publish(settings, "predictions", [prediction("acme", 90.0, at=seen_ms)])
        publish(settings, "opportunities", [stage_change("acme", at=seen_ms, process="L2C")])
        told = eventually(lambda: len(all_told := breaches(settings, "BREACHED")) == 3 and all_told, 60, "three breaches")
        due = {name: action.due_at - seen_ms for name, action in told.items()}
        assert due == {"cadence_breached": 3 * SECOND, "executive_visit_due": 4 * SECOND, "stage_overdue": 5 * SECOND + 1}
        assert "reviewed" in worker.said
        assert worker.stop() == 0
    with Worker(settings, tmp_path / "again.log") as worker:
        worker.await_lanes(2)
        back_ms = wall_clock()
        publish(settings, "interactions", [interaction("acme", kind="EXECUTIVE_VISIT", actor="OWNER", at=back_ms)])
        publish(settings, "opportunities", [stage_change("acme", at=back_ms, process="L2C", status="WON")])
        over = eventually(lambda: len(all_over := breaches(settings, "RESOLVED")) == 3 and all_over, 60, "three resolutions")
        assert worker.stop() == 0
    assert {name: action.resolves for name, action in over.items()} == {name: action.action_id for name, action in told.items()}
    ((partition, review),) = [each for each in actions(settings) if each[1].kind == "POLICY_REVIEW_DUE"]
    assert (partition, review.account_id, review.due_at < began_ms) == (0, "policy/contract", True)
    command = [sys.executable, "-m", "agents.cli", "replay", "--policy", str(policy), "--live", "--json"]
    replayed = subprocess.run(command, env=environment(settings), text=True, capture_output=True, cwd=ROOT, timeout=120)
    assert replayed.returncode == 0, replayed.stderr + replayed.stdout
    assert json.loads(replayed.stdout)["outputs"] == {topic: len(list(committed_records(settings, topic))) for topic in COMPARED}
