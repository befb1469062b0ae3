"""One line of somebody's order file as an order: which column means what, how days and amounts are written.

Rules: nothing is guessed and nothing is rounded: an amount is a decimal number whose digits the currency has, taken over digit by digit;
a time without a zone is one of the import's zone. A line is refused with all its problems.
Two lines that say the same are two orders: ids are made of what a line says and which of its likes it is, and of no file name or line
number, so the same content has the same ids wherever it comes from.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.errors import Reason, RecordRejected
from schemas.json_values import from_json
from schemas.limits import shown
from schemas.records import Order
from streams.money import minor_digits

REQUIRED: Final = ("account_id", "occurred_at", "amount")
OPTIONAL: Final = ("order_id", "status", "currency", "cost", "product_line", "campaign_id")
BLANKS: Final = "blanks"
"""The separator of files whose columns are set apart by any number of blanks."""

_MONEY: Final = {"amount": "amount_minor", "cost": "cost_minor"}
_DECIMAL: Final = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Reading(NamedTuple):
    """How a file is to be read. `columns`: field of the order -> name of the column, or its number where there is no header."""

    columns: Mapping[str, str]
    separator: str = ","
    date_format: str | None = None
    timezone: str = "UTC"
    currency: str = "CNY"
    status: str = "PAID"

    @property
    def has_header(self) -> bool:
        """Columns are named; numbers say that the first line is an order already."""
        return not self.columns or not all(column.isdecimal() for column in self.columns.values())

    def said(self) -> str:
        """In words; a repeated ingest must say the same."""
        columns = ",".join(f"{field}={column}" for field, column in sorted(self.columns.items())) or "by their own names"
        separated = "tab" if self.separator == "\t" else self.separator
        written = self.date_format or "ISO 8601"
        return f"columns {columns}; separator {separated}; dates {written} in {self.timezone}; {self.currency}; {self.status}"


class OrderLines:
    """Makes orders of lines, in the order of the file. `place`: field -> index of its cell."""

    def __init__(self, reading: Reading, place: Mapping[str, int], width: int | None) -> None:
        self._reading, self._place, self._width = reading, place, width
        self._likes: Counter[str] = Counter()
        self._instant = _instants(reading)

    def order(self, cells: Sequence[str]) -> Order:
        """The order that a line says. Raises RecordRejected."""
        if self._width is not None and len(cells) != self._width:
            raise RecordRejected(Reason.UNDECODABLE, f"line must have {self._width} columns as the header has, got {len(cells)}")
        if len(cells) <= max(self._place.values()):
            raise RecordRejected(Reason.UNDECODABLE, f"line must have at least {max(self._place.values()) + 1} columns, got {len(cells)}")
        said = {field: cells[index] for field, index in self._place.items() if cells[index]}
        record = from_json("orders", self._identity(cells) | self._fields(said))
        assert isinstance(record, Order)
        return record

    def _identity(self, cells: Sequence[str]) -> dict[str, Any]:
        """Equal lines are numbered, from 1."""
        content = hashlib.blake2b("\x1f".join(cells).encode(errors="surrogateescape"), digest_size=16).hexdigest()
        self._likes[content] += 1
        name = f"{content}-{self._likes[content]}"
        return {"event_id": name, "order_id": name}

    def _fields(self, said: dict[str, str]) -> dict[str, Any]:
        """The fields of an order as JSON values. Raises RecordRejected with everything that cannot be read."""
        fields: dict[str, Any] = {"status": self._reading.status, "currency": self._reading.currency} | said
        problems = [f"{name} is missing" for name in REQUIRED if name not in said]
        for name, read in self._readers(str(fields["currency"])).items():
            text = fields.pop(name, None)
            if text is not None:
                try:
                    fields[_MONEY.get(name, name)] = read(text)
                except ValueError as fault:
                    problems.append(f"{name} {fault}")
        if problems:
            raise RecordRejected(Reason.UNDECODABLE, f"Order: {'; '.join(problems)}")
        return fields

    def _readers(self, currency: str) -> dict[str, Callable[[str], int]]:
        return {"occurred_at": self._instant} | dict.fromkeys(_MONEY, lambda text: minor_units(text, currency))


def minor_units(text: str, currency: str) -> int:
    """A decimal amount in minor units of its currency, exactly. Raises ValueError, whose text starts with `must`."""
    written = _DECIMAL.fullmatch(text)
    if written is None:
        raise ValueError(f"must be a decimal number such as 1250.00, got {shown(text)}")
    sign, whole, decimals = written.groups(default="")
    digits, kept = minor_digits(currency), decimals.rstrip("0")
    if len(kept) > digits:
        raise ValueError(f"must have at most {digits} decimals in {currency}, got {shown(text)}")
    return int(f"{sign}{whole}{kept.ljust(digits, '0')}")


def local_day(at_ms: int, zone: ZoneInfo) -> date:
    """The day of an instant in a zone."""
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(zone).date()


def end_of_day_ms(day: date, zone: ZoneInfo) -> int:
    """The last millisecond of a day in a zone."""
    following = day + timedelta(days=1)
    return (datetime(following.year, following.month, following.day, tzinfo=zone) - _EPOCH) // _MILLISECOND - 1


def _instants(reading: Reading) -> Callable[[str], int]:
    """From text to epoch milliseconds. Files repeat their days: what was read once is not read again."""
    zone, written = ZoneInfo(reading.timezone), reading.date_format

    @lru_cache(maxsize=65_536)
    def instant(text: str) -> int:
        try:
            at = datetime.fromisoformat(text) if written is None else datetime.strptime(text, written)  # noqa: DTZ007  # zone below
        except ValueError:
            wanted = "a day or time in ISO 8601 (another one: --date-format)" if written is None else f"written as {written}"
            raise ValueError(f"must be {wanted}, got {shown(text)}") from None
        return ((at if at.tzinfo else at.replace(tzinfo=zone)) - _EPOCH) // _MILLISECOND

    return instant
