"""The demo ends by itself and early, claims only what it has seen, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT
from tests.waiting import eventually


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "agents.cli", "demo", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def left_over(tmp_path: Path) -> list[str]:
    """Files of the demo, and processes that name its directory."""
    running = subprocess.run(["ps", "-eo", "args", "-ww"], text=True, capture_output=True).stdout.splitlines()
    return [*map(str, tmp_path.glob("tierstream-demo-*")), *(line for line in running if str(tmp_path) in line)]


def test_a_short_demo_shows_transitions_and_audits_them(tmp_path: Path) -> None:
    demo = start(
        tmp_path, "--seconds", "8", "--rate", "300", "--seed", "1", "--poison-share", "0.01", "--json", "--svg", str(tmp_path / "demo.svg")
    )
    told, screen = demo.communicate(timeout=120)
    assert demo.returncode == 0, screen
    answer = json.loads(told)
    assert answer["fine"]
    assert answer["folded"] == answer["events"]
    assert answer["transitions"] > 5
    assert answer["hot_leads"] == answer["hot_leads_in_redis"] > 0
    assert answer["dead_letters"] == answer["spoilt"] != {}
    assert answer["seconds_to_first_transition"] <= 60
    assert "C -> B up" in screen
    picture = (tmp_path / "demo.svg").read_text()
    assert "the&#160;engine" in picture
    assert "hot&#160;leads,&#160;tierstream:leads&#160;in&#160;Redis&#160;at" in picture
    assert "http://www.w3.org/2000/svg" in picture
    (tmp_path / "demo.svg").unlink()
    assert left_over(tmp_path) == []


def test_a_demo_that_is_interrupted_leaves_nothing_running(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "60", "--seed", "1")
    assert demo.stdout is not None
    lines = iter(demo.stdout.readline, "")
    eventually(lambda: " -> " in next(lines, ""), 90, "the first transition")
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert "Ended early; nothing is left running." in rest
    assert left_over(tmp_path) == []


def test_a_demo_that_is_stopped_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "60")
    eventually(lambda: list(tmp_path.glob("tierstream-demo-*/broker/broker.json")), 60, "the broker starts")
    demo.terminate()
    demo.communicate(timeout=60)
    assert demo.returncode == 130
    # A guard that was just being started ends by itself, when it sees that its starter is gone.
    eventually(lambda: not left_over(tmp_path), 20, "broker and guard ending")


def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "60")
    eventually(lambda: list(tmp_path.glob("tierstream-demo-*/worker.log")), 60, "the worker starts")
    demo.kill()
    demo.communicate(timeout=60)
    assert demo.returncode == -signal.SIGKILL
    eventually(lambda: [line for line in left_over(tmp_path) if " " in line] == [], 60, "broker, worker and guards ending")


def test_a_demo_under_a_wrong_policy_says_so_at_once(tmp_path: Path) -> None:
    demo = start(tmp_path, "--policy", "nothere")
    _, screen = demo.communicate(timeout=30)
    assert demo.returncode == 2
    assert "policy file nothere does not exist" in screen
