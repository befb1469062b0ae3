"""`tierstream schemas export|asyncapi|register`: what is on the wire, for those who read and write it without tierstream."""

from pathlib import Path
from typing import Annotated

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, Partitions, ReplicationFactor, TopicPrefix, settings_from
from agents.cli.output import count_of, out, plain_table, print_json
from schemas.errors import SettingsError

HELP = """
The schemas of the records, for producers and consumers.

[dim]Example:[/]  tierstream schemas export schemas-by-id
"""
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; made if it is not there.", show_default=False)]


def create_schemas_commands() -> typer.Typer:
    """The `schemas` group."""
    commands = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    commands.command("export")(export)
    commands.command("asyncapi")(asyncapi)
    commands.command("register")(register)
    return commands


def export(folder: Folder) -> None:
    """Write every Avro schema as a file that is called by its id: all that a reader needs where there is no registry.

    The five bytes before a record's body are a zero and that id. Ids never change, so neither do the files; new ones come.

    [dim]Example:[/]  tierstream schemas export schemas-by-id
    """
    import json

    from schemas.catalogue import shipped

    folder.mkdir(parents=True, exist_ok=True)
    for schema in shipped().all():
        text = json.dumps(schema.definition, ensure_ascii=False, indent=2)
        (folder / f"{schema.id}.avsc").write_text(text + "\n", encoding="utf-8")
    out().print(f"{count_of(len(shipped().all()), 'schema')} written to {folder}.", markup=False)


def asyncapi(
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    replication_factor: ReplicationFactor = None,
) -> None:
    """Print the public topics of this deployment as an AsyncAPI 3.0 document, in YAML.

    [dim]Example:[/]  tierstream schemas asyncapi > asyncapi.yaml
    """
    from importlib.metadata import version

    import yaml

    from schemas.asyncapi import document

    where = settings_from(
        bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, partitions=partitions, replication_factor=replication_factor
    )
    said = document(version("tierstream"), where.bootstrap_servers, where.partitions, where.replication_factor, where.topic_name)
    typer.echo(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120), nl=False)


def register(application_id: ApplicationId = None, topic_prefix: TopicPrefix = None, as_json: AsJson = False) -> None:
    """Register every schema with the registry of TIERSTREAM_REGISTRY_URL, as a starting worker does, and show the ids that it has given.

    Subjects are called by topic (`orders-value`). A subject that nobody configured demands full compatibility with all versions. What is
    registered already stays as it is; a version that the registry finds incompatible is refused, and nothing after it is registered.

    [dim]Example:[/]  tierstream schemas register --topic-prefix eu.
    """
    from agents.registry import Registry

    settings = settings_from(application_id=application_id, topic_prefix=topic_prefix)
    if settings.registry_url is None:
        raise SettingsError("no registry is known: set TIERSTREAM_REGISTRY_URL, such as http://127.0.0.1:8081")
    registry = Registry(settings)
    found = registry.register()
    if as_json:
        print_json([{"subject": registry.subject(each.record), "version": each.version, "id": each.id} for each in found])
        return
    table = plain_table("subject", "version", "id")
    for each in found:
        table.add_row(registry.subject(each.record), str(each.version), str(each.id))
    out().print(table)
    out().print(f"\n{count_of(len(found), 'schema')} are registered with {settings.registry_url}.", markup=False)
