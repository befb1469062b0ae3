"""The input topics as lines of JSON in the order in which they were folded: a file to replay, to keep, or to attach to a bug report.

Rules:
- `fold-order` gives the order of what has been folded, with the ticks that lanes made themselves; what no transaction has folded yet
  follows by the merge rule, and inputs that the policy does not read are put between by append time.
- Records that became dead letters whatever the policy (undecodable, foreign keys, quarantined) are left out and counted: a replay would
  not refuse them all.
- Partitions are read one after the other into files of their own and joined by append time: memory does not grow with the log.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TextIO

from agents.json_lines import made_tick_line_of, placed_line_of
from agents.reading import committed_records, partitions_of
from agents.replaying import InputRanges
from agents.settings import Settings
from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.records import Event, FoldOrder, Tick
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


class Exported(NamedTuple):
    """Lines written by topic, and records left out by reason."""

    written: dict[str, int]
    left_out: dict[str, int]


class Export:
    """One export. `on_read` is told now and then how many records were read."""

    def __init__(self, settings: Settings, topics: Sequence[str] = (), *, on_read: Callable[[int], None] = lambda _: None) -> None:
        self._settings, self._topics, self._on_read = settings, frozenset(topics or INPUTS), on_read
        self._read = 0
        self._codec = Codec()
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

    def _lines(self, number: int) -> Iterator[tuple[int, str]]:
        """The lines of one partition with their append times."""
        for placed in self._placed(number):
            line = self._line(number, placed)
            if line is not None:
                yield placed.at_ms, line

    def _line(self, number: int, placed: Placed) -> str | None:
        """None for a record that is left out."""
        topic = "ticks" if placed.raw is None else placed.raw.topic
        if topic not in self._topics:
            return None
        try:
            line = made_tick_line_of(number, placed.tick) if placed.tick is not None else self._record_line(number, placed.raw)
        except RecordRejected as rejection:
            self._left_out[rejection.reason.value] += 1
            return None
        self._written[topic] += 1
        return line

    def _record_line(self, number: int, raw: RawRecord | None) -> str:
        assert raw is not None, "what is no tick is a record"
        record = self._codec.decode(raw.topic, raw.payload)
        if isinstance(record, Event):
            intake.check_partition(intake.check_key(raw.key, record), number, self._partitions)
        return placed_line_of(raw, record)

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
