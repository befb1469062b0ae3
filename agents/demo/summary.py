"""What the demo says at the end: figures read back from Kafka, the audit's word, and what to try next."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from agents.demo.running import Summary
from agents.demo.screen import pyramid_panel

NEXT = """
[bold]Try next[/]
  [cyan]tierstream policy check demo[/]      what the policy says
  [cyan]tierstream demo --policy FILE[/]     the same accounts under your policy
  [cyan]tierstream demo --rate 2000[/]       more of it
  [cyan]tierstream broker up[/]              a Kafka that stays; then [cyan]topics create[/],
                                    [cyan]worker --policy sabc[/], [cyan]generate[/], [cyan]audit[/]
  docs/tutorial.md                  from here to your own orders and your own policy
"""


def told(summary: Summary) -> dict[str, Any]:
    """The summary for scripts."""
    watch = summary.watch
    return {
        "fine": is_fine(summary),
        "seconds_to_first_transition": None if summary.first_after_s is None else round(summary.first_after_s, 2),
        "events": summary.sent,
        "folded": watch.folded,
        "transactions": watch.transactions,
        "transitions": summary.audit.transitions,
        "directions": dict(summary.audit.directions),
        "causes": dict(summary.audit.causes),
        "tiers": {tier: count for tier, count in watch.tiers.items() if count},
        "lag_ms": {"p50": watch.lag_ms(0.50), "p99": watch.lag_ms(0.99)},
        "hot_leads": watch.leads,
        "hot_leads_in_redis": None if summary.leads is None else summary.leads.count,
        "spoilt": _by_name(summary.faults),
        "dead_letters": _by_name(watch.dead),
        "breaches": [breach._asdict() for breach in summary.audit.breaches],
        "interrupted": summary.interrupted,
    }


def is_fine(summary: Summary) -> bool:
    """Whether what was promised has been seen. Whoever ends it early waits for nothing."""
    return not summary.audit.breaches and (summary.interrupted or (summary.complete and summary.watch.dead == summary.faults))


def show(console: Console, summary: Summary, ladder: tuple[str, ...]) -> None:
    """The summary for people."""
    watch, audit = summary.watch, summary.audit
    console.print()
    console.print(pyramid_panel(watch, ladder, min(console.width, 80) - 4), width=min(console.width, 80))
    console.print(_figures(summary))
    console.print()
    if audit.breaches:
        console.print(f"[bold red]The audit found {len(audit.breaches)} breaches:[/]")
        for breach in audit.breaches[:10]:
            console.print(
                f"  {breach.rule} at {breach.partition}:{breach.offset}, account {breach.account_id}: {breach.message}", markup=False
            )
    else:
        console.print(
            f"[bold green]Audit:[/] {audit.transitions:,} transitions of {audit.accounts:,} accounts: every chain gapless,\n"
            "       every id its own, every ledger sums exactly to its score."
        )
    if not summary.complete and not summary.interrupted:
        console.print(f"[bold red]Not everything was folded in time: {watch.folded:,} of {summary.sent:,} events.[/]")
    console.print("Nothing is left running." if not summary.interrupted else "Ended early; nothing is left running.")
    console.print(NEXT)


def _figures(summary: Summary) -> Table:
    watch, audit = summary.watch, summary.audit
    table = Table.grid(padding=(0, 3))
    first = "-" if summary.first_after_s is None else f"{summary.first_after_s:.1f} s after the command was given"
    p50, p99 = watch.lag_ms(0.50), watch.lag_ms(0.99)
    rate = summary.sent / summary.fed_s if summary.fed_s else 0.0
    table.add_row("first transition", first)
    table.add_row("events", f"{watch.folded:,} folded of {summary.sent:,} ({rate:,.0f}/s) in {watch.transactions:,} transactions")
    table.add_row("transitions", f"{audit.transitions:,}: {_counts(audit.directions)}")
    table.add_row("because of", _counts(audit.causes))
    table.add_row("lag, append to readable", "-" if p50 is None else f"p50 {p50} ms, p99 {p99} ms")
    in_redis = "no Redis comes in a wheel for this machine" if summary.leads is None else f"{summary.leads.count:,} of them in Redis"
    table.add_row("hot leads", f"{watch.leads:,}, {in_redis}")
    equal = "each with its reason" if watch.dead == summary.faults else f"[red]expected {_counts(_by_name(summary.faults))}[/]"
    table.add_row("dead letters", f"{watch.dead.total():,} of {summary.faults.total():,} spoilt on purpose, {equal}")
    return table


def _by_name(counted: Counter[Any]) -> Counter[str]:
    return Counter({str(reason.value): count for reason, count in counted.items() if count})


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name.lower()}" for name, count in counted.most_common() if count) or "none"
