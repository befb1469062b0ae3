"""`tierstream worker`: one process that scores, alone or under a supervisor that starts it again."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.options import WHERE, ApplicationId, BootstrapServers, OutputPrefix, Partitions, PolicyFile, TopicPrefix, settings_from
from agents.cli.policies import find_policy, policy_or_in_force
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.settings import Settings

Supervised = Annotated[bool, typer.Option("--supervised", help="Start it again whenever it ends by itself.")]
Quarantine = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TOPIC:PARTITION:OFFSET", help="Dead-letter exactly this record without reading it: the way past a bug. Repeatable."
    ),
]
Clock = Annotated[
    str | None,
    typer.Option(
        envvar="TIERSTREAM_CLOCK",
        metavar="wall|records",
        help="wall: live. records: history; what is published is marked BACKFILL. Default wall.",
    ),
]
WebPort = Annotated[
    int | None,
    typer.Option(envvar="TIERSTREAM_WEB_PORT", rich_help_panel=WHERE, help="Port of web views and metrics; 0: any free one. Default 6066."),
]


def worker(
    policy: PolicyFile = None,
    supervised: Supervised = False,
    quarantine: Quarantine = None,
    clock: Clock = None,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    output_prefix: OutputPrefix = None,
    partitions: Partitions = None,
    web_port: WebPort = None,
) -> None:
    """Score accounts: read the inputs, keep the state, publish every tier transition exactly once.

    Start as many as you like under one application id: they share the partitions. SIGTERM stops one within 10 seconds.

    [dim]Example:[/]  tierstream worker --policy sabc --supervised
    """
    settings = settings_from(
        bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, output_prefix=output_prefix,
        partitions=partitions, web_port=web_port, clock=clock, policy=policy,
    )  # fmt: skip
    quarantined = frozenset(_coordinates(text, settings) for text in quarantine or [])
    compiled = policy_or_in_force(settings)
    if supervised:
        raise typer.Exit(_supervise())
    from agents.worker import run_worker

    found = settings.model_copy(update={"policy": find_policy(settings.policy)}) if settings.policy else settings
    raise typer.Exit(run_worker(found, compiled, quarantined))


def _supervise() -> int:
    """The same command line without `--supervised`, kept running."""
    from agents import logs
    from agents.supervisor import Supervisor

    logs.log_to_stderr()
    arguments = [argument for argument in sys.argv[1:] if argument != "--supervised"]
    return Supervisor([sys.executable, "-m", "agents.cli", *arguments]).run()


def _coordinates(text: str, settings: "Settings") -> tuple[str, int, int]:
    """`TOPIC:PARTITION:OFFSET`, the topic by its logical name or as the broker has it. Raises SettingsError."""
    from schemas.topics import INPUTS

    topic, _, place = text.partition(":")
    partition, _, offset = place.partition(":")
    known = {settings.topic_name(name): name for name in INPUTS} | {name: name for name in INPUTS}
    if topic not in known or not partition.isdigit() or not offset.isdigit():
        raise SettingsError(
            f"--quarantine must be TOPIC:PARTITION:OFFSET with an input topic ({', '.join(INPUTS)}), got {text!r}: "
            "copy it from the line the worker ended with"
        )
    return known[topic], int(partition), int(offset)
