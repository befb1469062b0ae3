"""The worked example of docs/policies/overrides.md (fixture 11), told by `replay` as the page tells it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from schemas.instants import to_iso
from tests.folding import SMALL
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "policies" / "overrides.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "examples" / "overrides.jsonl"


def policy_of_the_page(folder: Path) -> Path:
    """The policy that the page shows, whole."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    path = folder / "overrides.yaml"
    path.write_text(yaml.safe_dump(SMALL | yaml.safe_load(block), sort_keys=False))
    return path


def told(transition: dict[str, Any]) -> str:
    """A transition as a line of the page's table."""
    cause, stages = transition["cause"], {stage["stage"]: stage["tier"] for stage in transition["trail"]}
    overridden = cause["kind"] == "OVERRIDE"
    why = f"{cause['kind']} ({cause['detail']})" if overridden else cause["kind"]
    moves = f"{transition['from_tier']} to {transition['to_tier']}"
    return f"| {to_iso(transition['effective_at'])} | {moves} | {why} | {stages['earned'] + ' ' if overridden else ''}|"


def test_002_33_fixture_11_the_worked_example_is_what_replay_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agents.cli", "replay", "--policy", str(policy_of_the_page(tmp_path)), str(EXAMPLE)]
    ended = subprocess.run(command, text=True, capture_output=True, cwd=ROOT, timeout=120)
    assert ended.returncode == 0, ended.stderr
    outputs = [json.loads(line) for line in ended.stdout.splitlines()]
    of_topic = {
        topic: [each["value"] for each in outputs if each["topic"] == topic] for topic in ("tier-transitions", "actions", "account-tiers")
    }
    assert [told(each) for each in of_topic["tier-transitions"]] == re.findall(r"^\| 2026.*$", PAGE, flags=re.MULTILINE)
    standings = [(each["standings"][0]["tier"], each["standings"][0]["earned_tier"]) for each in of_topic["account-tiers"]]
    assert standings == [("B", "B"), ("S", "B"), ("S", "A"), ("A", "A")]
    assert [(each["kind"], each["name"], each["reason"]) for each in of_topic["actions"]] == [
        ("DONE", "OVERRIDE", "sabc is overridden: S until 2026-04-01T02:00:00.000Z"),
        ("REFUSED", "REVOKE_OVERRIDE", "no override of sabc is in force"),
    ]
