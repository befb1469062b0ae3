"""`tierstream ingest`: a file of JSON lines into Kafka, each good line exactly once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.options import AsJson, BootstrapServers, Partitions, TopicPrefix, settings_from
from agents.cli.output import count_of, err, out, print_json, progress_bar
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.ingesting import Ingested, RefusedLine

File = Annotated[Path, typer.Argument(metavar="FILE.jsonl", help='Lines {"topic": "interactions", "value": {...}}.', show_default=False)]
SHOWN = 50


def ingest(
    file: File,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    as_json: AsJson = False,
) -> None:
    """Put the records of a file on their topics. Interrupt it, repeat it: no record is lost or doubled.

    Times are ISO 8601 with a zone or epoch milliseconds. A line that cannot be taken is reported with its number and reason;
    the others go in, and the exit code is 1.

    [dim]Example:[/]  tierstream ingest history.jsonl
    """
    from agents.ingesting import Ingest
    from agents.provisioning import check_topics
    from schemas.errors import SettingsError

    settings = settings_from(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, partitions=partitions)
    if problems := check_topics(settings):
        raise SettingsError(problems)
    refused: list[RefusedLine] = []
    with progress_bar() as bar:
        task = bar.add_task(f"ingesting {file.name}", total=file.stat().st_size if file.is_file() else None)
        run = Ingest(settings, file, on_line=lambda read: bar.update(task, completed=read), on_refused=refused.append)
        ingested = run.run()
    _report(file, ingested, refused, as_json)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if refused or ingested.refused else ExitCode.FINE)


def _report(file: Path, ingested: "Ingested", refused: "list[RefusedLine]", as_json: bool) -> None:
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
