"""What does an account take in memory, its hot state apart from its dossier? And what does it cost to put both back?

Some accounts live as in `throughput`: a profile each, then interactions, skewed as traffic is. What the changelog keeps of them is then put
back under many names, as a restore does it: first the rows (row, key, index, deadline), then the dossiers, into one partition in this
process. Memory is the growth of what is resident, after free memory was given back; no broker, no client.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from agents.spare_memory import give_back
from benchmarks.figures import Run, Tell
from benchmarks.processes import rss_bytes
from benchmarks.stages import START_AT_MS, MemoryLane
from benchmarks.workload import SPANS_MS, interactions, profiles
from schemas.changelog import Kind, classify
from streams.partition import Partition
from streams.policy import load_policy

BLOCK = 20_000
Record = tuple[bytes, bytes | None]


class Grown(NamedTuple):
    """By how much memory grew, and the processor time it took."""

    bytes: int
    cpu_s: float


def measured(policy_file: Path, *, accounts: int, lives: int, records: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run: `lives` accounts that have lived, under so many names that there are `accounts`."""
    tell("memory: living")
    kept, policy = _lived(policy_file, lives, records), load_policy(policy_file)
    by_kind = {kind: [each for each in kept.items() if classify(each[0]) is kind] for kind in (Kind.LAYOUT, Kind.ROW, Kind.DOSSIER)}
    for number in range(1, runs + 1):
        tell(f"memory: run {number} of {runs}")
        partition = Partition(0, None, "benchmark", policy)
        partition.restore_batch(by_kind[Kind.LAYOUT])
        rows, dossiers = (_grown(partition, _copies(by_kind[kind], accounts)) for kind in (Kind.ROW, Kind.DOSSIER))
        if len(partition) != accounts:
            raise RuntimeError(f"there must be {accounts} accounts, there are {len(partition)}")
        yield {
            "hot_bytes": rows.bytes / accounts, "dossier_bytes": dossiers.bytes / accounts,
            "row_us": 1e6 * rows.cpu_s / accounts, "dossier_us": 1e6 * dossiers.cpu_s / accounts,
        }  # fmt: skip


def _lived(policy_file: Path, lives: int, records: int) -> Mapping[bytes, bytes | None]:
    """What the changelog keeps of accounts that have lived."""
    lane, span_ms = MemoryLane(policy_file), SPANS_MS[policy_file.stem]
    kept: dict[bytes, bytes | None] = {}
    lived = chain(profiles(lives, START_AT_MS), interactions(lives, records, START_AT_MS, span_ms))
    for batch in lane.batches(lived, START_AT_MS + span_ms):
        kept.update(lane.changes(batch))
    return kept


def _copies(kept: Sequence[Record], accounts: int) -> Iterator[Record]:
    """Records of one kind under so many names."""
    for number in range(accounts):
        key, payload = kept[number % len(kept)]
        yield key[:1] + b"acct-%07d" % number, payload


def _grown(partition: Partition, records: Iterator[Record]) -> Grown:
    """Put them all back."""
    give_back()
    before, cpu_s = rss_bytes(os.getpid()), 0.0
    for block in iter(lambda: list(islice(records, BLOCK)), []):
        cpu_s += _timed(partial(partition.restore_batch, block))
    cpu_s += _timed(partition.restored)
    give_back()
    return Grown(rss_bytes(os.getpid()) - before, cpu_s)


def _timed(work: partial[None]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s
