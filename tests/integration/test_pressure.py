"""Pressure: far more than a worker can take arrives at one instant, half of it of one account, the rest of accounts never seen.

Memory stays below the bound that docs/operations.md says, no rebalance comes of it, and the lag reported is the lag there was. With
HYPOTHESIS_PROFILE=soak (`make soak`) at a million accounts.
"""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as profile

from agents.embedded.broker import Broker
from agents.reading import committed_chunks, committed_records
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import FoldOrder
from tests.flooding import HOT, Flood
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment

SOAK = profile.default.max_examples > 1_000
ACCOUNTS = 1_000_000 if SOAK else 40_000
LARGE = 4_000
"""Events of 60 kB, 240 MB in all in one partition: more than the bound has room for beside the accounts."""
PARTITIONS = 4
BASE_MB, LANE_MB, ACCOUNT_BYTES = 250, 50, 700
"""The bound of docs/operations.md."""


def memory_mb(worker: Worker, what: str) -> float:
    """VmRSS or VmHWM (the most there ever was) of the process."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return int(re.findall(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[0]) / 1_024


def true_lag_s(settings: Settings) -> float:
    """The mean lag, from the log alone: each record's append to that of the fold-order record of its transaction."""
    lag_ms = count = 0
    orders = [
        (raw.partition, raw.appended_at_ms, Codec().decode_as(FoldOrder, raw.payload)) for raw in committed_records(settings, "fold-order")
    ]
    for number in range(PARTITIONS):
        chunks = list(committed_chunks(settings, "interactions", number))
        offsets, appended = (np.concatenate(each) for each in zip(*((c.offset, c.appended_at_ms) for c in chunks), strict=True))
        for _, at_ms, order in (each for each in orders if each[0] == number):
            for folded in order.ranges:
                begin, end = np.searchsorted(offsets, (folded.from_offset, folded.to_offset))
                lag_ms += int((at_ms - appended[begin:end]).sum())
                count += int(end - begin)
    return lag_ms / count / 1_000


@pytest.mark.faults
def test_a_burst_with_a_hot_key_is_folded_in_bounded_memory_without_a_rebalance_and_its_lag_is_told_truly(
    kafka: Broker, prefix: str, tmp_path: Path
) -> None:
    settings = deployment(kafka.bootstrap, prefix, policy=str(ROOT / "policies" / "sabc-live.yaml"))
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(PARTITIONS, 120)
        idle_mb = memory_mb(worker, "VmRSS")
        flood = Flood(settings)
        sent = flood.send(ACCOUNTS, hot=ACCOUNTS)
        came_at_s = time.monotonic()
        eventually(lambda: worker.metric("tierstream_events_total") == sent, 1_800 if SOAK else 120, "every event folded")
        drained_s = time.monotonic() - came_at_s
        sent += flood.send_large(LARGE, size=60_000)
        eventually(lambda: worker.metric("tierstream_events_total") == sent, 120, "every large event folded")
        most_mb, bound_mb = memory_mb(worker, "VmHWM"), BASE_MB + PARTITIONS * LANE_MB + ACCOUNTS * ACCOUNT_BYTES / 2**20
        print(
            f"{sent} events drained in {drained_s:.1f} s; memory {idle_mb:.0f} MB idle, at most {most_mb:.0f} MB, bound {bound_mb:.0f} MB"
        )
        assert most_mb <= bound_mb
        assert worker.metric("tierstream_accounts") == ACCOUNTS + 1
        assert worker.get(f"/accounts/{HOT}")[0] == 200
        assert worker.said.count("rebalance begins") == 1, "no rebalance comes of load"
        told_s = worker.metric("tierstream_scoring_lag_seconds_sum") / worker.metric("tierstream_scoring_lag_seconds_count")
        assert worker.metric("tierstream_scoring_lag_seconds_count") == sent
        assert told_s == pytest.approx(true_lag_s(settings), abs=0.25, rel=0.1)
        assert worker.stop() == 0
