"""`tierstream ingest orders`: an order history as shops export it, into Kafka with the days passing, each order exactly once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.option_texts import instant_ms
from agents.cli.options import AsJson, BootstrapServers, Partitions, TopicPrefix
from agents.cli.output import progress_bar
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.ingesting import Ingested, RefusedLine
    from agents.order_files import OrderFile
    from agents.order_lines import Reading
    from agents.settings import Settings

FORM = "How the file is written"
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "blanks": "blanks"}

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="At most 1,000,000 orders, in any order.", show_default=False)]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD=COLUMN,...",
        rich_help_panel=FORM,
        help="Which column is what: account_id, occurred_at, amount, and if there: order_id, status, currency, cost, product_line, "
        "campaign_id. Columns by name, or by number from 1 if there is no header. Default: columns named so.",
    ),
]
Separator = Annotated[str, typer.Option(metavar="|".join(SEPARATORS), rich_help_panel=FORM, help="What stands between columns.")]
DateFormat = Annotated[
    str | None, typer.Option(rich_help_panel=FORM, help="How times are written, as %Y%m%d or %d.%m.%Y %H:%M. Default: ISO 8601.")
]
Zone = Annotated[
    str, typer.Option("--timezone", rich_help_panel=FORM, help="Where the clock of times without a zone hangs; days end by it.")
]
Currency = Annotated[str, typer.Option(rich_help_panel=FORM, help="Of amounts whose line names none.")]
Status = Annotated[str, typer.Option(rich_help_panel=FORM, help="Of orders whose line names none: PLACED, PAID, REFUNDED, CANCELLED.")]
Until = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="How far time passes after the last order, ISO 8601 with a zone. Default: the end of its day."),
]


def orders(
    file: File,
    currency: Currency,
    columns: Columns = None,
    separator: Separator = "comma",
    date_format: DateFormat = None,
    timezone: Zone = "UTC",
    status: Status = "PAID",
    until: Until = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    as_json: AsJson = False,
) -> None:
    """Put an order history on `orders`, sorted by time, and the passing of its days on `ticks`, for workers with --clock records.

    Interrupt it, repeat it: no order is lost or doubled. Equal lines are different orders. A line that cannot be taken is reported with
    its number and reason; the others go in, and the exit code is 1.

    [dim]Example:[/]  tierstream ingest orders shop.csv --currency CNY --timezone Asia/Shanghai
               --columns account_id=customer,occurred_at=date,amount=total --date-format %Y%m%d
    """
    from agents.cli.ingest import checked_settings, report

    reading = reading_of(columns, separator, date_format, timezone, currency, status)
    until_ms = instant_ms("--until", until)
    settings = checked_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, partitions=partitions)
    refused: list[RefusedLine] = []
    ingested = _ingested(settings, file, reading, until_ms, refused)
    report(file, ingested, refused, as_json)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if refused else ExitCode.FINE)


def _ingested(settings: "Settings", file: Path, reading: "Reading", until_ms: int | None, refused: "list[RefusedLine]") -> "Ingested":
    from agents.order_files import read_orders
    from agents.order_import import OrderImport

    with progress_bar() as bar:
        task = bar.add_task(f"reading {file.name}", total=file.stat().st_size if file.is_file() else None)
        read = read_orders(file, reading, refused.append, lambda done: bar.update(task, completed=done))
        _require_later(read, until_ms)
        run = OrderImport(settings, file, reading, read, until_ms)
        task = bar.add_task("sending orders and days", total=run.total)
        return run.run(lambda done: bar.update(task, completed=done))


def _require_later(read: "OrderFile", until_ms: int | None) -> None:
    if until_ms is not None and read.orders and read.orders[-1].occurred_at > until_ms:
        from schemas.instants import to_iso

        raise SettingsError(f"--until must not be before the last order, at {to_iso(read.orders[-1].occurred_at)}, got {to_iso(until_ms)}")


def reading_of(columns: str | None, separator: str, date_format: str | None, timezone: str, currency: str, status: str) -> "Reading":
    """The options as one value. Raises SettingsError with every problem."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from agents.order_lines import Reading

    problems = []
    if separator not in SEPARATORS:
        problems.append(f"--separator must be one of {', '.join(SEPARATORS)}, got {separator!r}")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(f"--timezone must be a name of the IANA time zones such as Asia/Shanghai, got {timezone!r}")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        problems.append(f"--currency must be three capital letters such as CNY, got {currency!r}")
    if status not in (statuses := ("PLACED", "PAID", "REFUNDED", "CANCELLED")):
        problems.append(f"--status must be one of {', '.join(statuses)}, got {status!r}")
    if problems:
        raise SettingsError(problems)
    return Reading(_columns(columns), SEPARATORS[separator], date_format, timezone, currency, status)


def _columns(text: str | None) -> dict[str, str]:
    """Field -> column. Raises SettingsError with every problem."""
    from agents.order_lines import OPTIONAL, REQUIRED

    if text is None:
        return {}
    pairs = [(field.strip(), column.strip()) for field, _, column in (part.partition("=") for part in text.split(","))]
    columns, known = dict(pairs), (*REQUIRED, *OPTIONAL)
    problems = [f"--columns knows {', '.join(known)}, got {field!r}" for field in columns if field not in known]
    problems += [f"--columns must say which column is {field}" for field in REQUIRED if field not in columns]
    problems += [f"--columns must be FIELD=COLUMN,..., got no column for {field!r}" for field, column in pairs if column in ("", "0")]
    problems += [f"--columns must name each field once, got {text!r}"] if len(columns) < len(pairs) else []
    if problems:
        raise SettingsError(problems)
    return columns
