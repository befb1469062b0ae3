"""`tierstream broker up|down|status`: a real Kafka on this machine for trying things out, found again by its directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.options import AsJson
from agents.cli.output import err, out, print_json
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.embedded.broker import Broker
    from agents.embedded.progress import Progress

HELP = """
Run a real Kafka on this machine: no Docker, no Java, no root.

The first start fetches 45 MB and keeps them (about 20 seconds); later starts take about a second. It listens on 127.0.0.1 only and
has no password: it is for demos and tests, not for production.

[dim]Example:[/]  tierstream broker up, then tierstream topics create, and in the end tierstream broker down
"""

Directory = Annotated[Path, typer.Option(help="Where the broker keeps everything: records, log, broker.json. Remove it to start afresh.")]
Port = Annotated[int | None, typer.Option(min=1, max=65_535, help="Port for clients. Default: that of the last start, or a free one.")]
Heap = Annotated[str, typer.Option(help="Java's memory limit, as 512m or 1g.")]
DEFAULT_DIRECTORY = Path(".tierstream/broker")


def create_broker_commands() -> typer.Typer:
    """The `broker` group."""
    commands = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    commands.command("up")(up)
    commands.command("down")(down)
    commands.command("status")(status)
    return commands


def up(directory: Directory = DEFAULT_DIRECTORY, port: Port = None, heap: Heap = "1g", as_json: AsJson = False) -> None:
    """Start the broker and leave it running; one that runs already is left alone.

    Prints the line that points the other commands to it.

    [dim]Example:[/]  eval "$(tierstream broker up | tail -1)"
    """
    from agents.embedded.broker import Broker

    broker = Broker(directory)
    if broker.pid is None or port not in (None, broker.node.port):
        broker = Broker(directory, port=port, heap=heap)
        with download_shown() as progress:
            broker.start(progress, stays=True)
    if as_json:
        print_json(_state(broker, answers=broker.answers()))
        return
    out().print(f"Kafka answers at {broker.bootstrap} (process {broker.pid}, log {broker.log})")
    out().print(f"export TIERSTREAM_BOOTSTRAP_SERVERS={broker.bootstrap}")


def down(directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False) -> None:
    """Stop the broker and wait until it is gone; its records stay for the next `up`. Nothing to stop is fine.

    [dim]Example:[/]  tierstream broker down
    """
    from agents.embedded.broker import Broker

    broker = Broker(directory)
    ran = broker.pid is not None
    clean = broker.stop()
    if as_json:
        print_json({"ran": ran, "clean": clean})
    elif not ran:
        out().print(f"No broker of {broker.directory} is running.")
    elif clean:
        out().print("Kafka stopped.")
    else:
        err().print("Kafka did not stop by itself in time and was killed; the next start checks its records.")


def status(directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False) -> None:
    """Say whether the broker runs, where, and whether it answers a client; exit 1 when it does not.

    [dim]Example:[/]  tierstream broker status --json
    """
    from agents.embedded.broker import Broker

    broker = Broker(directory)
    answers = broker.pid is not None and broker.answers()
    if as_json:
        print_json(_state(broker, answers=answers))
    elif broker.pid is None:
        out().print(f"No broker of {broker.directory} is running. Start one: tierstream broker up")
    else:
        verb = "answers" if answers else "runs but does not answer"
        out().print(f"Kafka {verb} at {broker.bootstrap} (process {broker.pid}, log {broker.log})")
    raise typer.Exit(ExitCode.FINE if answers else ExitCode.FOUND_A_PROBLEM)


def _state(broker: "Broker", *, answers: bool) -> dict[str, object]:
    pid = broker.pid
    return {
        "running": pid is not None,
        "answers": answers,
        "bootstrap": broker.bootstrap if pid else None,
        "pid": pid,
        "directory": str(broker.directory),
        "log": str(broker.log),
    }


@contextmanager
def download_shown() -> Iterator["Progress"]:
    """Show what a start does, on stderr: a bar while jars arrive, a line for the steps without a size."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    from agents.embedded.jars import total_bytes

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    with Bar(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(message: str, done_bytes: int | None = None) -> None:
            total = None if done_bytes is None else total_bytes()
            bar.update(task, description=message, completed=done_bytes or 0, total=total)

        yield progress
