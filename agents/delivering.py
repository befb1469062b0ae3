"""What an ingest has read, into Kafka: each record exactly once, each tick where it belongs in time.

Rules:
- A transaction carries records and how far the ingest has come with them (`ingest-progress`), so a repeated ingest takes up after the
  last one that was committed. Two ingests of one file fence each other.
- A tick begins a transaction. A broker takes the first record of a transaction only when the markers of the one before are written
  everywhere: so whoever sees a tick can see everything before it. What follows is sent when the tick is acknowledged, and later.
- Transactions are short: a reader waits for the end of an open one.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from agents.reading import committed_records
from agents.registry import codec_for
from agents.settings import Settings
from agents.transactions import Transactions
from schemas.codec import Codec
from schemas.records import Event, IngestProgress, Tick
from streams.replay import LoggedEvent

ACKNOWLEDGED_S = 60.0
ITEMS_AT_ONCE = 5_000
AFTER_A_TICK_S = 0.002
"""Append times are whole milliseconds: what follows a tick must not share its millisecond."""


class Item(NamedTuple):
    """A record or tick to be sent (None: a line without one), and how far the ingest is with it."""

    event: LoggedEvent | None
    progress: IngestProgress


def progress_of(settings: Settings, codec: Codec, digest: str) -> IngestProgress:
    """How far earlier runs came; the beginning if there was none."""
    done = IngestProgress(file_digest=digest, lines_done=0, accepted=0, refused=0)
    for raw in committed_records(settings, "ingest-progress"):
        if raw.key == digest.encode() and raw.payload is not None:
            done = codec.decode_as(IngestProgress, raw.payload)
    return done


class Delivery:
    """The transactions of one file's ingest. `open` before anything else."""

    def __init__(self, settings: Settings, path: Path, digest: str) -> None:
        self._settings, self._digest = settings, digest
        self._codec = codec_for(settings)
        self._transactions = Transactions(settings, f"ingest-{digest[:24]}", f"ingest of {path}")

    def open(self) -> IngestProgress:
        """Fence other ingests of the file; how far they came. Raises SettingsError if no broker answers."""
        self._transactions.open()
        return progress_of(self._settings, self._codec, self._digest)

    def send(self, items: Iterable[Item]) -> None:
        """Everything, in order, committed. Raises SettingsError if another ingest of the same file takes over."""
        for together in _transactions(items):
            self._transactions.commit(partial(self._send_all, together))

    def _send_all(self, items: Sequence[Item]) -> None:
        """What one transaction holds."""
        for item in items:
            self._send(item.event)
        self._transactions.produce("ingest-progress", self._digest.encode(), self._codec.encode(items[-1].progress))

    def _send(self, event: LoggedEvent | None) -> None:
        if event is None:
            return
        if isinstance(event.record, Tick):
            self._send_tick(self._codec.encode(event.record))
        else:
            assert isinstance(event.record, Event), "changes of policy are no history, and refused"
            self._transactions.produce(event.topic, event.record.account_id.encode(), self._codec.encode(event.record))

    def _send_tick(self, payload: bytes) -> None:
        """To every partition; what stays unanswered is left to the commit, which waits and reports why."""
        for partition in range(self._settings.partitions):
            self._transactions.produce("ticks", None, payload, partition)
        self._transactions.flush(ACKNOWLEDGED_S)
        time.sleep(AFTER_A_TICK_S)


def _is_tick(item: Item) -> bool:
    return item.event is not None and isinstance(item.event.record, Tick)


def _transactions(items: Iterable[Item]) -> Iterator[list[Item]]:
    """From each tick to before the next one, and not too much at once."""
    together: list[Item] = []
    for item in items:
        if together and (_is_tick(item) or len(together) == ITEMS_AT_ONCE):
            yield together
            together = []
        together.append(item)
    if together:
        yield together
