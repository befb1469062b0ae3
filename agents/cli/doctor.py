"""`tierstream doctor`: what is wrong with this deployment, and how it is mended."""

from typing import TYPE_CHECKING

import typer

from agents.cli.options import (
    ApplicationId,
    AsJson,
    BootstrapServers,
    Partitions,
    PolicyFile,
    ReplicationFactor,
    TopicPrefix,
    settings_from,
)
from agents.cli.output import count_of, out, plain_table, print_json, progress_bar
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.doctor.findings import Finding
    from agents.settings import Settings

COLOURS = {"fine": "green", "look": "yellow", "wrong": "bold red", "skipped": "dim"}


def doctor(
    policy: PolicyFile = None,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    replication_factor: ReplicationFactor = None,
    as_json: AsJson = False,
) -> None:
    """Check everything that a worker stands on, and say what is wrong and how to mend it (exit 1).

    Machine, libraries, policy, brokers, their limits, TLS and password, ACLs, topics and their copies, transactions, clocks, the state,
    what producers write. Run it as the worker's user, where the worker runs. It changes nothing.

    [dim]Example:[/]  tierstream doctor --policy sabc
    """
    settings = settings_from(
        bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix,
        partitions=partitions, replication_factor=replication_factor, policy=policy,
    )  # fmt: skip
    findings = _examined(settings)
    ill = [finding for finding in findings if finding.state == "wrong"]
    if as_json:
        print_json({"fine": not ill, "findings": [finding._asdict() for finding in findings]})
    else:
        _show(findings, len(ill))
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if ill else ExitCode.FINE)


def _examined(settings: "Settings") -> "list[Finding]":
    from agents.cli.policies import required_policy
    from agents.clocks import wall_clock
    from agents.doctor.examining import CHECKS, examined

    with progress_bar() as bar:
        task = bar.add_task("looking", total=len(CHECKS))
        return list(examined(settings, required_policy, wall_clock, lambda name: bar.update(task, advance=1, description=name)))


def _show(findings: "list[Finding]", ill: int) -> None:
    table = plain_table("check", "", "found", "to mend it")
    for finding in findings:
        table.add_row(finding.check, f"[{COLOURS[finding.state]}]{finding.state}[/]", _plain(finding.said), _plain(finding.mend))
    out().print(table)
    if ill:
        out().print(f"\n[bold red]{count_of(ill, 'problem')}.[/]")
    else:
        out().print("\n[bold green]Nothing is wrong.[/]")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
