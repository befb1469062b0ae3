"""`tierstream command`: people's orders to the engine, each written once, answered, and the answer told.

An order is known by its id: with `--id` the same line can be said again, and is carried out once.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.option_texts import instant_ms, length_ms
from agents.cli.options import AsJson, BootstrapServers, TopicPrefix, settings_from
from agents.cli.output import err, out, print_json
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from schemas.records import Action, Command

HELP = """
Order the engine to do something with an account, and hear whether it was done.

An order goes to the topic commands, is folded in its place among the account's records, carried out or refused once, and answered
on actions. Exit 0: done. Exit 1: refused, or no answer in time (no worker runs, or it folds history: then nothing is answered).

[dim]Example:[/]  tierstream command override acct-000042 S --for 30d --reason "pilot customer" --by kim --approved-by lee
"""

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who asks.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; shown wherever the effect is.", show_default=False)]
Approver = Annotated[str | None, typer.Option("--approved-by", help="Who approved; the policy says whether somebody must.")]
Scheme = Annotated[str | None, typer.Option("--scheme", help="Of which scheme. Default: the only one that allows overrides.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="When it expires, ISO 8601 with a zone; or")]
For = Annotated[str | None, typer.Option("--for", metavar="DURATION", help="how long it lasts from now on, such as 30d.")]
Id = Annotated[str | None, typer.Option("--id", help="The order's own id: said again, it is the same order. Default: a new one.")]
Wait = Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for the answer; 0: not at all.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the order; send nothing.")]


def create_command_commands() -> typer.Typer:
    """The `command` group."""
    commands = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    commands.command("override")(override)
    commands.command("revoke")(revoke)
    commands.command("assign-owner")(assign_owner)
    commands.command("erase")(erase)
    return commands


def override(
    account_id: Account,
    tier: Annotated[str, typer.Argument(metavar="TIER", help="The tier to publish.", show_default=False)],
    by: By,
    reason: Reason,
    approved_by: Approver = None,
    until: Until = None,
    lasts: For = None,
    scheme: Scheme = None,
    event_id: Id = None,
    wait: Wait = 15.0,
    dry_run: DryRun = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Publish another tier than the engine decides, for a time. It goes on deciding underneath, and takes over when the time is over.

    [dim]Examples:[/]  tierstream command override acct-000042 S --for 30d --reason "pilot customer" --by kim --approved-by lee
               tierstream command override acct-000042 C --until 2026-12-31T00:00:00+08:00 --reason dispute --by kim --approved-by lee
    """
    arguments = {"tier": tier} | ({"scheme": scheme} if scheme is not None else {})
    said = {"kind": "OVERRIDE", "arguments": arguments, "requested_by": by, "approved_by": approved_by, "reason": reason}
    _order(account_id, said | {"expires_at": _expiry(until, lasts)}, event_id, wait, dry_run, as_json, bootstrap_servers, topic_prefix)


def revoke(
    account_id: Account,
    by: By,
    reason: Reason,
    scheme: Scheme = None,
    event_id: Id = None,
    wait: Wait = 15.0,
    dry_run: DryRun = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """End an override before its time: the account is where it would have been.

    [dim]Example:[/]  tierstream command revoke acct-000042 --reason "pilot is over" --by kim
    """
    arguments = {"scheme": scheme} if scheme is not None else {}
    said = {"kind": "REVOKE_OVERRIDE", "arguments": arguments, "requested_by": by, "reason": reason}
    _order(account_id, said, event_id, wait, dry_run, as_json, bootstrap_servers, topic_prefix)


def assign_owner(
    account_id: Account,
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="The new owner's id.", show_default=False)],
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "assigned",
    event_id: Id = None,
    wait: Wait = 15.0,
    dry_run: DryRun = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Give the account an owner, and take it out of the pool.

    [dim]Example:[/]  tierstream command assign-owner acct-000042 sales-7 --by kim
    """
    said = {"kind": "ASSIGN_OWNER", "arguments": {"owner_id": owner}, "requested_by": by, "reason": reason}
    _order(account_id, said, event_id, wait, dry_run, as_json, bootstrap_servers, topic_prefix)


def erase(
    account_id: Account,
    by: By,
    reason: Reason,
    event_id: Id = None,
    wait: Wait = 15.0,
    dry_run: DryRun = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Forget the account: for good, at once, without asking back. Stop its sources first; what remains, docs/operations.md lists.

    [dim]Example:[/]  tierstream command erase acct-000042 --reason "case 4711" --by dpo
    """
    said = {"kind": "ERASE", "arguments": {}, "requested_by": by, "reason": reason}
    _order(account_id, said, event_id, wait, dry_run, as_json, bootstrap_servers, topic_prefix)


def _order(
    account_id: str,
    said: dict[str, Any],
    event_id: str | None,
    wait_s: float,
    dry_run: bool,
    as_json: bool,
    bootstrap_servers: str | None,
    topic_prefix: str | None,
) -> None:
    """Send the order, wait for the answer, tell both."""
    from uuid import uuid4

    from agents.clocks import wall_clock
    from agents.commanding import Listener, checked, sent

    settings = settings_from(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    command = checked(said | {"event_id": event_id or f"command-{uuid4()}", "account_id": account_id, "occurred_at": wall_clock()})
    if dry_run:
        _tell(command, None, None, as_json)
        raise typer.Exit(ExitCode.FINE)
    listener = Listener(settings, command, answered_before=event_id is not None) if wait_s else None
    place = sent(settings, command)
    answer = listener.answer(wait_s) if listener is not None else None
    _tell(command, f"commands:{place.partition}:{place.offset}", answer, as_json)
    if listener is not None and answer is None:
        err().print(f"No answer within {wait_s:g} s: does a worker run, with `--clock wall`? Say it again with --id {command.event_id}.")
    done = listener is None or (answer is not None and answer.kind == "DONE")
    raise typer.Exit(ExitCode.FINE if done else ExitCode.FOUND_A_PROBLEM)


def _tell(command: "Command", place: str | None, answer: "Action | None", as_json: bool) -> None:
    from schemas.json_values import to_json

    if as_json:
        print_json({"command": to_json(command), "sent_to": place, "answer": to_json(answer) if answer is not None else None})
        return
    named = "".join(f", {name} {content}" for name, content in command.arguments.items())
    sent_to = f"is sent ({place})" if place is not None else "would be sent"
    out().print(f"{command.kind} of {command.account_id}{named} {sent_to}, id {command.event_id}", markup=False)
    if answer is not None:
        out().print(f"{answer.kind}: {answer.reason}", style="green" if answer.kind == "DONE" else "red", markup=False)


def _expiry(until: str | None, lasts: str | None) -> int:
    """When it expires (epoch ms). Raises SettingsError unless exactly one of the two options says so."""
    from agents.clocks import wall_clock

    until_ms, lasts_ms = instant_ms("--until", until), length_ms("--for", lasts)
    if until_ms is not None and lasts_ms is None:
        return until_ms
    if lasts_ms is not None and until_ms is None:
        return wall_clock() + lasts_ms
    raise SettingsError("an override needs either --until TIME or --for DURATION")
