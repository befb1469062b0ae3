"""A file of JSON lines into Kafka, every good line exactly once, however often and wherever the ingest was interrupted.

Rules:
- Each line is judged again on every run, so that every run reports every refused line; lines done before are not sent again.
- The digest is of the content: a file under another name is the same file, a file with one line more is another file.
- A tick goes to every partition, when everything before it can be read and before anything after it (`agents/delivering.py`).
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from agents.delivering import Delivery, Item, progress_of
from agents.json_lines import logged_event
from agents.settings import Settings
from schemas.errors import Reason, RecordRejected, SettingsError
from schemas.records import IngestProgress
from streams.replay import LoggedEvent

__all__ = ["Ingest", "Ingested", "RefusedLine", "digest_of", "progress_of"]

LINES_AT_ONCE = 5_000
BYTES_AT_ONCE = 4_000_000


class RefusedLine(NamedTuple):
    """A line that carries no record we can take."""

    line: int
    reason: str
    message: str


class Ingested(NamedTuple):
    """The file as a whole, over all runs; `resumed_after` lines had been done before this one."""

    digest: str
    lines: int
    accepted: int
    refused: int
    resumed_after: int


class Line(NamedTuple):
    """A line that counts: blank ones do not."""

    number: int
    text: bytes


def digest_of(path: Path) -> str:
    """SHA-256 of the file's content. Raises SettingsError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise SettingsError(f"file {path} cannot be read: {problem.strerror}") from problem


class Ingest:
    """One run over one file. `on_line` is told the bytes read so far, `on_refused` each refused line as it is met."""

    def __init__(
        self, settings: Settings, path: Path, *, on_line: Callable[[int], None] | None = None, on_refused: Callable[[RefusedLine], None]
    ) -> None:
        self._path, self._on_line, self._on_refused = path, on_line, on_refused
        self._digest = digest_of(path)
        self._delivery = Delivery(settings, path, self._digest)

    def run(self) -> Ingested:
        """Send what is not there yet. Raises SettingsError if another ingest of the same file takes over."""
        before = self._delivery.open()
        progress = before
        for batch in self._batches():
            items = list(self._judged(batch, progress, before.lines_done))
            self._delivery.send(items)
            progress = items[-1].progress if items else progress
        return Ingested(self._digest, progress.lines_done, progress.accepted, progress.refused, before.lines_done)

    def _batches(self) -> Iterator[list[Line]]:
        batch: list[Line] = []
        read = size = 0
        with self._path.open("rb") as file:
            for number, text in enumerate(file, 1):
                batch.append(Line(number, text))
                read, size = read + len(text), size + len(text)
                if len(batch) == LINES_AT_ONCE or size >= BYTES_AT_ONCE:
                    yield batch
                    batch, size = [], 0
                    if self._on_line is not None:
                        self._on_line(read)
        if batch:
            yield batch
        if self._on_line is not None:
            self._on_line(read)

    def _judged(self, batch: list[Line], progress: IngestProgress, done_before: int) -> Iterator[Item]:
        """Every line is judged; those that are new are items, with the progress past them."""
        for line in batch:
            event, refused = self._read(line)
            if line.number > done_before:
                progress = msgspec.structs.replace(
                    progress,
                    lines_done=line.number,
                    accepted=progress.accepted + (event is not None),
                    refused=progress.refused + refused,
                )
                yield Item(event, progress)

    def _read(self, line: Line) -> tuple[LoggedEvent | None, bool]:
        """What a line says, and whether it is refused."""
        if not line.text.strip():
            return None, False
        try:
            event = logged_event(line.text)
            if event.topic == "policies":
                raise RecordRejected(Reason.WRONG_RECORD, "a change of policy is no history: `tierstream policy activate` orders it")
            return event, False
        except RecordRejected as rejection:
            self._on_refused(RefusedLine(line.number, rejection.reason.value, str(rejection)))
            return None, True
