"""`tierstream explain`: why an account is in its tier, what would change it and when, in words for people and as JSON.

Quick where a worker answers: then no Kafka client and no engine is loaded.
"""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from agents.cli.option_texts import instant_ms
from agents.cli.options import ApplicationId, AsJson, BootstrapServers, PolicyFile, TopicPrefix, settings_from
from agents.cli.output import err, out, print_json, reading_bar
from agents.cli.policies import required_policy
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.settings import Settings

At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="As of this instant (ISO 8601 with zone): ahead, what it will be if nothing happens."),
]
Url = Annotated[str | None, typer.Option("--url", help="A worker to ask, any of them. Default: where the settings say that one listens.")]
Evidence = Annotated[bool, typer.Option("--evidence", help="Also list every record of the account in the input topics.")]


class Explained(NamedTuple):
    """What is known of an account (None: there is none), who says so (`worker` or `changelog`, where), and why no worker, if so."""

    view: dict[str, Any] | None
    kind: str
    place: str
    because: str | None = None

    @property
    def source(self) -> str:
        """Who says so, for people."""
        return f"the worker at {self.place}" if self.because is None else f"the changelog, {self.place}, as {self.because}"


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

    [dim]Examples:[/]  tierstream explain acct-000042
               tierstream explain acct-000042 --at 2026-12-31T00:00:00+08:00 --evidence
    """
    settings = settings_from(bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, policy=policy)
    at_ms = _instant(at)
    explained = _explained(settings, account_id, at_ms, url)
    records = _records(settings, account_id) if show_evidence else None
    if as_json:
        source = {"kind": explained.kind, "place": explained.place, "because": explained.because}
        print_json({"source": source, "asked_at": at_ms, "account": explained.view} | ({} if records is None else {"evidence": records}))
    else:
        _show(account_id, explained, at_ms, records)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if explained.view is None else ExitCode.FINE)


def _explained(settings: "Settings", account_id: str, at_ms: int | None, url: str | None) -> Explained:
    from agents.asking import Answer, asked

    where = url or f"http://{settings.web_host}:{settings.web_port}"
    answer = asked(where, f"{settings.topic_prefix}{settings.application_id}", account_id, at_ms)
    if isinstance(answer, Answer):
        return Explained(answer.view, "worker", where)
    if settings.policy is None:
        raise SettingsError(
            f"{answer.because}, and to read the changelog instead needs the policy: name a worker (--url), "
            "or the policy that the workers run with (--policy FILE or TIERSTREAM_POLICY)"
        )
    from agents.explaining import Watcher, restored

    with reading_bar("reading the changelog") as bar:
        found = restored(settings, required_policy(settings.policy), account_id, at_ms, Watcher(bar.on_total, bar.on_read))
    return Explained(found.view, "changelog", found.place, answer.because)


def _instant(at: str | None) -> int | None:
    from schemas.limits import YEAR_2200_MS

    at_ms = instant_ms("--at", at)
    if at_ms is not None and not 0 <= at_ms < YEAR_2200_MS:
        raise SettingsError(f"--at must be in the years 1970 to 2199, got {at}")
    return at_ms


def _records(settings: "Settings", account_id: str) -> list[dict[str, Any]]:
    from agents.explaining import Watcher, evidence
    from schemas.topics import INPUTS

    with reading_bar("reading the inputs") as bar:
        inputs = tuple(name for name in INPUTS if name not in ("policies", "ticks"))
        return list(evidence(settings, inputs, account_id, Watcher(bar.on_total, bar.on_read)))


def _show(account_id: str, explained: Explained, at_ms: int | None, records: list[dict[str, Any]] | None) -> None:
    from agents.cli.explanation import show, show_records

    if explained.view is None:
        err().print(f"There is no account {account_id}, says {explained.source}.", markup=False)
    else:
        show(out(), explained.view, at_ms)
    if records is not None:
        show_records(out(), records, explained.view)
    if explained.view is not None:
        out().print(f"\n[dim]Says {explained.source}.[/]")
