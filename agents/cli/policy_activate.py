"""`tierstream policy activate`: put another policy in force, after showing who would move."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, TopicPrefix, settings_from
from agents.cli.output import agreed, err, out, plain_table, print_json, reading_bar
from agents.cli.policies import find_policy
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.activating import Activation, Movement

Given = Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file, or the name of a shipped policy.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, however many accounts would move.")]
MaxShare = Annotated[float, typer.Option("--max-share", min=0, max=1, help="Ask where a larger share of the accounts would move.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show who would move.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the change.")]
By = Annotated[str | None, typer.Option("--by", help="Who asks. Default: the user of this shell.", show_default=False)]


def activate(
    policy: Given,
    yes: Yes = False,
    max_share: MaxShare = 0.1,
    dry_run: DryRun = False,
    reason: Reason = "",
    by: By = None,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Put another policy in force while workers run: every account is decided again, with cause POLICY, without leads or actions.

    Reads the state, shows who would move, and asks before more than --max-share of the accounts would. Exit 1: you said no, or it was
    not adopted everywhere within a minute.

    [dim]Examples:[/]  tierstream policy activate sabc-2027.yaml --dry-run
               tierstream policy activate sabc-2027.yaml --reason "thresholds of the new year"
    """
    from agents.activating import Activation
    from agents.clocks import wall_clock
    from streams.policy import load_policy

    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix)
    activation, now_ms = Activation(settings, load_policy(find_policy(policy)), by or _user(), reason), wall_clock()
    with reading_bar("reading the changelog") as bar:
        movement = activation.movement(now_ms, bar.on_total, bar.on_read)
    if not as_json:
        _show(activation, movement)
    if dry_run:
        _end(activation, movement, None, as_json)
    if movement.share > max_share and not yes and not _agreed(movement, max_share):
        raise typer.Exit(ExitCode.FOUND_A_PROBLEM)
    obeyed = activation.obeyed(activation.order(wall_clock()))
    _end(activation, movement, obeyed, as_json)


def _agreed(movement: "Movement", max_share: float) -> bool:
    said = f"{movement.share:.1%} of the accounts would move, more than {max_share:.1%}"
    how = "look at them with --dry-run, then confirm with --yes or a larger --max-share"
    return agreed(said, "Put the policy in force?", how, "Nothing was changed.")


def _user() -> str:
    """Whoever runs this shell. Raises SettingsError where that is nobody with a name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as nameless:
        raise SettingsError("who asks is not known here: name them with --by") from nameless


def _show(activation: "Activation", movement: "Movement") -> None:
    before, after = activation.before, activation.policy
    out().print(f"[bold]{before.name}[/] {before.version} ({before.digest}) → [bold]{after.name}[/] {after.version} ({after.digest})")
    table = plain_table("ladder", "from", "to", "accounts")
    for (scheme, begin, end), number in sorted(movement.moves.items()):
        table.add_row(scheme, begin, end, f"{number:,}")
    if movement.moves:
        out().print(table)
    out().print(f"{movement.movers:,} of {movement.accounts:,} accounts would move ({movement.share:.1%}).")


def _end(activation: "Activation", movement: "Movement", obeyed: set[int] | None, as_json: bool) -> None:
    """Say what was done, and leave. `obeyed` None: nothing was ordered."""
    late = [] if obeyed is None else sorted(set(range(activation.partitions)) - obeyed)
    if as_json:
        print_json(_summary(activation, movement, obeyed, late))
    elif obeyed is not None and not late:
        out().print("[green]In force everywhere.[/] Accounts are decided again now. Start workers without --policy from here on.")
    if late:
        err().print(
            f"tierstream: ordered, but partitions {', '.join(map(str, late))} have not adopted it within a minute: do workers run? "
            "They adopt it when they come to it.",
            markup=False,
        )
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if late else ExitCode.FINE)


def _summary(activation: "Activation", movement: "Movement", obeyed: set[int] | None, late: list[int]) -> dict[str, Any]:
    moves = [
        {"scheme": scheme, "from": begin, "to": end, "accounts": number} for (scheme, begin, end), number in sorted(movement.moves.items())
    ]
    return {
        "before": activation.before.digest,
        "after": activation.policy.digest,
        "accounts": movement.accounts,
        "movers": movement.movers,
        "share": movement.share,
        "moves": moves,
        "ordered": obeyed is not None,
        "not_adopted_yet": late,
    }
