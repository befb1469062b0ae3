"""What one record costs the worker's Python, stage by stage, without a broker: decode, fold, changelog, encode.

The same records as `throughput`, already in memory, one partition, batches as a lane takes them. The profiles are left out of the sum.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from agents.unit_of_work import announced
from benchmarks.workload import SPANS_MS, interactions, profiles
from schemas.codec import Codec
from schemas.records import Event
from streams.intake import RawRecord
from streams.partition import Partition
from streams.policy import load_policy

BATCH = 20_000
START_AT_MS = 1_760_000_000_000

_Spent = dict[str, float]


def measured(policy_file: Path, accounts: int, records: int, tell: Callable[[str], None]) -> _Spent:
    """Microseconds of processor time for each record, by stage."""
    tell("making records")
    span_ms = SPANS_MS[policy_file.stem]
    made = chain(profiles(accounts, START_AT_MS), interactions(accounts, records, START_AT_MS, span_ms))
    raw = [RawRecord(record.topic, 0, offset, START_AT_MS + span_ms, record.key, record.payload) for offset, record in enumerate(made)]
    codec = Codec()
    partition = Partition(0, None, "benchmark", load_policy(policy_file))
    _fold(raw[:accounts], partition, codec, {})
    spent: _Spent = {}
    for begin in range(accounts, len(raw), BATCH):
        tell(f"folding {begin:,}")
        _fold(raw[begin : begin + BATCH], partition, codec, spent)
    return {stage: seconds / records * 1e6 for stage, seconds in spent.items()}


def _fold(batch: Sequence[RawRecord], partition: Partition, codec: Codec, spent: _Spent) -> None:
    """One cycle as `streams.cycle` has it, stage after stage, so that the clock is read a few times a batch and not a record."""
    with _timed(spent, "decode"):
        records: list[Event] = [codec.decode(raw.topic, raw.payload) for raw in batch]  # type: ignore[misc]  # ticks are not read here
    with _timed(spent, "fold"):
        steps = [partition.fold(raw, record, "LIVE", raw.appended_at_ms) for raw, record in zip(batch, records, strict=True)]
    with _timed(spent, "changelog"):
        partition.take_changes()
    with _timed(spent, "encode outputs"):
        for step in steps:
            for output in step.outputs:
                codec.encode(output.record)
                announced(output, "/tierstream/benchmark")


@contextmanager
def _timed(spent: _Spent, stage: str) -> Iterator[None]:
    began_at = time.process_time()
    yield
    spent[stage] = spent.get(stage, 0.0) + time.process_time() - began_at
