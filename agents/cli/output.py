"""How commands print: people get colours and tables when they watch, scripts get JSON or plain lines."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table


def out() -> Console:
    """Stdout, in colour where a terminal shows it."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Stderr: progress and remarks that must not mix with output."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def progress_bar() -> Progress:
    """A bar on stderr while somebody watches, nothing in a log."""
    console = err()
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def print_json(answer: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(answer, ensure_ascii=False, indent=2))


def plain_table(*columns: str, title: str | None = None) -> Table:
    """A table without boxes: reads the same in a terminal, a log and a pull request."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def count_of(number: int, noun: str) -> str:
    """`1 record`, `2,000 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
