"""Order files: amounts to the last digit, times where they belong, equal lines as different orders, every bad line named."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agents.ingesting import RefusedLine
from agents.order_files import OrderFile, read_orders
from agents.order_import import history
from agents.order_lines import Reading, minor_units
from schemas.errors import SettingsError
from schemas.instants import from_iso
from schemas.records import Tick

SHOP = Reading({})


def read(tmp_path: Path, text: str, reading: Reading = SHOP, name: str = "shop.csv") -> tuple[OrderFile, list[RefusedLine]]:
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    refused: list[RefusedLine] = []
    return read_orders(tmp_path / name, reading, refused.append), refused


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("11.77", "CNY", 1177), ("0.29", "USD", 29), ("7", "CNY", 700), ("1200", "JPY", 1200), ("1.234", "KWD", 1234), ("11.700", "CNY", 1170),
     ("92233720368547758.07", "CNY", 2**63 - 1), ("-3.5", "CNY", -350)],
)  # fmt: skip
def test_amounts_are_taken_over_digit_by_digit(text: str, currency: str, minor: int) -> None:
    assert minor_units(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"), [("1.005", "CNY"), ("1.5", "JPY"), ("1,200.00", "CNY"), ("1e3", "CNY"), ("", "CNY"), ("٣", "CNY")]
)
def test_amounts_that_are_not_exact_are_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        minor_units(text, currency)


def test_orders_come_by_time_and_those_of_one_instant_in_the_order_of_the_file(tmp_path: Path) -> None:
    found, _ = read(tmp_path, "account_id,occurred_at,amount\nb,2024-01-03,1\nc,2024-01-01,2\na,2024-01-01,3\n")
    assert [order.account_id for order in found.orders] == ["c", "a", "b"]


def test_equal_lines_are_different_orders_with_the_same_ids_wherever_they_lie(tmp_path: Path) -> None:
    one, _ = read(tmp_path, "account_id,occurred_at,amount\nb,2024-01-02,1.50\nb,2024-01-02,1.50\n")
    two, _ = read(tmp_path, "account_id,occurred_at,amount\na,2024-01-01,9\nb,2024-01-02,1.50\nb,2024-01-02,1.50\n", name="other.csv")
    ids = [order.order_id for order in one.orders]
    assert len(set(ids)) == 2
    assert [order.order_id for order in two.orders][1:] == ids


def test_a_time_without_a_zone_is_of_the_imports_zone(tmp_path: Path) -> None:
    reading = Reading({"account_id": "1", "occurred_at": "2", "amount": "3"}, "blanks", "%Y%m%d", "Asia/Shanghai")
    found, _ = read(tmp_path, " 1 19970101  5.00\r\n 2 19970102 0.00\r\n", reading)
    assert [order.occurred_at for order in found.orders] == [from_iso("1996-12-31T16:00:00Z"), from_iso("1997-01-01T16:00:00Z")]


def test_every_line_that_cannot_be_taken_is_named_with_all_its_problems(tmp_path: Path) -> None:
    text = 'account_id,occurred_at,amount\n,yesterday,much\na,2024-01-01,1.00\nb,2024-01-01\nc\udcff,2024-01-01,1\nd,2024-01-01,-1\n"e,1\n'
    found, refused = read(tmp_path, text)
    assert (len(found.orders), found.lines, found.refused) == (1, 7, 5)
    assert [line.line for line in refused] == [2, 4, 5, 6, 7]
    assert all(part in refused[0].message for part in ("account_id is missing", "occurred_at must be", "amount must be"))


def test_a_file_without_the_columns_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"exactly one column account_id .* has customer, date, total"):
        read(tmp_path, "customer,date,total\n1,2024-01-01,1\n")


def test_a_day_ends_before_the_next_begins_also_where_clocks_change(tmp_path: Path) -> None:
    days = ["2024-03-30T12:00", "2024-03-31T00:00", "2024-04-01T00:00", "2024-10-27T23:59", "2024-10-28T00:00"]
    text = "account_id,occurred_at,amount\n" + "".join(f"a,{day},1\n" for day in days)
    found, _ = read(tmp_path, text, SHOP._replace(timezone="Europe/Berlin"))
    log = list(history(found.orders, ZoneInfo("Europe/Berlin"), until_ms=from_iso("2025-01-01T00:00:00Z")))
    ticks = [event.record.at for event in log if isinstance(event.record, Tick)]
    ends = [
        "2024-03-30T23:59:59.999+01:00",
        "2024-03-31T23:59:59.999+02:00",
        "2024-10-26T23:59:59.999+02:00",
        "2024-10-27T23:59:59.999+01:00",
    ]
    assert ticks == [*map(from_iso, ends), from_iso("2025-01-01T00:00:00Z")]
