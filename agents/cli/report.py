"""`tierstream report`: what the grading does to the business, asked of the topics or of files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.option_texts import durations, instant_ms, length_ms, shares
from agents.cli.options import ApplicationId, AsJson, BootstrapServers, PolicyFile, TopicPrefix, settings_from
from agents.cli.output import err, out, plain_table, progress_bar, reading_bar
from agents.cli.policies import required_policy
from agents.dying import ExitCode
from agents.reporting.reports import REPORTS, Report
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.reporting.asking import Answer
    from agents.reporting.filling import Filled
    from agents.settings import Settings
    from streams.policy import CompiledPolicy

ASKED, SOURCE, GIVEN = "What is asked", "Where from", "How it is given"

Name = Annotated[str | None, typer.Argument(metavar="[REPORT]", help=f"One of {', '.join(REPORTS)}; without one, they are listed.")]
Account = Annotated[str | None, typer.Argument(metavar="[ACCOUNT]", help="The account of `handover`.")]
From = Annotated[
    list[Path] | None,
    typer.Option("--from", metavar="FILE", rich_help_panel=SOURCE, help="Instead of Kafka: files of `export`, `replay`, or one of --save."),
]
Save = Annotated[Path | None, typer.Option("--save", metavar="FILE", rich_help_panel=SOURCE, help="Keep all that was read, for --from.")]
Scheme = Annotated[str | None, typer.Option(rich_help_panel=ASKED, help="The ladder. Default: the policy's first.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", rich_help_panel=ASKED, help="Where the period begins, ISO 8601 with a zone.")]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", rich_help_panel=ASKED, help="Where it ends, exclusive. Default: with the latest record.")
]
Last = Annotated[str | None, typer.Option(metavar="DURATION", rich_help_panel=ASKED, help="A period of this length instead, such as 30d.")]
Number = Annotated[int, typer.Option("-n", min=1, max=1_000_000, rich_help_panel=ASKED, help="How many (`top`), changes (`handover`).")]
ActorOf = Annotated[str, typer.Option("--actor", metavar="OWNER|CUSTOMER|SYSTEM|ALL", rich_help_panel=ASKED, help="Whose touches.")]
Within = Annotated[str, typer.Option(metavar="DURATION", rich_help_panel=ASKED, help="How long a campaign's touch earns orders.")]
Target = Annotated[
    str | None, typer.Option(metavar="S=2,A=8,...", rich_help_panel=ASKED, help="Target mix in percent. Default: `targets` of the policy.")
]
Every = Annotated[
    str | None, typer.Option(metavar="S=7d,A=14d,...", rich_help_panel=ASKED, help="Cadence asked for. Default: the policy's, or 002-18.")
]
AsCsv = Annotated[bool, typer.Option("--csv", rich_help_panel=GIVEN, help="Print CSV on stdout.")]
PictureFile = Annotated[Path | None, typer.Option("--picture", metavar="FILE", rich_help_panel=GIVEN, help="Also draw it: .png or .svg.")]


def report(
    name: Name = None,
    account: Account = None,
    source: From = None,
    policy: PolicyFile = None,
    save: Save = None,
    scheme: Scheme = None,
    since: Since = None,
    until: Until = None,
    last: Last = None,
    number: Number = 10,
    actor: ActorOf = "OWNER",
    within: Within = "90d",
    target: Target = None,
    every: Every = None,
    picture: PictureFile = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Ask what the grading does to the business: mix, effort, movement, cadence, revenue, campaigns, one account.

    The policy gives the order of the tiers, targets, currency and time zone. Exit 1: there is no such account.

    [dim]Examples:[/]  tierstream report pyramid --policy demo --picture pyramid.png
               tierstream report top -n 10 --policy sabc
               tierstream report handover acct-000042 --from log.jsonl --policy sabc
    """
    if name is None:
        _list()
        return
    from agents.reporting.asking import Asked, answered

    found = _named(name, account, as_csv and as_json)
    mix = shares("--target", target)
    asked = Asked(
        scheme=scheme, since_ms=instant_ms("--since", since), until_ms=instant_ms("--until", until), last_ms=length_ms("--last", last),
        n=number, actor=_actor(actor), account=account or "", within_ms=length_ms("--within", within) or 0,
        accounts=mix if name == "pyramid" else None, effort=mix if name == "effort" else None, every=durations("--every", every),
    )  # fmt: skip
    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, policy=policy)
    compiled = required_policy(settings.policy) if settings.policy else None
    filled = _filled(settings, found, source, compiled, save)
    answer = answered(found, filled.model, asked, compiled, filled.left_out)
    _give(answer, as_json, as_csv, picture)
    _end(answer, account)


def _list() -> None:
    table = plain_table("report", "answers", "fact")
    for each in REPORTS.values():
        table.add_row(f"[bold]{each.name}[/]", each.question, each.fact)
    out().print(table)


def _named(name: str, account: str | None, both_forms: bool) -> Report:
    problems = [f"REPORT must be one of {', '.join(REPORTS)}, got {name!r}"] if name not in REPORTS else []
    if (name == "handover") != (account is not None):
        problems.append("handover takes an account: `tierstream report handover ACCOUNT`; the other reports take none")
    if both_forms:
        problems.append("--json and --csv are two forms of the same: give one")
    if problems:
        raise SettingsError(problems)
    return REPORTS[name]


def _actor(actor: str) -> str:
    from typing import get_args

    from schemas.records import Actor

    if actor.upper() not in (known := (*get_args(Actor), "ALL")):
        raise SettingsError(f"--actor must be one of {', '.join(known)}, got {actor!r}")
    return actor.upper()


def _filled(
    settings: "Settings", report: Report, source: list[Path] | None, policy: "CompiledPolicy | None", save: Path | None
) -> "Filled":
    from agents.reporting.filling import of_broker, of_files

    topics = report.reads if save is None else tuple(dict.fromkeys(topic for each in REPORTS.values() for topic in each.reads))
    if source:
        with progress_bar() as bar:
            task = bar.add_task("reading", total=sum(path.stat().st_size for path in source if path.is_file()))
            graded = report.graded or (save is not None and policy is not None)
            filled = of_files(source, topics, policy, lambda read: bar.advance(task, read), graded=graded)
    else:
        with reading_bar("reading the topics") as reading:
            filled = of_broker(settings, topics, policy, reading)
    if save is not None:
        filled.model.save(save)
    return filled


def _give(answer: "Answer", as_json: bool, as_csv: bool, picture: Path | None) -> None:
    import sys

    from agents.cli.report_shown import print_answer, show_answer, write_csv

    if picture is not None:
        from agents.reporting.pictures import draw

        draw(answer, picture)
    if as_json:
        print_answer(answer)
    elif as_csv:
        write_csv(answer, sys.stdout)
    else:
        show_answer(out(), answer)


def _end(answer: "Answer", account: str | None) -> None:
    """Leave, and say so where nobody knows the account."""
    if account is None or answer.rows:
        return
    err().print(f"tierstream: there is no account {account} in what was read", markup=False)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM)
