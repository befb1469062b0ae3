"""`tierstream rebuild`: the state made anew from the inputs, under another policy, for another application."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, OutputPrefix, Partitions, PolicyFile, TopicPrefix, settings_from
from agents.cli.output import agreed, count_of, out, plain_table, print_json, reading_bar
from agents.cli.policies import required_policy
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.activating import Movement
    from agents.rebuilding.history import History
    from agents.rebuilding.running import Rebuild

Source = Annotated[
    str, typer.Option("--from", metavar="APPLICATION", help="The application whose order is folded again.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Fold in memory and show who would stand elsewhere; write nothing.")]
Partial = Annotated[bool, typer.Option("--partial", help="Also where records were deleted that were folded once: without them.")]


def rebuild(
    source: Source,
    policy: PolicyFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    partial: Partial = False,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    output_prefix: OutputPrefix = None,
    partitions: Partitions = None,
    as_json: AsJson = False,
) -> None:
    """Make another application from the inputs, in the order in which --from folded them, for a policy that measures otherwise.

    It publishes into topics of its own (--output-prefix), in mode REBUILD: no leads, no actions. --from may work on meanwhile. Killed, it
    goes on where it was; repeated, it takes in what --from has folded since. Exit 1: you said no.

    [dim]Examples:[/]  tierstream topics create --application-id tiers-2027 --output-prefix tiers-2027.
               tierstream rebuild --from tierstream --policy new.yaml --application-id tiers-2027 --output-prefix tiers-2027. --dry-run
               tierstream rebuild --from tierstream --policy new.yaml --application-id tiers-2027 --output-prefix tiers-2027.
    """
    from agents.rebuilding.running import Rebuild

    settings = settings_from(
        bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix,
        output_prefix=output_prefix, partitions=partitions,
    )  # fmt: skip
    work = Rebuild(settings, source, required_policy(policy or settings.policy), dry=dry_run)
    histories = work.histories()
    if not as_json:
        _show_history(work, histories)
    _require_whole(histories, partial or dry_run)
    if not dry_run and not yes and not _agreed(work, settings.application_id):
        raise typer.Exit(ExitCode.FOUND_A_PROBLEM)
    with reading_bar("folding again") as bar:
        bar.on_total(work.records)
        movement = work.rehearsed(bar.on_read) if dry_run else work.run(bar.on_read)
    if as_json:
        print_json(_summary(work, histories, movement, dry_run))
    else:
        _show(movement, settings.application_id, source, dry_run)


def _show_history(work: "Rebuild", histories: "list[History]") -> None:
    from schemas.instants import to_iso

    table = plain_table("input", "records", "first appended at", "folded once and gone")
    for each in histories:
        table.add_row(each.topic, f"{each.there:,}", to_iso(each.since_ms) if each.since_ms is not None else "", f"{each.gone:,}")
    out().print(table)
    out().print(f"{count_of(work.records, 'record')} to fold{' (the rest was folded by an earlier run)' if work.is_resumed else ''}.")


def _require_whole(histories: "list[History]", partial: bool) -> None:
    lost = [f"{each.gone:,} of {each.topic}" for each in histories if each.gone]
    if lost and not partial:
        raise SettingsError(f"records were folded once and are deleted now: {', '.join(lost)}: rebuild without them with --partial")


def _agreed(work: "Rebuild", application: str) -> bool:
    said = f"{count_of(work.records, 'record')} will be folded into application {application}"
    return agreed(said, "Go on?", "look at the outcome with --dry-run, then confirm with --yes", "Nothing was written.")


def _show(movement: "Movement", application: str, source: str, dry_run: bool) -> None:
    table = plain_table("ladder", f"in {source}", f"in {application}", "accounts")
    for (scheme, begin, end), number in sorted(movement.moves.items()):
        table.add_row(scheme, begin, end, f"{number:,}")
    if movement.moves:
        out().print(table)
    out().print(
        f"{movement.movers:,} of {movement.accounts:,} accounts {'would ' if dry_run else ''}stand elsewhere ({movement.share:.1%})."
    )
    if not dry_run:
        out().print(
            f"[green]Application {application} is at the end of what {source} has folded.[/] Stop the workers of {source}, run this once "
            f"more, start workers of {application}, and let consumers change topics."
        )


def _summary(work: "Rebuild", histories: "list[History]", movement: "Movement", dry_run: bool) -> dict[str, Any]:
    return {
        "inputs": [each._asdict() for each in histories],
        "records": work.records,
        "resumed": work.is_resumed,
        "accounts": movement.accounts,
        "movers": movement.movers,
        "moves": [
            {"scheme": scheme, "from": begin, "to": end, "accounts": n} for (scheme, begin, end), n in sorted(movement.moves.items())
        ],
        "written": not dry_run,
    }
