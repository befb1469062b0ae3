"""Generated records on their way into Kafka: at a rate, where their keys belong, with every delivery accounted for."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import KafkaError

from agents import clients
from agents.generating.poison import Framed
from agents.settings import Settings
from schemas.errors import Reason

PAUSE_S = 0.002
FLUSH_S = 120.0
HASHED = -1  # librdkafka's own word for: where the partitioner puts it


class Tally:
    """What has been sent so far. Written by the producing thread, read by whoever shows it."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.faults: Counter[Reason] = Counter()
        self.undelivered: Counter[str] = Counter()
        self.seconds = 0.0

    @property
    def records(self) -> int:
        """All records sent."""
        return self.sent.total()

    def count(self, record: Framed) -> None:
        """One more on its way."""
        self.sent[record.topic] += 1
        if record.fault is not None:
            self.faults[record.fault] += 1

    def delivered(self, error: KafkaError | None, _: Any) -> None:
        """The broker's answer to one record."""
        if error is not None:
            self.undelivered[error.name()] += 1


class Feeder:
    """Sends records as fast as `rate` allows (records a second; None: as fast as they are made)."""

    def __init__(self, settings: Settings, *, rate: float | None = None, tally: Tally | None = None) -> None:
        self._producer = clients.idempotent_producer(settings)
        self._names = settings.topic_name
        self._rate = rate
        self._physical: dict[str, str] = {}
        self.tally = tally or Tally()

    def feed(
        self, records: Iterator[Framed], stop: threading.Event | None = None, on_progress: Callable[[Tally], None] | None = None
    ) -> Tally:
        """Send all of them, or until `stop`; returns when the broker has answered for each."""
        started_s = time.monotonic()
        sent = 0
        while not (stop and stop.is_set()):
            due = self._due(sent, time.monotonic() - started_s)
            for record in _first(records, due):
                self._send(record)
                sent += 1
                due -= 1
            if due > 0:
                break
            self._producer.poll(PAUSE_S if self._rate else 0)
            self.tally.seconds = time.monotonic() - started_s
            if on_progress is not None:
                on_progress(self.tally)
        self.tally.undelivered["UNANSWERED"] += self._producer.flush(FLUSH_S)
        self.tally.seconds = time.monotonic() - started_s
        return self.tally

    def _due(self, sent: int, elapsed_s: float) -> int:
        return int(elapsed_s * self._rate) - sent if self._rate else 1_000

    def _send(self, record: Framed) -> None:
        name = self._physical.get(record.topic) or self._physical.setdefault(record.topic, self._names(record.topic))
        partition = HASHED if record.partition is None else record.partition
        while True:
            try:
                self._producer.produce(name, record.payload, record.key, partition, on_delivery=self.tally.delivered)
            except BufferError:  # the broker is slower than we are: let it catch up
                self._producer.poll(0.1)
            else:
                break
        self.tally.count(record)


def _first(records: Iterator[Framed], count: int) -> Iterator[Framed]:
    """At most `count` records; takes none that it does not give."""
    for _ in range(count):
        try:
            yield next(records)
        except StopIteration:
            return
