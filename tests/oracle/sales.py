"""Real orders for tests: CDNOW, 69,659 orders of 23,570 customers over 18 months, or orders of the same shape where it is absent.

The file is read here in the plainest way, by its documented columns, and by nothing that the product reads it with.
"""

import os
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.oracle.orders_rfm import DAY, Sale

ROOT = Path(__file__).parents[2]
HEADER = " customer_id  date number_of_cds  dollar_value"
SHANGHAI = 8 * 60 * 60 * 1000
FIRST_DAY = 852_076_800_000  # 1997-01-01 in UTC; "days" below count from here
FIGURES = (
    "--separator", "blanks", "--columns", "account_id=customer_id,occurred_at=date,amount=dollar_value", "--date-format", "%Y%m%d",
    "--timezone", "Asia/Shanghai", "--currency", "USD",
)  # fmt: skip
"""How `ingest orders` reads such a file under `orders-rfm`, whose days these are."""


class History(NamedTuple):
    """A file and what it holds, by time; orders of one day in the order of the file. `ends` is the last instant of its last day."""

    path: Path
    real: bool
    sales: list[Sale]
    ends: int


def real_file() -> Path:
    """Where CDNOW lies, if it does: under TIERSTREAM_DATA, or beside the checkout."""
    data = Path(os.environ.get("TIERSTREAM_DATA") or ROOT.parent / "shared" / "data")
    return data / "cdnow" / "CDNOW_master.txt"


def history(folder: Path, customers: int | None = None) -> History:
    """CDNOW or, where there is none, orders of its shape; with `customers` a slice of so many, as a file of its own."""
    lines, real = _lines()
    if customers is not None:
        lines = [line for line in lines if int(line.split()[0]) % (23_570 // customers) == 0]
    path = folder / "orders.txt"
    path.write_bytes("".join(f"{line}\r\n" for line in [HEADER, *lines]).encode())
    sales = sorted((_sale(line) for line in lines), key=lambda sale: sale.at)
    return History(path, real, sales, sales[-1].at + DAY - 1)


def _lines() -> tuple[list[str], bool]:
    if real_file().is_file():
        return [line for line in real_file().read_text().splitlines()[1:] if line.split()], True
    return _invented(), False


def _sale(line: str) -> Sale:
    customer, date, _, dollars = line.split()
    whole, cents = dollars.split(".")
    return Sale(customer, _day(int(date[:4]), int(date[4:6]), int(date[6:])) - SHANGHAI, int(whole) * 100 + int(cents.ljust(2, "0")))


def _day(year: int, month: int, day: int) -> int:
    """Midnight in UTC, by counting days."""
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return FIRST_DAY + DAY * (365 * (year - 1997) + sum(lengths[: month - 1]) + day - 1)


def _invented() -> list[str]:
    """23,570 customers who begin within twelve weeks; most order once; not sorted, with equal lines and orders of no money."""
    chance, lines = Random(1997), []
    for customer in range(1, 23_571):
        day = chance.randrange(84)
        while day < 546:
            dollars = 0.0 if chance.random() < 0.0012 else chance.lognormvariate(3.1, 0.9)
            line = f" {customer:05d} {_date(day)} {chance.randint(1, 6):2d} {dollars:7.2f}"
            lines += [line] * (2 if chance.random() < 0.004 else 1)
            day += 600 if chance.random() < 0.34 else int(chance.expovariate(1 / 90))
    chance.shuffle(lines)
    return lines


def _date(day: int) -> str:
    """Years 1997 and 1998, neither a leap year."""
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    year, left, month = 1997 + day // 365, day % 365, 0
    while left >= lengths[month]:
        left -= lengths[month]
        month += 1
    return f"{year}{month + 1:02d}{left + 1:02d}"
