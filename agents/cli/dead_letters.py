"""`tierstream dead-letters list|show|replay`: what was refused and why, and its records back where they came from."""

from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.option_texts import instant_ms
from agents.cli.options import AsJson, BootstrapServers, TopicPrefix, settings_from
from agents.cli.output import err, print_json, reading_bar
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.letters.reading import Wanted

HELP = """
Records that were refused: see them, see why, and put them back once what refused them is mended.

Nothing is lost by a refusal: the topic [bold]dead-letters[/] keeps key, payload and headers as they came, with the reason.

[dim]Example:[/]  tierstream dead-letters list --reason UNKNOWN_SCHEMA
         tierstream dead-letters replay --reason UNKNOWN_SCHEMA --dry-run
"""

WHICH = "Which letters (all of it must fit)"
Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="PARTITION:OFFSET", help="Letters by their place, as `list` shows it; all if none is named."),
]
Place = Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="The letter's place, as `list` shows it.", show_default=False)]
Topic = Annotated[list[str] | None, typer.Option(help="From this input topic. Repeatable.", rich_help_panel=WHICH)]
Partition = Annotated[list[int] | None, typer.Option(min=0, help="From this partition. Repeatable.", rich_help_panel=WHICH)]
Reason_ = Annotated[list[str] | None, typer.Option(help="Refused for this reason. Repeatable.", rich_help_panel=WHICH)]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Refused at or after, ISO 8601 with a zone.", rich_help_panel=WHICH)]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Refused before, ISO 8601 with a zone.", rich_help_panel=WHICH)]
Account = Annotated[str | None, typer.Option(help="Of this account, by key or content.", rich_help_panel=WHICH)]
ListLimit = Annotated[int, typer.Option(min=0, help="Show so many; all are counted.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Put back at most so many: try one first.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be put back, and what would be refused again; change nothing.")]
Again = Annotated[bool, typer.Option("--again", help="Put back also what was put back before.")]
ByKey = Annotated[
    bool, typer.Option("--by-key", help="To the partition where the key belongs, not where the record lay: mends WRONG_PARTITION.")
]


def create_dead_letters_commands() -> typer.Typer:
    """The `dead-letters` group."""
    commands = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    commands.command("list")(list_letters)
    commands.command("show")(show)
    commands.command("replay")(replay)
    return commands


def list_letters(
    topic: Topic = None,
    partition: Partition = None,
    reason: Reason_ = None,
    since: Since = None,
    until: Until = None,
    account: Account = None,
    limit: ListLimit = 50,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """List refused records with reason and state: waiting, returned (put back), or refused again after it was put back.

    [dim]Examples:[/]  tierstream dead-letters list --topic orders --since 2026-11-01T00:00:00+08:00
               tierstream dead-letters list --account acct-000042 --json
    """
    from agents.cli.dead_letters_shown import listed, show_list
    from agents.letters.listing import listing

    wanted = wanted_of(None, topic, partition, reason, since, until, account)
    settings = settings_from(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    with reading_bar("reading dead letters") as bar:
        found = listing(settings, wanted, limit, bar.on_total, bar.on_read)
    if as_json:
        print_json(listed(found))
    else:
        show_list(found)
    raise typer.Exit(ExitCode.FINE)


def show(place: Place, bootstrap_servers: BootstrapServers = None, topic_prefix: TopicPrefix = None, as_json: AsJson = False) -> None:
    """Show one letter whole: why it was refused, whether it would be refused again, key, headers and content. Exit 1: there is none.

    [dim]Example:[/]  tierstream dead-letters show 3:17
    """
    from agents.cli.dead_letters_shown import show_letter, told
    from agents.letters.listing import found_at

    settings = settings_from(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    (known,) = _places([place])
    with reading_bar("reading dead letters") as bar:
        found = found_at(settings, known, bar.on_total, bar.on_read)
    if found is None:
        err().print(f"There is no letter {place} in {settings.topic_name('dead-letters')}: `tierstream dead-letters list` shows them.")
        raise typer.Exit(ExitCode.FOUND_A_PROBLEM)
    if as_json:
        print_json(told(found))
    else:
        show_letter(found)
    raise typer.Exit(ExitCode.FINE)


def replay(
    places: Places = None,
    topic: Topic = None,
    partition: Partition = None,
    reason: Reason_ = None,
    since: Since = None,
    until: Until = None,
    account: Account = None,
    dry_run: DryRun = False,
    again: Again = False,
    by_key: ByKey = False,
    limit: Limit = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    as_json: AsJson = False,
) -> None:
    """Put refused records back on the topics and partitions they came from, with key, payload and headers as they were.

    Each letter once: interrupt it, repeat it, nothing is lost or doubled, and a second replay changes nothing. What is still wrong is
    refused again, as a new letter. Exit 1: letters that were wanted cannot be put back.

    [dim]Examples:[/]  tierstream dead-letters replay --reason UNKNOWN_SCHEMA --dry-run
               tierstream dead-letters replay --topic orders --since 2026-11-01T00:00:00+08:00
    """
    from agents.cli.dead_letters_shown import outcome_told, show_outcome
    from agents.letters.returning import HARMLESS, How, Return

    wanted = wanted_of(places, topic, partition, reason, since, until, account)
    settings = settings_from(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    back = Return(settings, wanted, How(again, by_key, limit))
    with reading_bar("looking at dead letters" if dry_run else "putting records back") as bar:
        outcome = (back.look if dry_run else back.run)(bar.on_total, bar.on_read)
    if as_json:
        print_json(outcome_told(outcome, dry_run))
    else:
        show_outcome(outcome, dry_run)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if set(outcome.left) - HARMLESS else ExitCode.FINE)


def wanted_of(
    places: list[str] | None,
    topics: list[str] | None,
    partitions: list[int] | None,
    reasons: list[str] | None,
    since: str | None,
    until: str | None,
    account: str | None,
) -> "Wanted":
    """Which letters the options ask for. Raises SettingsError with everything that is no topic, reason or time."""
    from agents.letters.reading import Wanted
    from schemas.errors import Reason
    from schemas.topics import INPUTS

    problems = [f"--topic must be an input topic ({', '.join(INPUTS)}), got {name}" for name in topics or [] if name not in INPUTS]
    problems += [f"--reason must be one of {', '.join(Reason)}, got {name}" for name in reasons or [] if name not in list(Reason)]
    if problems:
        raise SettingsError(problems)
    return Wanted(
        places=_places(places or []),
        topics=frozenset(topics or []),
        partitions=frozenset(partitions or []),
        reasons=frozenset(map(Reason, reasons or [])),
        since_ms=instant_ms("--since", since),
        until_ms=instant_ms("--until", until),
        account=account,
    )


def _places(texts: list[str]) -> frozenset[str]:
    for text in texts:
        partition, _, offset = text.partition(":")
        if not (partition.isdecimal() and offset.isdecimal()):
            raise SettingsError(f"a letter's place must be PARTITION:OFFSET as `tierstream dead-letters list` shows it, got {text!r}")
    return frozenset(f"{int(text.partition(':')[0])}:{int(text.partition(':')[2])}" for text in texts)
