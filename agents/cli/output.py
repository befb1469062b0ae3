"""How commands print: people get colours and tables when they watch, scripts get JSON or plain lines."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from schemas.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table


def out() -> "Console":
    """Stdout, in colour where a terminal shows it."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> "Console":
    """Stderr: progress and remarks that must not mix with output."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def progress_bar() -> "Progress":
    """A bar on stderr while somebody watches, nothing in a log."""
    from rich.progress import Progress

    console = err()
    return Progress(console=console, transient=True, disable=not console.is_terminal)


class ReadingBar:
    """A bar whose length grows with every topic that turns out to lie ahead."""

    def __init__(self, bar: "Progress", description: str) -> None:
        self._bar, self._task, self._total = bar, bar.add_task(description, total=None), 0

    def on_total(self, records: int) -> None:
        """So many more lie ahead."""
        self._total += records
        self._bar.update(self._task, total=self._total)

    def on_read(self, records: int) -> None:
        """So many more were read."""
        self._bar.advance(self._task, records)


@contextmanager
def reading_bar(description: str) -> Iterator[ReadingBar]:
    """A bar for something that is read to its end."""
    with progress_bar() as bar:
        yield ReadingBar(bar, description)


def print_json(answer: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(answer, ensure_ascii=False, indent=2))


def plain_table(*columns: str, title: str | None = None) -> "Table":
    """A table without boxes: reads the same in a terminal, a log and a pull request."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def agreed(said: str, question: str, how: str, otherwise: str) -> bool:
    """Ask whoever sits there; `otherwise` is what a no means. Raises SettingsError with `how` to say yes where nobody does."""
    import typer

    if not sys.stdin.isatty():
        raise SettingsError(f"{said}: {how}")
    answer = typer.confirm(f"{said}. {question}", err=True)
    if not answer:
        err().print(otherwise)
    return answer


def count_of(number: int, noun: str) -> str:
    """`1 record`, `2,000 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
