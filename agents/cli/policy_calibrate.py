"""`tierstream policy calibrate`: breakpoints from real data, ready to be pasted into a policy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.ingest_orders import Columns, DateFormat, Separator, Status, Zone
from agents.cli.options import AsJson
from agents.cli.output import err, out, plain_table, print_json, progress_bar
from agents.cli.policies import required_policy
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from streams.policy import CompiledPolicy
    from streams.policy.quantiles import Breakpoints

KINDS = ("percentile", "bands", "rfm")

Given = Annotated[Path, typer.Argument(metavar="POLICY", help="The policy whose measures are meant: a file, or a shipped one.")]
Log = Annotated[
    Path, typer.Argument(metavar="FILE", help="A file as `replay` reads it, or an order history FILE.csv as `ingest orders` does.")
]
Measures = Annotated[list[str] | None, typer.Option("--measure", "-m", help="Which measure; repeatable. Default: all of the policy.")]
Kind = Annotated[str, typer.Option(metavar="|".join(KINDS), help="What the breakpoints are for.")]
Classes = Annotated[int, typer.Option(min=2, max=100, help="Into how many classes of equally many accounts.")]
Currency = Annotated[str | None, typer.Option(help="Of amounts whose line names none. Default: the policy's.")]


def calibrate(
    policy: Given,
    file: Log,
    measure: Measures = None,
    kind: Kind = "percentile",
    classes: Classes = 5,
    currency: Currency = None,
    columns: Columns = None,
    separator: Separator = "comma",
    date_format: DateFormat = None,
    timezone: Zone = "UTC",
    status: Status = "PAID",
    as_json: AsJson = False,
) -> None:
    """Fold real records by a policy, and print where its measures divide the accounts into classes of equal size.

    What is printed is YAML for a dimension of kind percentile or bands, or for a part of rfm. Times are written in days, and the shorter
    the better. Exit 1 if records were refused.

    [dim]Example:[/]  tierstream policy calibrate orders-rfm shop.csv --measure revenue_12m --kind rfm
               --columns account_id=customer,occurred_at=date,amount=total --date-format %Y%m%d
    """
    from streams.policy.quantiles import breakpoints

    if kind not in KINDS:
        raise SettingsError(f"--kind must be one of {', '.join(KINDS)}, got {kind!r}")
    compiled = required_policy(policy)
    chosen = _chosen(compiled, measure)
    if file.suffix.lower() in (".csv", ".tsv", ".txt"):
        from agents.cli.ingest_orders import reading_of
        from agents.reporting.calibrating import numbers_of_orders

        reading = reading_of(columns, separator, date_format, timezone, currency or compiled.document.currency, status)
        numbers, refused = numbers_of_orders(compiled, file, reading, chosen)
    else:
        from agents.reporting.calibrating import numbers_of_log

        with progress_bar() as bar:
            task = bar.add_task("folding", total=file.stat().st_size if file.is_file() else None)
            numbers, refused = numbers_of_log(compiled, file, chosen, lambda read: bar.advance(task, read))
    _give(compiled, [breakpoints(name, its, classes) for name, its in numbers.items()], kind, refused, as_json)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if refused else ExitCode.FINE)


def _chosen(policy: "CompiledPolicy", named: list[str] | None) -> list[str]:
    known = list(policy.document.measures)
    if unknown := [name for name in named or [] if name not in known]:
        raise SettingsError(f"--measure must be a measure of {policy.name} ({', '.join(known) or 'it has none'}), got {', '.join(unknown)}")
    if not known:
        raise SettingsError(f"policy {policy.name} has no measures: write those that are to be graded by into it first")
    return named or known


def _give(policy: "CompiledPolicy", found: "list[Breakpoints]", kind: str, refused: int, as_json: bool) -> None:
    import yaml

    from streams.policy.quantiles import snippet

    times = {name: hasattr(spec, "since") for name, spec in policy.document.measures.items()}
    divides = 1 if kind == "percentile" else 2  # the smallest and the largest are the ends of a percentile, and no ends of classes
    snippets = {each.measure: snippet(kind, each, is_time=times[each.measure]) for each in found if len(each.points) > divides}
    if as_json:
        print_json({"kind": kind, "refused": refused, "measures": [each._asdict() for each in found], "snippets": snippets})
        return
    for each in found:
        _show(policy, each)
    for name, said in snippets.items():
        out().print(f"\n[bold]{name}[/]")
        print(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120).rstrip())
    for each in found:
        if each.measure not in snippets:
            err().print(f"{each.measure} is much the same for every account: nothing divides them.")
    if refused:
        err().print(f"[yellow]left out[/] {refused:,} records that were refused")


def _show(policy: "CompiledPolicy", found: "Breakpoints") -> None:
    from streams.words import Words

    words = Words(policy.document.measures, policy.document.currency)
    endless = f", {found.endless:,} of them without any" if found.endless else ""
    table = plain_table("at or below", "of the accounts", title=f"{found.measure}: {found.accounts:,} accounts{endless}")
    for at, percent in found.points:
        table.add_row(words.number(found.measure, at), f"{percent:.1f} %")
    out().print(table)
