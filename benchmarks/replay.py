"""How fast is a backtest? A log in a file folded again by `tierstream replay`'s own reader, from an Avro container and from lines of JSON.

The records of `throughput`, one partition. Every account has had one record before, which is not counted. Nothing is printed.
"""

import io
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from agents.generating.poison import Framed
from agents.json_lines import placed_line_of
from agents.log_files import replayed
from benchmarks.figures import Run, Tell
from benchmarks.stages import START_AT_MS
from benchmarks.workload import SPANS_MS, interactions, one_each
from schemas.codec import Codec
from schemas.log_files import LoggedRecord, write_log
from streams.intake import RawRecord
from streams.policy import CompiledPolicy, load_policy
from streams.replay import FileReplay

LOADING = 5_000


class Log(NamedTuple):
    """A log in both forms. `before`: what makes the accounts known, and loads the compiled code."""

    before: bytes
    avro: bytes
    json: bytes


def measured(policy_file: Path, *, accounts: int, records: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run."""
    policy, span_ms = load_policy(policy_file), SPANS_MS[policy_file.stem]
    tell("replay: making records")
    events = interactions(accounts, LOADING + records, START_AT_MS, span_ms)
    placed = _placed([*one_each(accounts, START_AT_MS), *events], START_AT_MS + span_ms)
    before = _container(islice(placed, accounts + LOADING))
    counted = list(placed)
    log = Log(before, _container(counted), _lines(counted))
    for number in range(1, runs + 1):
        tell(f"replay: run {number} of {runs}")
        avro, json = (_folded(policy, log.before, file) for file in (log.avro, log.json))
        if (avro.outputs, avro.left) != (json.outputs, json.left):
            raise RuntimeError(f"both files must say the same, the container said {avro}, the lines {json}")
        yield {
            "avro_per_s": records / avro.wall_s, "json_per_s": records / json.wall_s,
            "avro_us": 1e6 * avro.cpu_s / records, "json_us": 1e6 * json.cpu_s / records,
            "handed_percent": 100 * avro.left / records, "outputs": avro.outputs,
        }  # fmt: skip


class Folded(NamedTuple):
    """What a replay took and gave."""

    wall_s: float
    cpu_s: float
    outputs: int
    left: int


def _folded(policy: CompiledPolicy, before: bytes, file: bytes) -> Folded:
    replay = FileReplay("benchmark", policy)
    sum(1 for _ in replayed(_opened(before), replay))
    left, wall_s, cpu_s = replay.handed.total(), time.perf_counter(), time.process_time()
    outputs = sum(1 for _ in replayed(_opened(file), replay))
    return Folded(time.perf_counter() - wall_s, time.process_time() - cpu_s, outputs, replay.handed.total() - left)


def _opened(file: bytes) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(io.BytesIO(file)))  # type: ignore[arg-type]


def _placed(records: Iterable[Framed], appended_at_ms: int) -> Iterator[LoggedRecord]:
    """As they lie in partition 0 of their topics."""
    offsets: Counter[str] = Counter()
    for each in records:
        offsets[each.topic] += 1
        yield LoggedRecord(each.topic, 0, offsets[each.topic] - 1, appended_at_ms, each.key, each.payload or b"")


def _container(records: Iterable[LoggedRecord]) -> bytes:
    file = io.BytesIO()
    write_log(file, records)
    return file.getvalue()


def _lines(records: Iterable[LoggedRecord]) -> bytes:
    codec = Codec()
    lines = (placed_line_of(RawRecord(*each), codec.decode(each.topic, each.payload)) for each in records)
    return "".join(f"{line}\n" for line in lines).encode()
