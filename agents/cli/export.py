"""`tierstream export`: the input topics as a file, in the order in which they were folded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, TopicPrefix, settings_from
from agents.cli.output import count_of, err, print_json, progress_bar
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.exporting import Exported
    from agents.settings import Settings

Topics = Annotated[list[str] | None, typer.Argument(metavar="[TOPIC]...", help="Input topics and ticks; all if none is named.")]
AsAvro = Annotated[
    bool, typer.Option("--avro", help="An Avro container instead of JSON lines: smaller, and replayed several times as fast.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="The file to write; stdout if not given.")]


def export(
    topics: Topics = None,
    out: Out = None,
    avro: AsAvro = False,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Write what lies in the input topics as JSON lines, ticks included, in the order in which the workers folded it.

    `tierstream replay` of the file gives the transitions that were published. What no worker has folded yet comes last. With --avro,
    one partition follows the other, and payloads are as they lie in the topics (docs/decisions/0013-log-files.md).

    [dim]Examples:[/]  tierstream export --out log.jsonl && tierstream replay --policy sabc log.jsonl
               tierstream export --avro --out log.avro && tierstream replay --policy sabc log.avro
    """
    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix)
    if as_json and out is None:
        raise SettingsError("--json tells what was written and needs --out FILE: without a file, stdout is the export")
    exported = _written(settings, _known(topics or []), out, avro)
    lines = sum(exported.written.values())
    if as_json:
        print_json({"file": str(out), "lines": lines, **exported._asdict()})
    else:
        left_out = "".join(f", {count:,} left out ({reason})" for reason, count in sorted(exported.left_out.items()))
        err().print(f"{count_of(lines, 'record')} written{left_out}.")
    raise typer.Exit(ExitCode.FINE)


def _known(topics: list[str]) -> list[str]:
    from schemas.topics import INPUTS

    unknown = [topic for topic in topics if topic not in INPUTS]
    if unknown:
        raise SettingsError(f"export takes input topics by their logical names ({', '.join(INPUTS)}), got {', '.join(unknown)}")
    return topics


def _written(settings: "Settings", topics: list[str], out: Path | None, avro: bool) -> "Exported":
    import sys

    from agents.exporting import Export

    with progress_bar() as bar:
        task = bar.add_task("reading the log", total=None)
        run = Export(settings, topics, on_read=lambda read: bar.update(task, description=f"{read:,} records read", completed=read))
        if out is None:
            return run.write_avro(sys.stdout.buffer) if avro else run.write(sys.stdout)
        try:
            if avro:
                with out.open("wb") as container:
                    return run.write_avro(container)
            with out.open("w", encoding="utf-8") as lines:
                return run.write(lines)
        except OSError as problem:
            raise SettingsError(f"file {out} cannot be written: {problem.strerror}") from problem
