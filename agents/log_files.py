"""A log in a file, folded from one end to the other: lines of JSON as `ingest` takes them, or what `export --avro` wrote.

Rules: how the file begins tells which it is; records are read and folded in blocks, so memory does not grow with the file; what a worker
would refuse is told with its place and the replay goes on; what is no log at all ends it (SettingsError).
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO, BinaryIO, NamedTuple, cast

import numpy as np

from agents.json_lines import logged_event
from schemas.errors import RecordRejected, SettingsError
from schemas.log_files import MAGIC, LogFileError, LoggedBlock, read_log
from streams.account import Output
from streams.batches import RecordBatch
from streams.replay import FileReplay, LoggedEvent, Refused, Said

BLOCK_LINES = 20_000
OnRead = Callable[[int], None]


class Refusal(NamedTuple):
    """What a worker would have sent to `dead-letters`, or could not be read at all. `place`: a line's number, or where the record lay."""

    place: str
    rejection: RecordRejected


def replayed(file: BinaryIO, replay: FileReplay, on_read: OnRead = lambda _: None) -> Iterator[Output | Refusal]:
    """What the log says, in order. `file` can be peeked into; `on_read` is told how many bytes more were read."""
    begins = file.peek(len(MAGIC))[: len(MAGIC)]  # type: ignore[attr-defined]  # buffered
    blocks = _records(file, replay, on_read) if begins == MAGIC else _lines(file, replay, on_read)
    for outputs in blocks:
        yield from outputs


# -- lines of JSON ---------------------------------------------------------------------------------------------------------------------


def _lines(file: BinaryIO, replay: FileReplay, on_read: OnRead) -> Iterator[list[Output | Refusal]]:
    before = 0
    while block := list(islice(file, BLOCK_LINES)):
        yield _of_lines(block, before, replay)
        before += len(block)
        on_read(sum(map(len, block)))


def _of_lines(block: list[bytes], before: int, replay: FileReplay) -> list[Output | Refusal]:
    """What a block of lines gives; `before`: how many lines are before it."""
    events: list[LoggedEvent] = []
    numbers: list[int] = []
    said: list[tuple[int, Said | Refusal]] = []
    for number, line in enumerate(block, before + 1):
        if line.isspace():
            continue
        try:
            events.append(logged_event(line))
            numbers.append(number)
        except RecordRejected as rejection:
            said.append((number, Refusal(str(number), rejection)))
    said += ((numbers[place], each) for place, each in replay.fold_all(events))
    said.sort(key=lambda each: each[0])
    return [one for number, each in said for one in _told(each, str(number))]


def _told(said: Said | Refusal, place: str) -> list[Output | Refusal]:
    match said:
        case Refusal():
            return [said]
        case Refused():
            return [Refusal(place, said.rejection)]
        case outputs:
            return [*outputs]


# -- an Avro container -----------------------------------------------------------------------------------------------------------------


class _Onward:
    """A file that tells how far it was read, which a pipe cannot."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._read = file, 0

    def read(self, size: int) -> bytes:
        """So many bytes more, fewer at the end."""
        piece = self._file.read(size)
        self._read += len(piece)
        return piece

    def tell(self) -> int:
        """How many there were."""
        return self._read


def _records(opened: BinaryIO, replay: FileReplay, on_read: OnRead) -> Iterator[list[Output | Refusal]]:
    file, read = _Onward(opened), 0
    try:
        for block in read_log(cast(IO[bytes], file)):
            yield [one for batch in batches(block, replay.reads) for one in _of_batch(batch, replay)]
            read, before = file.tell(), read
            on_read(read - before)
    except LogFileError as fault:
        raise SettingsError(str(fault)) from fault


def _of_batch(batch: RecordBatch, replay: FileReplay) -> Iterator[Output | Refusal]:
    for _, said in replay.fold_batch(batch):
        if isinstance(said, Refused):
            raw = said.raw
            yield Refusal(f"{raw.topic}:{raw.partition}:{raw.offset}", said.rejection)
        else:
            yield from said


def batches(block: LoggedBlock, reads: Callable[[str], bool]) -> Iterator[RecordBatch]:
    """A block's records of these topics, partition by partition."""
    read = np.array([reads(topic) for topic in block.topics])[block.topic]
    for partition in np.unique(block.partition).tolist():
        its = np.flatnonzero(read & (block.partition == partition))
        if len(its) == len(block.topic):
            yield RecordBatch(partition, block.topics, block.topic, block.offset, block.appended_at_ms, block.keys, block.payloads)
        elif len(its):
            columns = block.topic[its], block.offset[its], block.appended_at_ms[its], block.keys.picked(its), block.payloads.picked(its)
            yield RecordBatch(partition, block.topics, *columns)
