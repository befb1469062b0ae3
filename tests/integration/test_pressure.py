"""Pressure: far more than a worker can take arrives at one instant, half of it of one account, the rest of accounts never seen.

Memory stays below the bound that docs/operations.md says, no rebalance comes of it, and the lag reported is the lag there was. With
HYPOTHESIS_PROFILE=soak (`make soak`) at a million accounts, and five million restored.
"""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as profile

from agents import clients
from agents.embedded.broker import Broker
from agents.kafka_log import KafkaLog
from agents.reading import committed_chunks, committed_records
from agents.settings import Settings
from schemas import changelog
from schemas.changelog import Progress
from schemas.codec import Codec
from schemas.records import FoldOrder
from streams.batches import RecordBatch
from streams.cycle import fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from tests.builders import interaction
from tests.flooding import HOT, Flood
from tests.folding import shipped
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment

SOAK = profile.default.max_examples > 1_000
ACCOUNTS = 1_000_000 if SOAK else 40_000
RESTORED = 5_000_000 if SOAK else 60_000
LARGE = 4_000
"""Events of 60 kB, 240 MB in all in one partition: more than the bound has room for beside the accounts."""
PARTITIONS = 4
BASE_MB, LANE_MB, ACCOUNT_BYTES = 250, 50, 700
"""The bound of docs/operations.md."""


def memory_mb(worker: Worker, what: str) -> float:
    """VmRSS or VmHWM (the most there ever was) of the process."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return int(re.findall(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[0]) / 1_024


def bound_mb(accounts: int, lanes: int) -> float:
    """What docs/operations.md says."""
    return BASE_MB + lanes * LANE_MB + accounts * ACCOUNT_BYTES / 2**20


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
@pytest.mark.alone
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
        most_mb, allowed_mb = memory_mb(worker, "VmHWM"), bound_mb(ACCOUNTS, PARTITIONS)
        print(
            f"{sent} events drained in {drained_s:.1f} s; memory {idle_mb:.0f} MB idle, at most {most_mb:.0f} MB, bound {allowed_mb:.0f} MB"
        )
        assert most_mb <= allowed_mb
        assert worker.metric("tierstream_accounts") == ACCOUNTS + 1
        assert worker.get(f"/accounts/{HOT}")[0] == 200
        assert worker.said.count("rebalance begins") == 1, "no rebalance comes of load"
        told_s = worker.metric("tierstream_scoring_lag_seconds_sum") / worker.metric("tierstream_scoring_lag_seconds_count")
        assert worker.metric("tierstream_scoring_lag_seconds_count") == sent
        assert told_s == pytest.approx(true_lag_s(settings), abs=0.25, rel=0.1)
        assert worker.stop() == 0


def written_to_the_changelog(settings: Settings, accounts: int) -> None:
    """The state of so many accounts that have each had a visit, as their lane would have left it."""
    policy = shipped("sabc-live")
    partition = Partition(0, 1, settings.application_id, policy)
    at_ms = int(time.time() * 1_000)
    raw = RawRecord("interactions", 0, 0, at_ms, b"a-0000000", Codec().encode(interaction("a-0000000", "VISIT", at_ms, dwell_seconds=60.0)))
    changes = fold_cycle(partition, RecordBatch.of([raw]), Codec(), mode="LIVE", decided_at_ms=at_ms).changes
    payload = dict(changes)[changelog.row_key(b"a-0000000")]
    log = KafkaLog(settings, 0, policy.inputs, clients.admin_client(settings))
    log.open()
    ids = log.topic_ids()
    progress = [(changelog.progress_key(t), changelog.progress_payload(Progress(0, policy.digest, ids[t]))) for t in policy.inputs]
    others = [change for change in changes if not changelog.is_row(change[0])]
    for begin in range(0, accounts, 100_000):
        rows = [(changelog.row_key(b"a-%07d" % number), payload) for number in range(begin, min(begin + 100_000, accounts))]
        log.begin()
        log.send("accounts-changelog", [*([] if begin else [*others, *progress]), *rows])
        log.commit()
    log.close()


@pytest.mark.faults
@pytest.mark.alone
def test_a_restore_of_many_accounts_stays_within_the_same_bound(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    settings = deployment(kafka.bootstrap, prefix, partitions=1, policy=str(ROOT / "policies" / "sabc-live.yaml"))
    written_to_the_changelog(settings, RESTORED)
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(1, 300)
        assert worker.metric("tierstream_accounts") == RESTORED
        eventually(lambda: worker.metric("tierstream_tier_accounts") == RESTORED, 30, "every account in its tier")
        most_mb, allowed_mb = memory_mb(worker, "VmHWM"), bound_mb(RESTORED, 1)
        restored_s = worker.metric("tierstream_restore_seconds")
        print(f"{RESTORED} accounts restored in {restored_s:.1f} s; memory at most {most_mb:.0f} MB, bound {allowed_mb:.0f} MB")
        assert most_mb <= allowed_mb
        assert worker.get("/accounts/a-0000007")[0] == 200
        assert worker.stop() == 0
