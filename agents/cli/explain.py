"""`tierstream explain`: why an account is in its tier, what would change it and when, in words for people and as JSON."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.options import ApplicationId, AsJson, BootstrapServers, PolicyFile, TopicPrefix, settings_from
from agents.cli.output import err, out, plain_table, print_json, progress_bar
from agents.cli.policies import required_policy
from agents.dying import ExitCode

if TYPE_CHECKING:
    from agents.explaining import Explained
    from agents.settings import Settings

At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As of this instant (ISO 8601 with zone), not before the account's own clock.")
]
Url = Annotated[str | None, typer.Option("--url", help="A worker to ask. Default: where the settings say that one listens.")]
Evidence = Annotated[bool, typer.Option("--evidence", help="Also list every record of the account in the input topics.")]


def explain(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    at: At = None,
    policy: PolicyFile = None,
    url: Url = None,
    show_evidence: Evidence = False,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Why this tier, to the last point; what would lift it; when it falls if nothing happens.

    Asks a worker; where none answers, reads the changelog itself, which needs the policy. Exit 1: there is no such account.

    [dim]Example:[/]  tierstream explain acct-000042
    """
    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, policy=policy)
    explained = _explained(settings, account_id, _instant(at), url)
    records = _records(settings, account_id) if show_evidence and explained.view is not None else None
    if as_json:
        print_json({"source": explained.source, "account": explained.view} | ({"evidence": records} if records is not None else {}))
    elif explained.view is None:
        err().print(f"There is no account {account_id}, says {explained.source}.")
    else:
        _show(explained.view, explained.source)
        _show_evidence(records or [])
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if explained.view is None else ExitCode.FINE)


def _explained(settings: "Settings", account_id: str, at_ms: int | None, url: str | None) -> "Explained":
    from agents.explaining import asked, read

    answer = asked(url or f"http://{settings.web_host}:{settings.web_port}", account_id, at_ms)
    return answer or read(settings, required_policy(settings.policy), account_id, at_ms)


def _instant(at: str | None) -> int | None:
    from schemas.errors import SettingsError
    from schemas.instants import from_iso

    if at is None:
        return None
    try:
        return from_iso(at)
    except ValueError as wrong:
        raise SettingsError(f"--at must be ISO 8601 with a zone, such as 2026-11-22T09:00:00+08:00, got {at!r}") from wrong


def _records(settings: "Settings", account_id: str) -> list[dict[str, Any]]:
    from agents.explaining import evidence
    from schemas.topics import INPUTS

    with progress_bar() as bar:
        return list(
            bar.track(evidence(settings, tuple(name for name in INPUTS if name != "ticks"), account_id), description="reading inputs")
        )


def _show(view: dict[str, Any], source: str) -> None:
    console, name = out(), view["profile"].get("name")
    console.print(
        f"[bold]{view['account_id']}[/]" + (f"  {name}" if name else "") + f"  [dim]as of {_time(view['as_of'])}, from {source}[/]"
    )
    for scheme, standing in view["schemes"].items():
        _show_standing(scheme, standing)
    console.print(
        f"\n[bold]Score {_points(view['score_micro'])}[/] [dim]of 100, by policy {view['policy']['name']} {view['policy']['version']}[/]"
    )
    table = plain_table("points", "from", "what")
    for line in sorted(view["contributions"], key=lambda line: -abs(line["micro"])):
        times = f" ×{line['count']}" if line["count"] else ""
        table.add_row(_points(line["micro"]), line["dimension"], f"{line['line']}{times}")
    console.print(table)
    if view["pool"]:
        console.print(f"\nIn the pool since {_time(view['pool']['since_at'])}: {view['pool']['reason']}")
    for clock in view["clocks"]:
        if clock["due_at"]:
            console.print(f"Clock {clock['name']} runs since {_time(clock['since_at'])} and runs out on {_time(clock['due_at'])}")


def _show_standing(scheme: str, standing: dict[str, Any]) -> None:
    console = out()
    console.print(f"\n[bold cyan]{standing['published']}[/] on ladder {scheme}, change {standing['sequence']}")
    for stage in standing["trail"]:
        console.print(f"  [dim]{stage['stage']:<10}[/]{stage['tier']:<4} {stage['because']}")
    if above := standing["next_tier"]:
        console.print(f"  lifted to {above['tier']} by {_points(above['points_micro'])} more points")
    if coming := standing["forecast"]:
        keep = f", unless {_points(coming['points_to_keep_micro'])} more points" if coming.get("points_to_keep_micro") else ""
        console.print(f"  [yellow]{coming['to_tier']} on {_time(coming['at'])}{keep}[/] [dim]({coming['because']})[/]")
    else:
        console.print("  nothing changes by time alone")


def _show_evidence(records: list[dict[str, Any]]) -> None:
    if not records:
        return
    table = plain_table("occurred", "record", "what", title="\nEvidence")
    for record in sorted(records, key=lambda record: record.get("value", {}).get("occurred_at", record["appended_at"])):
        said = record.get("value") or {"refused": record["refused"], "message": record["message"]}
        what = ", ".join(f"{field} {content}" for field, content in said.items() if field not in _PLACED and content not in (None, [], {}))
        table.add_row(
            _time(said.get("occurred_at", record["appended_at"])), f"{record['topic']}:{record['partition']}:{record['offset']}", what
        )
    out().print(table)


_PLACED = ("account_id", "event_id", "occurred_at")


def _points(micro: int) -> str:
    from streams.units import points_text

    return points_text(micro)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
