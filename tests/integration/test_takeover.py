"""Who takes over, and how soon: a worker is killed, and the other one scores for it within three seconds of noticing."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.embedded.broker import Broker
from tests.flooding import Flood
from tests.waiting import eventually
from tests.workers import Worker, deployment

ACCOUNTS = 100_000
TAKEN_OVER_WITHIN_S = 3.0


def noticed_at_s(worker: Worker) -> float:
    """When the worker's last rebalance began: then it knows of the other's end."""
    stamp = re.findall(r"^(\S+) \S+ tierstream\.lanes rebalance begins", worker.said, re.MULTILINE)[-1]
    return datetime.fromisoformat(stamp).timestamp()


@pytest.mark.faults
@pytest.mark.alone
def test_a_killed_workers_partitions_are_scored_by_the_other_within_3_seconds_of_detection(
    kafka: Broker, prefix: str, tmp_path: Path
) -> None:
    settings = deployment(kafka.bootstrap, prefix)
    with Worker(settings, tmp_path / "heir.log") as heir, Worker(settings, tmp_path / "killed.log") as killed:
        heir.await_lanes(2, 120)
        killed.await_lanes(2, 120)
        Flood(settings).send(ACCOUNTS, hot=0)
        eventually(lambda: heir.metric("tierstream_accounts") + killed.metric("tierstream_accounts") == ACCOUNTS, 120, "every account")
        killed.process.kill()
        eventually(lambda: len(heir.lanes()) == 4, 60, "the heir running all four lanes")
        took_s = datetime.now(UTC).timestamp() - noticed_at_s(heir)
        assert heir.metric("tierstream_accounts") == ACCOUNTS
        restored_s = max(heir.metric("tierstream_restore_seconds", partition=str(number)) for number in range(4))
        print(f"takeover at {ACCOUNTS} accounts: {took_s:.2f} s after detection, the slowest restore {restored_s:.2f} s")
        assert took_s <= TAKEN_OVER_WITHIN_S
        assert heir.stop() == 0
