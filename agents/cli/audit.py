"""`tierstream audit`: proves that what was published holds together, or names what does not."""

from typing import TYPE_CHECKING

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, TopicPrefix, settings_from
from agents.cli.output import out, plain_table, print_json, progress_bar
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.auditing import Audit, Breach

SHOWN = 50


def audit(
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Read every committed tier transition and prove the promises, or name each breach with its coordinates (exit 1).

    Promises: sequences are gapless from 1, each transition starts where the one before ended, ids are unique and right, time
    never goes back, contributions sum exactly to the score.

    [dim]Example:[/]  tierstream audit --json
    """
    from agents.auditing import audited
    from agents.reading import committed_messages
    from agents.registry import codec_for
    from streams.intake import RawRecord

    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix)
    name = settings.topic_name("tier-transitions")
    with progress_bar() as bar:
        task = bar.add_task(f"reading {name}", total=None)
        messages = bar.track(
            committed_messages(settings, "tier-transitions", on_total=lambda total: bar.update(task, total=total)), task_id=task
        )
        raw = (
            RawRecord("tier-transitions", message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value())
            for message in messages
        )
        found = audited(raw, codec_for(settings))
    if as_json:
        print_json(_summary(name, found))
    else:
        _show(name, found)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if found.breaches else ExitCode.FINE)


def _summary(name: str, found: "Audit") -> dict[str, object]:
    return {
        "fine": not found.breaches,
        "topic": name,
        "transitions": found.transitions,
        "accounts": found.accounts,
        "chains": found.chains,
        "tiers": {f"{scheme}.{tier}": count for (scheme, tier), count in sorted(found.tiers.items())},
        "causes": dict(found.causes),
        "breaches": [{**breach._asdict(), "place": place(name, breach)} for breach in found.breaches],
    }


def _show(name: str, found: "Audit") -> None:
    console = out()
    for breach in found.breaches[:SHOWN]:
        console.print(f"[red]{breach.rule}[/] {place(name, breach)} account {breach.account_id}: ", end="")
        console.print(breach.message, markup=False)
    if len(found.breaches) > SHOWN:
        console.print(f"... and {len(found.breaches) - SHOWN:,} more: --json lists them all")
    table = plain_table("", "")
    table.show_header = False
    table.add_row("transitions", f"{found.transitions:,}")
    table.add_row("accounts", f"{found.accounts:,}")
    table.add_row("chains", f"{found.chains:,}")
    table.add_row("directions", _counts(found.directions))
    table.add_row("causes", _counts(found.causes))
    console.print(table)
    if found.breaches:
        console.print(f"[bold red]Breaches: {len(found.breaches):,}.[/]")
    elif not found.transitions:
        console.print(f"There is nothing to audit: {name} is empty.")
    else:
        console.print("[bold green]Every chain is gapless and whole, every id is its own, every ledger sums to its score.[/]")


def _counts(counted: "dict[str, int]") -> str:
    return "  ".join(f"{name} {count:,}" for name, count in sorted(counted.items(), key=lambda entry: -entry[1])) or "none"


def place(name: str, breach: "Breach") -> str:
    """`topic:partition:offset`."""
    return f"{name}:{breach.partition}:{breach.offset}"
