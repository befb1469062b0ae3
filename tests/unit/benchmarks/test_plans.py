"""Where a figure's broker keeps its data, and who tidies up after a benchmark that was killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.plans import room


def test_the_room_of_a_killed_benchmark_is_swept_away_and_that_of_a_running_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    assert gone.wait() == 0
    left, others = tmp_path / f"tierstream-bench-{gone.pid}-x", tmp_path / f"tierstream-bench-{os.getpid()}-x"
    for directory in (left, others):
        (directory / "broker").mkdir(parents=True)
    with room() as directory:
        assert (left.exists(), others.exists(), directory.exists()) == (False, True, True)
    assert list(tmp_path.iterdir()) == [others]
