"""A policy on the screen: its ladders, then what lifts, what lowers and what is done, in sentences; then what is odd about it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agents.cli.output import count_of, plain_table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from streams.policy import CompiledPolicy, PolicyDocument
    from streams.policy.linting import Finding

_HEADINGS = {
    "clocks": "Which clocks run",
    "lifts": "What lifts an account",
    "lowers": "What lowers it, or holds it down",
    "follows": "What is done about it",
    "is": "What the words mean",
}


def show_policy(console: "Console", compiled: "CompiledPolicy", found: "list[Finding]") -> None:
    """All of it."""
    from rich.text import Text

    console.print(f"[bold]{compiled.name}[/] {compiled.version}  digest {compiled.digest}  reviewed on {compiled.reviewed_on}")
    if compiled.document.description:
        console.print(f"[dim]{compiled.document.description.strip()}[/]")
    for part in _shown(compiled.document):
        console.print()
        console.print(part)
    console.print(f"\nreads [cyan]{', '.join(compiled.inputs)}[/]")
    for finding in found:
        console.print(
            Text.assemble(("warning", "yellow"), f" {finding.path} ({finding.fact}): {finding.text}. To mend it: {finding.mend}.")
        )
    console.print(f"[yellow]The policy is fine, with {count_of(len(found), 'warning')}.[/]" if found else "[green]The policy is fine.[/]")


def _shown(document: "PolicyDocument") -> "Iterator[RenderableType]":
    from streams.policy.explaining import explained

    for name, scheme in document.schemes.items():
        yield _ladder(name, scheme)
    if document.score:
        weights = plain_table("dimension", "weight", title="Score, 0 to 100")
        for name, weight in document.score.items():
            weights.add_row(name, f"{weight:.0%}")
        yield weights
    sentences = explained(document)
    for about, heading in _HEADINGS.items():
        table = plain_table("", "", title=heading)
        table.show_header = False
        for each in sentences:
            if about == ("clocks" if each.path.startswith("clocks.") else each.effect):
                table.add_row(f"[bold]{each.subject}[/]", each.text)
        if table.row_count:
            yield table


def _ladder(name: str, scheme: Any) -> "Table":
    """The tiers, highest first, with the limits that they have."""
    words = {"enter_at": "from score", "leave_below": "lost below", "treatment": "treatment"}
    columns = [part for part in words if any(getattr(tier, part, None) is not None for tier in scheme.tiers)]
    table = plain_table("tier", *(words[part] for part in columns), title=f"Ladder {name}")
    for tier in reversed(scheme.tiers):
        table.add_row(f"[bold]{tier.name}[/]", *(_cell(getattr(tier, part, None)) for part in columns))
    return table


def _cell(limit: Any) -> str:
    if limit is None:
        return "-"
    return f"{limit:g}" if isinstance(limit, float | int) else str(limit)
