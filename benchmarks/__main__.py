"""`python -m benchmarks [FIGURE ...]`: take figures, show them, keep them in docs/. Without names: all but the slow ones."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from agents import garbage
from benchmarks import report
from benchmarks.catalogue import PLANS
from benchmarks.figures import Figure, Tell, conditions, load, spread
from benchmarks.peers import comparing
from benchmarks.plans import Plan

_SHOWN_S = 15.0
_NAMES = ", ".join(PLANS)
_TIMES = ", ".join(f"{plan.name}{'*' if plan.asked_for else ''} {plan.minutes:g}" for plan in PLANS.values())
_ALL = sum(plan.minutes for plan in PLANS.values() if not plan.asked_for)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FIGURE]...",
        help=f"Which figures; with the minutes that each takes on a quiet machine: {_TIMES}. "
        f"Default: all without a star, {_ALL:.0f} minutes.",
    ),
]
Runs = Annotated[int, typer.Option(min=1, help="Runs of each figure, of some fewer; what is kept wants five.")]
Quick = Annotated[bool, typer.Option("--quick", help="Small and once: tries the measuring, keeps nothing.")]
Keep = Annotated[bool, typer.Option("--keep/--no-keep", help="Write docs/benchmarks.md, its data and its pictures.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")]


def bench(names: Names = None, runs: Runs = 5, quick: Quick = False, keep: Keep = True, as_json: AsJson = False) -> None:
    """Take the figures of docs/benchmarks.md on an embedded Kafka, and keep them there."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # through every `finally`: worker and broker end with us
    garbage.look_seldom()  # as a worker and `tierstream replay` do, whose work some figures do in this process
    figures: list[Figure] = []
    with _telling() as tell:
        for plan in _chosen(names or []):
            figures.append(_taken(plan, plan.small if quick else plan.sizes, 1 if quick else min(runs, plan.most_runs), tell))
            if keep and not quick:
                _draw(report.kept() | {figure.name: figure for figure in figures})
                report.keep(figures)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(figures)).decode())
    else:
        _show(figures)


def _chosen(names: list[str]) -> list[Plan]:
    if unknown := [name for name in names if name not in PLANS]:
        raise typer.BadParameter(f"there is no figure {', '.join(unknown)}; there are {_NAMES}")
    return [plan for plan in PLANS.values() if plan.name in names or not (names or plan.asked_for)]


def _taken(plan: Plan, sizes: dict[str, int], runs: int, tell: Tell) -> Figure:
    before = conditions()
    both = list(plan.take(sizes, runs, tell))
    curves = [curve for _, curve in both if curve]
    return Figure(plan.name, msgspec.structs.replace(before, load_after=load()), sizes, [run for run, _ in both], curves, plan.title)


def _draw(kept: dict[str, Figure]) -> None:
    from benchmarks import pictures  # a try draws nothing and needs no matplotlib

    if rates := [figure for name, figure in kept.items() if name.startswith("throughput-")]:
        pictures.draw_throughput(rates, report.THROUGHPUT_PICTURE)
    if "peers" in kept:
        pictures.draw_peers(kept["peers"], {engine.name: engine.title for engine in comparing.engines()}, report.PEERS_PICTURE)
    if "latency" in kept:
        pictures.draw_latency(kept["latency"], report.LATENCY_PICTURE)
    if any(panel.figure in kept for panel in pictures.PANELS):
        pictures.draw_growth(kept, report.GROWTH_PICTURE)


def _show(figures: list[Figure]) -> None:
    console = Console(highlight=False)
    for figure in figures:
        plan = PLANS[figure.name]
        table = Table("", "median", "min", "max", "bar", title=plan.title, title_justify="left", box=None)
        for row in report.measured_rows(plan, figure):
            found = spread(figure.runs, row.name, trimmed=plan.trimmed)
            table.add_row(row.label, *(f"{number:,.{row.digits}f}" for number in found), row.bar)
        console.print(table, "")


@contextmanager
def _telling() -> Iterator[Tell]:
    """A bar on stderr; where nobody watches, a line now and then."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda what, share=None: bar.update(task, description=what, completed=share or 0, total=None if share is None else 1)
        return
    yield _Lines(console)


class _Lines:
    """One line for each new thing, and every `_SHOWN_S` seconds how far it is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said, self._said_at = "", 0.0

    def __call__(self, what: str, share: float | None = None) -> None:
        now = time.monotonic()
        if what != self._said or now - self._said_at > _SHOWN_S:
            self._said, self._said_at = what, now
            self._console.print(what if share is None else f"{what} {share:.0%}")


if __name__ == "__main__":
    typer.run(bench)
