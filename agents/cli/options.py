"""Options that several commands share, each with the variable that sets it for all of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from agents.settings import Settings

WHERE = "Where (also from the environment)"


def _setting(flag: str, text: str) -> Any:
    variable = "TIERSTREAM_" + flag.strip("-").replace("-", "_").upper()
    return typer.Option(flag, envvar=variable, help=text, rich_help_panel=WHERE, show_default=False)


BootstrapServers = Annotated[str | None, _setting("--bootstrap-servers", "Kafka to talk to, host:port. Default 127.0.0.1:9092.")]
ApplicationId = Annotated[str | None, _setting("--application-id", "Name of this engine; its state belongs to it. Default tierstream.")]
TopicPrefix = Annotated[str | None, _setting("--topic-prefix", "Put before every topic name. Default: nothing.")]
OutputPrefix = Annotated[str | None, _setting("--output-prefix", "Put before the names of the outputs. Default: nothing.")]
Partitions = Annotated[int | None, _setting("--partitions", "Partitions of account-keyed topics. Default 8.")]
ReplicationFactor = Annotated[int | None, _setting("--replication-factor", "Copies of each partition. Default 1.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for scripts.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", "-p", envvar="TIERSTREAM_POLICY", help="The policy to tier by: a file, or the name of a shipped one (sabc)."),
]


def settings_from(**given: Any) -> "Settings":
    """Settings with what was given on the command line on top; None means not given."""
    from agents.settings import load_settings

    return load_settings({name: chosen for name, chosen in given.items() if chosen is not None})
