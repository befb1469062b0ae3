"""Which commands are there, in which order and under which heading. The one place that assembles the command line."""

from typing import Annotated

import typer

from agents.cli import (
    audit,
    command,
    dead_letters,
    demo,
    doctor,
    explain,
    export,
    generate,
    ingest,
    policy,
    project,
    rebuild,
    replay,
    report,
    schemas,
    topics,
    worker,
)
from agents.dying import ExitCode

HELP = """
Live, exact, explained account tiers on Kafka.

Start here: [bold cyan]tierstream demo[/] needs nothing installed, runs a real Kafka, a worker and believable accounts
for a minute, and shows every tier change with its reason.

[dim]Exit codes: 0 fine · 1 found a problem in what was read · 2 wrong use or configuration · 70 a worker ended itself.
Settings come from options, TIERSTREAM_* variables, or the TOML file that TIERSTREAM_SETTINGS names.[/]
"""

FIRST = "First steps"
RUN = "Run"
FEED = "Feed"
CHECK = "Check"


Version = Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and end.")]


def whole(ctx: typer.Context, version: Version = False) -> None:
    """What stands before every command."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"tierstream {installed('tierstream')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(ExitCode.WRONG_USE)


def create_cli() -> typer.Typer:
    """The whole command line."""
    from agents.cli.broker import create_broker_commands

    cli = typer.Typer(name="tierstream", rich_markup_mode="rich", pretty_exceptions_enable=False)
    cli.callback(help=HELP, invoke_without_command=True)(whole)
    cli.command("demo", rich_help_panel=FIRST)(demo.demo)
    cli.add_typer(create_broker_commands(), name="broker", rich_help_panel=FIRST)
    cli.add_typer(topics.create_topics_commands(), name="topics", rich_help_panel=RUN)
    cli.add_typer(schemas.create_schemas_commands(), name="schemas", rich_help_panel=RUN)
    cli.command("worker", rich_help_panel=RUN)(worker.worker)
    cli.command("project", rich_help_panel=RUN)(project.project)
    cli.command("rebuild", rich_help_panel=RUN)(rebuild.rebuild)
    cli.command("generate", rich_help_panel=FEED)(generate.generate)
    cli.add_typer(ingest.create_ingest_commands(), name="ingest", rich_help_panel=FEED)
    cli.add_typer(command.create_command_commands(), name="command", rich_help_panel=FEED)
    cli.command("doctor", rich_help_panel=CHECK)(doctor.doctor)
    cli.command("explain", rich_help_panel=CHECK)(explain.explain)
    cli.command("tiers", rich_help_panel=CHECK)(project.tiers)
    cli.command("top", rich_help_panel=CHECK)(project.top)
    cli.command("replay", rich_help_panel=CHECK)(replay.replay)
    cli.command("export", rich_help_panel=CHECK)(export.export)
    cli.command("audit", rich_help_panel=CHECK)(audit.audit)
    cli.command("report", rich_help_panel=CHECK)(report.report)
    cli.add_typer(dead_letters.create_dead_letters_commands(), name="dead-letters", rich_help_panel=CHECK)
    cli.add_typer(policy.create_policy_commands(), name="policy", rich_help_panel=CHECK)
    return cli
