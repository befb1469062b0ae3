"""The lines of docs/consuming.md with kcat, run by a shell as they stand there."""

import os
import subprocess
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.companions.programs import Program
from tests.house.documents import fences
from tests.shops import Shop, opened
from tests.workers import ROOT


@pytest.fixture
def shop(kafka: Broker, prefix: str, tmp_path: Path) -> Shop:
    return opened(kafka, prefix, tmp_path)


def test_kcat_shows_committed_records_with_their_headers(shop: Shop, kcat: Program) -> None:
    shown = [typed(line, shop, kcat) for line in fences(ROOT / "docs" / "consuming.md", "sh kcat")]
    transitions, leads = (each.splitlines() for each in shown)
    assert [line.split(" ")[0] for line in transitions] == [each.account_id for each in shop.transitions()]
    assert [f"ce_id={each.transition_id}" in line for line, each in zip(transitions, shop.transitions(), strict=True)] == [True] * 3
    assert len(leads) == 2
    assert all("ce_type=tierstream.hot-lead.v1" in line for line in leads)


def typed(line: str, shop: Shop, kcat: Program) -> str:
    """What a shell prints for it, with kcat on its path."""
    path = f"{kcat.path.parent}{os.pathsep}{os.environ['PATH']}"
    environment = kcat.environment | shop.environment | {"PATH": path, "LD_LIBRARY_PATH": kcat.environment.get("LD_LIBRARY_PATH", "")}
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", line], env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
