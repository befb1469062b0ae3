"""`tierstream topics create|check`: the catalogue against the broker."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from agents.cli.options import (
    ApplicationId,
    AsJson,
    BootstrapServers,
    OutputPrefix,
    Partitions,
    ReplicationFactor,
    TopicPrefix,
    settings_from,
)
from agents.cli.output import count_of, err, out, plain_table, print_json
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.settings import Settings


def create_topics_commands() -> typer.Typer:
    """The `topics` group."""
    commands = typer.Typer(help="Create and check the topics of the catalogue.", no_args_is_help=True, rich_markup_mode="rich")
    commands.command("create")(_told_where(create))
    commands.command("check")(_told_where(check))
    return commands


def _told_where(work: Callable[["Settings", bool], None]) -> Callable[..., None]:
    """The command that does this, with the options that say where."""

    def command(
        bootstrap_servers: BootstrapServers = None,
        application_id: ApplicationId = None,
        topic_prefix: TopicPrefix = None,
        output_prefix: OutputPrefix = None,
        partitions: Partitions = None,
        replication_factor: ReplicationFactor = None,
        as_json: AsJson = False,
    ) -> None:
        settings = settings_from(
            bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, output_prefix=output_prefix,
            partitions=partitions, replication_factor=replication_factor,
        )  # fmt: skip
        work(settings, as_json)

    command.__doc__ = work.__doc__
    return command


def create(settings: "Settings", as_json: bool) -> None:
    """Create every topic that is missing; refuse, with the difference, if one exists and differs.

    [dim]Example:[/]  tierstream topics create --partitions 8
    """
    from agents.provisioning import create_topics

    created = create_topics(settings)
    if as_json:
        print_json({"created": created})
        return
    console = out()
    for name in created:
        console.print(f"[green]created[/] {name}")
    console.print(f"{count_of(len(created), 'topic')} created, all topics are as the catalogue says.")


def check(settings: "Settings", as_json: bool) -> None:
    """Compare the topics on the broker with the catalogue; exit 2 and name each difference with its fix.

    [dim]Example:[/]  tierstream topics check --json
    """
    from agents.provisioning import check_topics
    from schemas.topics import TOPICS

    problems = check_topics(settings)
    if as_json:
        print_json({"fine": not problems, "problems": problems})
    elif problems:
        for problem in problems:
            err().print(f"tierstream: {problem}", markup=False)
    else:
        table = plain_table("topic", "role", "what flows there")
        for topic in TOPICS.values():
            table.add_row(settings.topic_name(topic.name), topic.role.value, topic.doc)
        out().print(table)
        out().print(f"\n[green]All {len(TOPICS)} topics are as the catalogue says.[/]")
    raise typer.Exit(ExitCode.WRONG_USE if problems else ExitCode.FINE)
