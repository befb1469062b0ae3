"""A benchmark that is stopped leaves nothing running: neither broker nor worker, nor their directory. And what the variants write."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from agents import clients
from agents.embedded.processes import is_running
from agents.unit_of_work import CHANGELOG
from benchmarks.variants import PlainLog
from tests.deployments import INPUTS, Deployment, step_until
from tests.tallying import tallying_lane
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


def test_plain_acks_write_the_same_records_without_transactions(deployment: Deployment) -> None:
    deployment.append("interactions", "acme", "borg", "acme")
    log = PlainLog(deployment.settings, deployment.number, INPUTS, clients.admin_client(deployment.settings))
    lane, tally = tallying_lane(log, INPUTS)
    lane.recover()
    step_until(lane, tally, 3)
    assert deployment.rows() == {b"racme": b"2", b"rborg": b"1"}
    written = deployment.committed(CHANGELOG)
    assert deployment.end(CHANGELOG) == len(written), "a transaction would have left its marker"
    assert sum(r.to_offset - r.from_offset for order in deployment.fold_orders() for r in order.ranges) == 3
