"""An answer on the screen, as JSON or as CSV. JSON and CSV have exact numbers, the screen has those that people say."""

from typing import TYPE_CHECKING, Any, TextIO

from agents.cli.output import plain_table, print_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from agents.reporting.asking import Answer
    from agents.reporting.reports import Column

_LEFT = ("text", "instant")
_FOLDING = ("name", "what")
"""Columns that may break; in the others a number or a name stays whole."""


def show_answer(console: "Console", answer: "Answer") -> None:
    """The question, its period, the table, what was left out."""
    console.print(f"[bold]{answer.report.question}[/]")
    console.print(f"[dim]{_about(answer)}[/]\n")
    console.print(_matrix(answer) if answer.report.name == "movement" else _table(answer))
    if not answer.rows:
        console.print("Nothing.")
    for what, count in sorted(answer.left_out.items()):
        console.print(f"[yellow]left out[/] {count:,} {what}", markup=True)


def _about(answer: "Answer") -> str:
    said = [f"ladder {answer.scheme}"] if answer.scheme and answer.report.name != "handover" else []
    if answer.report.span != "none":
        from agents.cli.wording import Clock

        clock = Clock(answer.timezone, 0)
        said.append(f"{clock.on(answer.since_ms)} to {clock.on(answer.until_ms)} ({answer.timezone})")
    return ", ".join(said)


def _table(answer: "Answer") -> "Table":
    """Headings may break, and the columns that are texts; a number stays whole."""
    from rich.cells import cell_len

    table = plain_table()
    cells = [[_cell(row[column.name], column, answer) for column in answer.report.columns] for row in answer.rows]
    for place, column in enumerate(answer.report.columns):
        widest = 0 if column.name in _FOLDING else max((cell_len(row[place]) for row in cells), default=0)
        table.add_column(column.heading, justify="left" if column.unit in _LEFT else "right", overflow="fold", min_width=widest)
    for row in cells:
        table.add_row(*row)
    return table


def _matrix(answer: "Answer") -> "Table":
    """From (rows) to (columns), with what each row and column is in all."""
    tiers = list(dict.fromkeys(row["from_tier"] for row in answer.rows))
    counts = {(row["from_tier"], row["to_tier"]): row["accounts"] for row in answer.rows}
    table = plain_table("from \\ to")
    for heading in (*tiers, "before"):
        table.add_column(heading, justify="right")
    for before in tiers:
        its = [counts[before, after] for after in tiers]
        cells = [f"[bold]{count:,}[/]" if after != before and count else f"{count:,}" for after, count in zip(tiers, its, strict=True)]
        table.add_row(before, *cells, f"[dim]{sum(its):,}[/]")
    table.add_row("[dim]after[/]", *(f"[dim]{sum(counts[before, after] for before in tiers):,}[/]" for after in tiers), "")
    return table


def _cell(content: Any, column: "Column", answer: "Answer") -> str:
    from rich.markup import escape

    from agents.cli.wording import Clock

    if content is None:
        return "-"
    match column.unit:
        case "count":
            return f"{round(content):,}"
        case "share":
            return f"{content:.1%}"
        case "money":
            return f"{content / answer.minor_per_unit:,.2f}"
        case "instant":
            return Clock(answer.timezone, 0).on(content)
        case "days" | "points":
            return f"{content:,.1f}"
        case _:
            return escape(str(content))


def print_answer(answer: "Answer") -> None:
    """JSON on stdout; instants in ISO 8601, money in minor units."""
    from schemas.instants import to_iso

    print_json({
        "report": answer.report.name, "question": answer.report.question, "scheme": answer.scheme,
        "since": to_iso(answer.since_ms), "until": to_iso(answer.until_ms), "timezone": answer.timezone, "currency": answer.currency,
        "left_out": answer.left_out, "rows": [_plain(row, answer) for row in answer.rows],
    })  # fmt: skip


def write_csv(answer: "Answer", out: TextIO) -> None:
    """The same rows as CSV, with a header."""
    import csv

    writer = csv.DictWriter(out, [column.name for column in answer.report.columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(row, answer) for row in answer.rows)


def _plain(row: dict[str, Any], answer: "Answer") -> dict[str, Any]:
    from schemas.instants import to_iso

    instants = {column.name for column in answer.report.columns if column.unit == "instant"}
    return {name: to_iso(content) if name in instants and content is not None else content for name, content in row.items()}
