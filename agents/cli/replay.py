"""`tierstream replay`: the same fold over a file, without Kafka; or over the live log, compared with what was published."""

from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, PolicyFile, TopicPrefix, settings_from
from agents.cli.output import count_of, err, out, print_json, progress_bar
from agents.cli.policies import required_policy
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.replaying import Difference, LiveReplay
    from agents.settings import Settings
    from streams.policy import CompiledPolicy
    from streams.replay import FileReplay

Events = Annotated[
    Path | None,
    typer.Argument(
        metavar="EVENTS", help="Lines of JSON as `ingest` takes them, or a file of `export --avro`; - is stdin.", show_default=False
    ),
]
Live = Annotated[bool, typer.Option("--live", help="Fold what is in Kafka again and compare with what was published.")]
AsMode = Annotated[str, typer.Option("--mode", metavar="LIVE|BACKFILL|REBUILD|SHADOW", help="The mode that the outputs carry.")]
STDIN = Path("-")
SHOWN = 50


def replay(
    events: Events = None,
    policy: PolicyFile = None,
    live: Live = False,
    mode: AsMode = "LIVE",
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Run the core over a file in memory and print what it publishes, one JSON line each: {"topic", "value"}.

    A file of `export --avro` is read several times as fast as one of JSON lines.

    With --live, fold the records in Kafka in their recorded order and prove that tier-transitions, account-tiers, actions and hot-leads
    say the same (exit 1 if not).

    [dim]Examples:[/]  tierstream replay --policy sabc history.jsonl > transitions.jsonl
               tierstream export --avro --out log.avro && tierstream replay --policy sabc log.avro
               tierstream replay --policy sabc --live
    """
    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, policy=policy)
    compiled = required_policy(settings.policy)
    if live == (events is not None):
        raise SettingsError("replay takes either EVENTS or --live: name a file, or leave it out and add --live")
    if events is None:
        found = _replay_live(settings, compiled, as_json)
    else:
        found = _replay_file(events, _file_replay(settings.application_id, compiled, mode))
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if found else ExitCode.FINE)


def _file_replay(application: str, policy: "CompiledPolicy", mode: str) -> "FileReplay":
    from typing import get_args

    from schemas.records import Mode
    from streams.replay import FileReplay

    modes: tuple[Mode, ...] = get_args(Mode)
    chosen = next((known for known in modes if known == mode.upper()), None)
    if chosen is None:
        raise SettingsError(f"--mode must be one of {', '.join(modes)}, got {mode!r}")
    return FileReplay(application, policy, chosen)


def _replay_file(path: Path, replay: "FileReplay") -> int:
    """Prints the outputs; returns how many records were refused."""
    import sys

    from agents.json_lines import said_line_of
    from agents.log_files import Refusal, replayed

    refused = 0
    with _opened(path) as file, progress_bar() as bar:
        task = bar.add_task("folding", total=None if path == STDIN else path.stat().st_size)
        for said in replayed(file, replay, partial(bar.advance, task)):
            if isinstance(said, Refusal):
                refused += 1
                print(f"{path}:{said.place}: {said.rejection.reason.value} {said.rejection}", file=sys.stderr)
            else:
                print(said_line_of(said.topic, said.key, said.record))
    return refused


@contextmanager
def _opened(path: Path) -> "Iterator[BinaryIO]":
    import sys

    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as file:
            yield file
    except OSError as problem:
        raise SettingsError(f"file {path} cannot be read: {problem.strerror}") from problem


def _replay_live(settings: "Settings", policy: "CompiledPolicy", as_json: bool) -> int:
    """Prints the differences; returns how many there are."""
    from agents.replaying import LiveReplay

    replay = LiveReplay(settings, policy)
    with err().status("folding the live log again") as status:
        differences = []
        for difference in replay.differences():
            differences.append(difference)
            status.update(f"{len(differences):,} differences so far")
    if as_json:
        found = [difference._asdict() for difference in differences]
        counts = {"transactions": replay.transactions, "transitions": replay.outputs["tier-transitions"], "outputs": dict(replay.outputs)}
        print_json({"fine": not found, **counts, "differences": found})
    else:
        _show_differences(settings, replay, differences)
    return len(differences)


def _show_differences(settings: "Settings", replay: "LiveReplay", differences: "list[Difference]") -> None:
    console = out()
    for difference in differences[:SHOWN]:
        place = "missing" if difference.offset is None else difference.offset
        console.print(f"[red]differs[/] {settings.topic_name(difference.topic)}:{difference.partition}:{place} ", end="")
        console.print(f"account {difference.account_id}: {difference.message}", markup=False)
    if len(differences) > SHOWN:
        console.print(f"... and {len(differences) - SHOWN:,} more: --json lists them all")
    compared = ", ".join(f"{count:,} of {settings.topic_name(topic)}" for topic, count in replay.outputs.items())
    console.print(f"{count_of(replay.transactions, 'transaction')} folded again; they say {compared}.")
    if not differences:
        console.print("[bold green]What was published says exactly what the log says.[/]")
