"""The input topics in the order in which they were folded, as a file to replay, to keep, or to attach to a bug report: lines of JSON, or
an Avro container that holds payloads as they lie in the topics (`schemas/log_files.py`).

Rules:
- `fold-order` gives the order of what has been folded, with the ticks that lanes made themselves; what no transaction has folded yet
  follows by the merge rule, and inputs that the policy does not read are put between by append time.
- Records that became dead letters whatever the policy (undecodable, foreign keys, quarantined) are left out and counted: a replay would
  not refuse them all.
- Partitions are read one after the other: memory does not grow with the log. Lines are joined by append time, through files; in a
  container one partition follows the other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple, TextIO

from agents.json_lines import made_tick_line_of, placed_line_of
from agents.reading import committed_records, partitions_of
from agents.registry import codec_for
from agents.replaying import InputRanges
from agents.settings import Settings
from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.log_files import NOWHERE, LoggedRecord, write_log
from schemas.records import Event, FoldOrder, PolicyActivated, Tick
from schemas.topics import INPUTS
from streams import intake
from streams.intake import RawRecord
from streams.merge import merged

RANK = {topic: rank for rank, topic in enumerate(INPUTS)}
TOLD_EVERY = 1_000


class Placed(NamedTuple):
    """A record or a lane's own tick, and the append time by which partitions and inputs are joined: it never falls."""

    at_ms: int
    raw: RawRecord | None
    tick: Tick | None = None


class Kept(NamedTuple):
    """What goes into the file: a record with its place, or a lane's own tick."""

    at_ms: int
    topic: str
    raw: RawRecord | None
    record: Event | PolicyActivated | Tick


class Exported(NamedTuple):
    """Records written by topic, and records left out by reason."""

    written: dict[str, int]
    left_out: dict[str, int]


class Export:
    """One export. `on_read` is told now and then how many records were read."""

    def __init__(self, settings: Settings, topics: Sequence[str] = (), *, on_read: Callable[[int], None] = lambda _: None) -> None:
        self._settings, self._topics, self._on_read = settings, frozenset(topics or INPUTS), on_read
        self._read = 0
        self._codec, self._of_files, self._foreign = codec_for(settings), Codec(), settings.registry_url is not None
        self._partitions = partitions_of(settings, "fold-order")
        self._written: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def write(self, out: TextIO) -> Exported:
        """Every line, in order."""
        with TemporaryDirectory(prefix="tierstream-export-") as folder:
            paths = [Path(folder) / str(number) for number in range(self._partitions)]
            for number, path in enumerate(paths):
                with path.open("w", encoding="utf-8") as file:
                    file.writelines(f"{at_ms:020d}{line}\n" for at_ms, line in self._lines(number))
            for line in merge(*map(_read, paths), key=lambda line: line[:20]):
                out.write(line[20:])
        return Exported(dict(self._written), dict(self._left_out))

    def write_avro(self, out: BinaryIO) -> Exported:
        """The same records as an Avro container."""
        write_log(out, (self._logged(number, kept) for number in range(self._partitions) for kept in self._kept(number)))
        return Exported(dict(self._written), dict(self._left_out))

    def _logged(self, number: int, kept: Kept) -> LoggedRecord:
        raw, record = kept.raw, kept.record
        if raw is None:
            return LoggedRecord(kept.topic, number, NOWHERE, kept.at_ms, None, self._of_files.encode(record))
        assert raw.payload is not None, "what was decoded has a payload"
        payload = self._of_files.encode(record) if self._foreign else raw.payload  # a file is read without the registry
        return LoggedRecord(raw.topic, number, raw.offset, raw.appended_at_ms, raw.key, payload)

    def _lines(self, number: int) -> Iterator[tuple[int, str]]:
        """The lines of one partition with their append times."""
        for at_ms, _, raw, record in self._kept(number):
            yield at_ms, placed_line_of(raw, record) if raw is not None else made_tick_line_of(number, record)

    def _kept(self, number: int) -> Iterator[Kept]:
        """What one partition has for the file."""
        for at_ms, raw, tick in self._placed(number):
            topic = "ticks" if raw is None else raw.topic
            if topic not in self._topics:
                continue
            try:
                record = self._record(number, raw) if raw is not None else tick
            except RecordRejected as rejection:
                self._left_out[rejection.reason.value] += 1
                continue
            assert record is not None, "what is no record is a tick"
            self._written[topic] += 1
            yield Kept(at_ms, topic, raw, record)

    def _record(self, number: int, raw: RawRecord) -> Event | PolicyActivated | Tick:
        record = self._codec.decode(raw.topic, raw.payload)
        if isinstance(record, Event):
            intake.check_partition(intake.check_key(raw.key, record), number, self._partitions)
        return record

    # -- the order of one partition ------------------------------------------------------------------------------------

    def _placed(self, number: int) -> Iterator[Placed]:
        read = {folded.topic for order in self._orders(number) for folded in order.ranges}
        inputs = {topic: InputRanges(self._settings, topic, number) for topic in INPUTS}
        known = self._known(number, {topic: inputs[topic] for topic in INPUTS if topic in read})
        others = [_rising(inputs[topic].rest()) for topic in INPUTS if topic not in read]
        for placed in merge(known, *others, key=lambda placed: placed.at_ms):
            self._read += 1
            if self._read % TOLD_EVERY == 0:
                self._on_read(self._read)
            yield placed

    def _known(self, number: int, inputs: dict[str, InputRanges]) -> Iterator[Placed]:
        """What has been folded, in that order, and what is left of the same inputs."""
        latest_ms = 0
        for order in self._orders(number):
            ranges = {folded.topic: inputs[folded.topic].range(folded.from_offset, folded.to_offset) for folded in order.ranges}
            quarantined = {(record.topic, record.offset) for record in order.quarantined}
            for raw in merged(ranges, tuple(INPUTS), number):
                if (raw.topic, raw.offset) in quarantined:
                    self._left_out["QUARANTINED"] += 1
                    continue
                latest_ms = max(latest_ms, raw.appended_at_ms)
                yield Placed(latest_ms, raw)
            if order.tick is not None:
                yield Placed(latest_ms, None, Tick(at=order.tick.at))
        rest = merge(*(inputs[topic].rest() for topic in inputs), key=lambda raw: (raw.appended_at_ms, RANK[raw.topic]))
        yield from _rising(rest, latest_ms)

    def _orders(self, number: int) -> Iterator[FoldOrder]:
        for raw in committed_records(self._settings, "fold-order", partitions=[number]):
            yield self._codec.decode_as(FoldOrder, raw.payload)


def _rising(records: Iterator[RawRecord], latest_ms: int = 0) -> Iterator[Placed]:
    for raw in records:
        latest_ms = max(latest_ms, raw.appended_at_ms)
        yield Placed(latest_ms, raw)


def _read(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file
