"""`tierstream project`: current tiers, best accounts and hot leads into Redis; `tierstream tiers` and `tierstream top` read them there."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.options import WHERE, ApplicationId, AsJson, BootstrapServers, Partitions, TopicPrefix, settings_from
from agents.cli.output import out, plain_table, print_json
from agents.cli.worker import WebPort
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.projecting.store import Store

Rebuild = Annotated[
    bool, typer.Option("--rebuild", help="Begin from the beginning of the topics; what Redis holds stays readable meanwhile.")
]
Supervised = Annotated[bool, typer.Option("--supervised", help="Start it again whenever it ends by itself.")]
RedisUrl = Annotated[
    str | None,
    typer.Option(
        "--redis-url",
        envvar="TIERSTREAM_REDIS_URL",
        rich_help_panel=WHERE,
        show_default=False,
        help="redis://:password@host:port/database, rediss:// for TLS. Default redis://127.0.0.1:6379/0.",
    ),
]
RedisPrefix = Annotated[
    str | None,
    typer.Option(
        "--redis-prefix",
        envvar="TIERSTREAM_REDIS_PREFIX",
        rich_help_panel=WHERE,
        show_default=False,
        help="Begins every key. Default tierstream.",
    ),
]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.", show_default=False)]
Scheme = Annotated[str, typer.Argument(metavar="SCHEME", help="The ladder, as the policy names it (sabc).", show_default=False)]


def project(
    rebuild: Rebuild = False,
    supervised: Supervised = False,
    bootstrap_servers: BootstrapServers = None,
    application_id: ApplicationId = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    redis_url: RedisUrl = None,
    redis_prefix: RedisPrefix = None,
    web_port: WebPort = None,
) -> None:
    """Keep what workers publish in Redis, for tools that ask for one account, the best accounts or an owner's hot leads.

    Redis then has a hash for each account (tiers, scores, why), sorted sets of the best by scheme, tier and owner, a stream of hot leads
    for each owner, and a channel of changes; docs/consuming.md lists the keys. Start as many as you like: they share the partitions, and
    what one writes twice or late changes nothing. A Redis that was emptied is filled again by itself. Give it a --web-port of its own.

    [dim]Examples:[/]  tierstream project --supervised --web-port 6067
               tierstream project --rebuild --redis-url redis://cache.example:6379/2
    """
    settings = settings_from(
        bootstrap_servers=bootstrap_servers, application_id=application_id, topic_prefix=topic_prefix, partitions=partitions,
        redis_url=redis_url, redis_prefix=redis_prefix, web_port=web_port,
    )  # fmt: skip
    if supervised:
        raise typer.Exit(_supervise())
    from agents.projecting.process import run_projection

    raise typer.Exit(run_projection(settings, rebuild=rebuild))


def _supervise() -> int:
    """The same command line without `--supervised`, kept running. What begins anew does so once."""
    from agents import logs
    from agents.supervisor import Supervisor

    logs.log_to_stderr()
    arguments = [argument for argument in sys.argv[1:] if argument != "--supervised"]
    if "--rebuild" in arguments:
        raise SettingsError("--rebuild begins anew at every start: say it without --supervised")
    return Supervisor([sys.executable, "-m", "agents.cli", *arguments]).run()


def tiers(account_id: Account, redis_url: RedisUrl = None, redis_prefix: RedisPrefix = None, as_json: AsJson = False) -> None:
    """Say where an account stands on every ladder, from Redis; `explain` says why, from the worker.

    [dim]Example:[/]  tierstream tiers acct-000042
    """
    store = _store(redis_url, redis_prefix)
    found = _asked(store, lambda: store.account(account_id))
    if found is None:
        raise SettingsError(f"Redis at {store.address} knows no account {account_id}: does `tierstream project` run?")
    if as_json:
        print_json(found)
        return
    from schemas.instants import to_iso

    table = plain_table("scheme", "tier", "earned", "score", "since", title=f"{account_id}, owner {found['owner_id'] or '-'}")
    for scheme in (name.removesuffix(":tier") for name in sorted(found) if name.endswith(":tier")):
        since = int(found[f"{scheme}:since"])
        shown = to_iso(since) if since else "entry"
        table.add_row(scheme, found[f"{scheme}:tier"], found[f"{scheme}:earned_tier"], found[f"{scheme}:score"] or "-", shown)
    out().print(table)


def top(
    scheme: Scheme,
    owner: Annotated[str | None, typer.Option(help="Only this owner's accounts.", show_default=False)] = None,
    tier: Annotated[str | None, typer.Option(help="Only this tier.", show_default=False)] = None,
    count: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many.")] = 10,
    redis_url: RedisUrl = None,
    redis_prefix: RedisPrefix = None,
    as_json: AsJson = False,
) -> None:
    """List the accounts with the highest scores on a ladder, from Redis: of all, of a tier, of an owner.

    [dim]Example:[/]  tierstream top sabc --tier A -n 20
    """
    store = _store(redis_url, redis_prefix)
    found = _asked(store, lambda: store.best(scheme, owner, tier, count))
    if as_json:
        print_json([{"account_id": account, "score": score} for account, score in found])
        return
    table = plain_table("account", "score")
    for account, score in found:
        table.add_row(account, f"{score:.1f}")
    out().print(table if found else f"Nobody is on this board of {scheme}.", markup=False)


def _store(redis_url: str | None, redis_prefix: str | None) -> "Store":
    from agents.projecting.store import Store

    return Store(settings_from(redis_url=redis_url, redis_prefix=redis_prefix))


def _asked(store: "Store", ask: "Callable[[], Any]") -> Any:
    from agents.projecting.store import Away

    try:
        return ask()
    except Away:
        raise SettingsError(store.problems() or "Redis went away: ask again") from None
