"""A benchmark that is stopped leaves nothing running: neither broker nor worker, nor their directory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from agents.embedded.processes import is_running
from tests.waiting import eventually
from tests.workers import ROOT


def children(pid: int) -> dict[int, str]:
    """The processes that a process has started and that run now: their command lines."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args=", "-ww"], text=True, capture_output=True, check=True).stdout.splitlines()
    found = [line.split(None, 2) for line in listed]
    return {int(child): command for child, parent, command in found if int(parent) == pid}


def test_a_benchmark_that_is_stopped_takes_its_broker_and_its_worker_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "restore", "--quick"]
    bench = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: any("agents.cli worker" in each for each in children(bench.pid).values()), 90, "the worker starting")
        started = children(bench.pid)
        assert any("kafka.Kafka" in each for each in started.values()), started
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(60) == 128 + signal.SIGTERM, bench.communicate()[1]
        eventually(lambda: [each for each in started if is_running(each)] == [], 10, "everything ended")
        assert list(tmp_path.iterdir()) == []
    finally:
        bench.kill()
        bench.communicate()
