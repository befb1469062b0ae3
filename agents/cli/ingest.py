"""`tierstream ingest`: files into Kafka, each good line exactly once: `ingest FILE` JSON lines, `ingest orders FILE` an order history."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from agents.cli.options import AsJson, BootstrapServers, Partitions, TopicPrefix, settings_from
from agents.cli.output import count_of, err, out, print_json, progress_bar
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.ingesting import Ingested, RefusedLine
    from agents.settings import Settings

HELP = """
Put files into Kafka: every good line exactly once, however often you interrupt and repeat it.

[bold]tierstream ingest FILE.jsonl[/] takes JSON lines, as `generate` and `export` write them (the same as `ingest records FILE.jsonl`);
[bold]tierstream ingest orders FILE.csv[/] takes an order history as a shop or an ERP exports it.

[dim]Example:[/]  tierstream ingest history.jsonl
"""

File = Annotated[Path, typer.Argument(metavar="FILE.jsonl", help='Lines {"topic": "interactions", "value": {...}}.', show_default=False)]
SHOWN = 50


class RecordsUnlessSaid(TyperGroup):
    """What is no command is a file of records: `ingest FILE.jsonl` stays as short as it was."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front where it was left out."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["records", *args]
        return super().parse_args(ctx, args)


def create_ingest_commands() -> typer.Typer:
    """The `ingest` group."""
    from agents.cli.ingest_orders import orders

    commands = typer.Typer(cls=RecordsUnlessSaid, help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    commands.command("records")(records)
    commands.command("orders")(orders)
    return commands


def records(
    file: File,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    as_json: AsJson = False,
) -> None:
    """Put the records of a file on their topics. Interrupt it, repeat it: no record is lost or doubled.

    Times are ISO 8601 with a zone or epoch milliseconds. A line that cannot be taken is reported with its number and reason;
    the others go in, and the exit code is 1.

    [dim]Example:[/]  tierstream ingest records history.jsonl, or shorter: tierstream ingest history.jsonl
    """
    from agents.ingesting import Ingest

    settings = checked_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, partitions=partitions)
    refused: list[RefusedLine] = []
    with progress_bar() as bar:
        task = bar.add_task(f"ingesting {file.name}", total=file.stat().st_size if file.is_file() else None)
        run = Ingest(settings, file, on_line=lambda read: bar.update(task, completed=read), on_refused=refused.append)
        ingested = run.run()
    report(file, ingested, refused, as_json)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if refused or ingested.refused else ExitCode.FINE)


def checked_settings(**given: Any) -> "Settings":
    """Settings of a deployment whose topics are there. Raises SettingsError with every difference."""
    from agents.provisioning import check_topics
    from schemas.errors import SettingsError

    settings = settings_from(**given)
    if problems := check_topics(settings):
        raise SettingsError(problems)
    return settings


def report(file: Path, ingested: "Ingested", refused: "list[RefusedLine]", as_json: bool) -> None:
    """What came of a file."""
    if as_json:
        print_json({"file": str(file), **ingested._asdict(), "refused_lines": [line._asdict() for line in refused]})
        return
    for line in refused[:SHOWN]:
        err().print(f"{file}:{line.line}: [red]{line.reason}[/] ", end="")
        err().print(line.message, markup=False)
    if len(refused) > SHOWN:
        err().print(f"... and {len(refused) - SHOWN:,} more: --json lists them all")
    before = f" ({count_of(ingested.resumed_after, 'line')} had been done before)" if ingested.resumed_after else ""
    console = out()
    console.print(f"{count_of(ingested.lines, 'line')}: {ingested.accepted:,} accepted, {ingested.refused:,} refused{before}.")
