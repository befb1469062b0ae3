"""A file of orders, whatever its columns: every order of it in the order of time, every refused line with its reason.

Rules: the file is read as a whole and sorted in memory (about 700 bytes an order), at most `MOST_ORDERS` of them: a larger history is
split by time. Orders of the same instant stay in the order of the file. Cells lose the blanks around them; empty ones say nothing.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from agents.ingesting import RefusedLine
from agents.order_lines import BLANKS, OPTIONAL, REQUIRED, OrderLines, Reading
from schemas.errors import Reason, RecordRejected, SettingsError
from schemas.records import Order

MOST_ORDERS = 1_000_000
TOLD_EVERY = 1_000


class OrderFile(NamedTuple):
    """What a file holds. `lines` counts all of them, `refused` those that are no orders."""

    orders: list[Order]
    lines: int
    refused: int


class _Row(NamedTuple):
    """A line in cells; `fault` if it cannot be taken apart."""

    line: int
    cells: list[str]
    fault: str | None = None


def read_orders(
    path: Path, reading: Reading, on_refused: Callable[[RefusedLine], None], on_bytes: Callable[[int], None] = lambda _: None
) -> OrderFile:
    """The orders of a file by time. Raises SettingsError if the file or its columns are not as `reading` says."""
    orders: list[Order] = []
    refused = 0
    try:
        with path.open("rb") as file:
            lines = _Lines(file, on_bytes)
            rows = _rows(lines, reading.separator)
            maker = _maker(path, rows, reading)
            for row in rows:
                try:
                    orders.append(_order(maker, row))
                except RecordRejected as rejection:
                    refused += 1
                    on_refused(RefusedLine(row.line, rejection.reason.value, str(rejection)))
                _require_room(path, orders)
    except OSError as problem:
        raise SettingsError(f"file {path} cannot be read: {problem.strerror}") from problem
    orders.sort(key=lambda order: order.occurred_at)
    return OrderFile(orders, lines.number, refused)


def _order(maker: OrderLines, row: _Row) -> Order:
    if row.fault is not None:
        raise RecordRejected(Reason.UNDECODABLE, f"line cannot be taken apart: {row.fault}")
    return maker.order(row.cells)


def _require_room(path: Path, orders: Sequence[Order]) -> None:
    if len(orders) > MOST_ORDERS:
        raise SettingsError(f"file {path} has more than {MOST_ORDERS:,} orders: split it by time and ingest the earlier part first")


def _maker(path: Path, rows: Iterator[_Row], reading: Reading) -> OrderLines:
    """What makes orders of this file's lines; its header is read if there is one."""
    if not reading.has_header:
        return OrderLines(reading, {field: int(column) - 1 for field, column in reading.columns.items()}, None)
    header = next(rows, _Row(1, [])).cells
    columns = dict(reading.columns) or {field: field for field in (*REQUIRED, *OPTIONAL) if field in header}
    missing = [column for column in columns.values() if header.count(column) != 1]
    missing += [] if reading.columns else [field for field in REQUIRED if field not in columns]
    if missing:
        raise SettingsError(
            f"file {path} must have exactly one column {' and one '.join(missing)}, has {', '.join(header) or 'none'}: "
            f"say which column is what with --columns {','.join(f'{field}=COLUMN' for field in REQUIRED)}, or numbers if there is no header"
        )
    return OrderLines(reading, {field: header.index(column) for field, column in columns.items()}, len(header))


class _Lines:
    """The lines of a file as text; counts them. A byte that is no UTF-8 spoils its own line only."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._file, self._on_bytes = file, on_bytes
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        read = 0
        for raw in self._file:
            self.number += 1
            read += len(raw)
            if self.number % TOLD_EVERY == 0:
                self._on_bytes(read)
            yield raw.decode("utf-8-sig" if self.number == 1 else "utf-8", errors="surrogateescape")
        self._on_bytes(read)


def _rows(lines: _Lines, separator: str) -> Iterator[_Row]:
    """The lines in cells, without blank ones."""
    rows = _in_blanks(lines) if separator == BLANKS else _in_csv(lines, separator)
    for row in rows:
        cells = [cell.strip() for cell in row.cells]
        if any(cells) or row.fault is not None:
            yield row._replace(cells=cells)


def _in_blanks(lines: _Lines) -> Iterator[_Row]:
    for line in lines:
        yield _Row(lines.number, line.split())


def _in_csv(lines: _Lines, separator: str) -> Iterator[_Row]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        first = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            yield _Row(first, [], str(fault))
        else:
            yield _Row(first, cells)
