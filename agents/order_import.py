"""A file of orders into Kafka as the history it is: by time, with the days passing, each order exactly once.

Rules: before the first order of a day comes a tick that ends the day before; after the last order one that ends its day, or goes as far
as the import was told. What is sent follows from file and reading alone, so a repeated import goes on where the last one was
interrupted; one that reads the file otherwise is refused, since it would not be the same history.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from agents.delivering import Delivery, Item
from agents.ingesting import Ingested, digest_of
from agents.order_files import OrderFile
from agents.order_lines import Reading, end_of_day_ms, local_day
from agents.settings import Settings
from schemas.errors import SettingsError
from schemas.instants import to_iso
from schemas.records import IngestProgress, Order, Tick
from streams.replay import LoggedEvent


def history(orders: Iterable[Order], zone: ZoneInfo, until_ms: int | None = None) -> Iterator[LoggedEvent]:
    """Orders in the order of time, with the ticks between and after them."""
    today: date | None = None
    for order in orders:
        day = local_day(order.occurred_at, zone)
        if today is not None and day > today:
            yield _tick(end_of_day_ms(day - timedelta(days=1), zone))
        today = day
        yield LoggedEvent("orders", order)
    if today is not None:
        yield _tick(max(end_of_day_ms(today, zone), until_ms or 0))


def _tick(at_ms: int) -> LoggedEvent:
    return LoggedEvent("ticks", Tick(at=at_ms))


class OrderImport:
    """One run over one file, which has been read. `on_sent` is told how many records and ticks are done, of `total`."""

    def __init__(self, settings: Settings, path: Path, reading: Reading, file: OrderFile, until_ms: int | None = None) -> None:
        self._path, self._file = path, file
        self._reading = reading.said() + (f"; until {to_iso(until_ms)}" if until_ms is not None else "")
        self._digest = digest_of(path)
        self._log = list(history(file.orders, ZoneInfo(reading.timezone), until_ms))
        self._delivery = Delivery(settings, path, self._digest)

    @property
    def total(self) -> int:
        """Records and ticks."""
        return len(self._log)

    def run(self, on_sent: Callable[[int], None] = lambda _: None) -> Ingested:
        """Send what is not there yet. Raises SettingsError if another ingest of the same file takes over, or was told otherwise."""
        before = self._delivery.open()
        self._require_same_reading(before)
        self._delivery.send(self._items(before, on_sent))
        on_sent(self.total)
        resumed_after = sum(event.topic == "orders" for event in self._log[: before.lines_done])
        return Ingested(self._digest, self._file.lines, len(self._file.orders), self._file.refused, resumed_after)

    def _items(self, before: IngestProgress, on_sent: Callable[[int], None]) -> Iterator[Item]:
        """What is left, with the progress past it: here a line is a record or a tick of the history."""
        progress = msgspec.structs.replace(before, refused=self._file.refused, reading=self._reading)
        accepted = before.accepted
        for number, event in enumerate(self._log[before.lines_done :], before.lines_done + 1):
            accepted += event.topic == "orders"
            on_sent(number - 1)
            yield Item(event, msgspec.structs.replace(progress, lines_done=number, accepted=accepted))

    def _require_same_reading(self, before: IngestProgress) -> None:
        if before.lines_done and before.reading != self._reading:
            raise SettingsError(
                f"file {self._path} has been ingested before, read otherwise ({before.reading or 'as JSON lines'}; "
                f"now {self._reading}): repeat it with the same options"
            )
