"""A file of JSON lines into Kafka, every good line exactly once, however often and wherever the ingest was interrupted.

Rules:
- A transaction carries the records of some lines and how far the file has come (`ingest-progress`, by the file's digest), so
  a repeated ingest takes up after the last line whose transaction was committed. Two ingests of one file fence each other.
- Each line is judged again on every run, so that every run reports every refused line; lines done before are not sent again.
- The digest is of the content: a file under another name is the same file, a file with one line more is another file.
- A tick goes to every partition, after everything before it has been acknowledged and before anything after it is sent.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import KafkaError, KafkaException

from agents import clients
from agents.json_lines import logged_event
from agents.reading import committed_records
from agents.settings import Settings
from schemas.codec import Codec
from schemas.errors import RecordRejected, SettingsError
from schemas.records import IngestProgress, Tick
from streams.replay import LoggedEvent

LINES_PER_TRANSACTION = 5_000
BYTES_PER_TRANSACTION = 4_000_000
CALL_S = 10.0
ACKNOWLEDGED_S = 60.0
AFTER_A_TICK_S = 0.002
"""Append times are whole milliseconds: what follows a tick must not share its millisecond."""


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


def progress_of(settings: Settings, codec: Codec, digest: str) -> IngestProgress:
    """How far earlier runs came; the beginning if there was none."""
    done = IngestProgress(file_digest=digest, lines_done=0, accepted=0, refused=0)
    for raw in committed_records(settings, "ingest-progress"):
        if raw.key == digest.encode() and raw.payload is not None:
            done = codec.decode_as(IngestProgress, raw.payload)
    return done


class Ingest:
    """One run over one file. `on_line` is told the bytes read so far, `on_refused` each refused line as it is met."""

    def __init__(
        self, settings: Settings, path: Path, *, on_line: Callable[[int], None] | None = None, on_refused: Callable[[RefusedLine], None]
    ) -> None:
        self._settings, self._path = settings, path
        self._on_line, self._on_refused = on_line, on_refused
        self._codec = Codec()
        self._digest = digest_of(path)
        self._producer = clients.transactional_producer(settings, f"{settings.topic_prefix}ingest-{self._digest[:24]}")

    def run(self) -> Ingested:
        """Send what is not there yet. Raises SettingsError if another ingest of the same file takes over."""
        clients.require_broker(self._settings)
        self._repeated(self._producer.init_transactions)
        before = progress_of(self._settings, self._codec, self._digest)
        progress = before
        for batch in self._batches():
            progress = self._ingest(batch, progress, before.lines_done)
        return Ingested(self._digest, progress.lines_done, progress.accepted, progress.refused, before.lines_done)

    def _batches(self) -> Iterator[list[Line]]:
        batch: list[Line] = []
        read = size = 0
        with self._path.open("rb") as file:
            for number, text in enumerate(file, 1):
                batch.append(Line(number, text))
                read, size = read + len(text), size + len(text)
                if len(batch) == LINES_PER_TRANSACTION or size >= BYTES_PER_TRANSACTION:
                    yield batch
                    batch, size = [], 0
                    if self._on_line is not None:
                        self._on_line(read)
        if batch:
            yield batch
        if self._on_line is not None:
            self._on_line(read)

    def _ingest(self, batch: list[Line], progress: IngestProgress, done_before: int) -> IngestProgress:
        """Judge every line, send those that are new, together with the progress past them."""
        accepted: list[LoggedEvent] = []
        refused = 0
        for line in batch:
            if not line.text.strip():
                continue
            try:
                event = logged_event(line.text)
            except RecordRejected as rejection:
                self._on_refused(RefusedLine(line.number, rejection.reason.value, str(rejection)))
                refused += line.number > done_before
            else:
                if line.number > done_before:
                    accepted.append(event)
        last = batch[-1].number
        if last <= done_before:
            return progress
        further = msgspec.structs.replace(
            progress, lines_done=last, accepted=progress.accepted + len(accepted), refused=progress.refused + refused
        )
        self._commit(accepted, further)
        return further

    def _commit(self, events: list[LoggedEvent], progress: IngestProgress) -> None:
        """One transaction; one that must be aborted is sent again with the same content."""
        while True:
            try:
                self._producer.begin_transaction()
                for event in events:
                    self._send(event)
                self._produce("ingest-progress", self._digest.encode(), self._codec.encode(progress))
                self._repeated(self._producer.commit_transaction)
            except KafkaException as failed:
                self._raise_unless_abortable(failed)
                self._repeated(self._producer.abort_transaction)
            else:
                return

    def _send(self, event: LoggedEvent) -> None:
        if isinstance(event.record, Tick):
            self._send_tick(event.record)
        else:
            self._produce(event.topic, event.record.account_id.encode(), self._codec.encode(event.record))

    def _send_tick(self, tick: Tick) -> None:
        self._await_acknowledged()
        for partition in range(self._settings.partitions):
            self._produce("ticks", None, self._codec.encode(tick), partition)
        self._await_acknowledged()
        time.sleep(AFTER_A_TICK_S)

    def _await_acknowledged(self) -> None:
        """What stays unanswered is left to the commit, which waits and reports why."""
        self._producer.flush(ACKNOWLEDGED_S)

    def _produce(self, topic: str, key: bytes | None, payload: bytes, partition: int = -1) -> None:
        while True:
            try:
                self._producer.produce(self._settings.topic_name(topic), payload, key, partition)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _repeated(self, call: Callable[[float], None]) -> None:
        """A call of the transaction protocol, again as long as it may be."""
        while True:
            try:
                call(CALL_S)
            except KafkaException as failed:
                if not failed.args[0].retriable():
                    self._raise_unless_abortable(failed)
                    raise
            else:
                return

    def _raise_unless_abortable(self, failed: KafkaException) -> None:
        error = failed.args[0]
        if error.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH):
            raise SettingsError(f"another ingest of {self._path} has taken over: let it finish, nothing is sent twice") from failed
        if error.fatal() or not error.txn_requires_abort():
            raise SettingsError(
                f"Kafka refuses the records of {self._path}: {error.str()} (check with `tierstream topics check`)"
            ) from failed
