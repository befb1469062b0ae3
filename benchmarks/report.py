"""docs/benchmarks.md, written from the figures that are kept beside it in docs/benchmarks.json, each with its own conditions.

A figure taken again replaces the one before; the others stay, so that a slow one need not be taken every time, unless what they were
taken of is another thing now.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from benchmarks.catalogue import PLANS
from benchmarks.figures import KEPT, Figure, Spread, spread
from benchmarks.figures import kept as figures_kept
from benchmarks.plans import Plan, Row

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"
LATENCY_PICTURE, THROUGHPUT_PICTURE = DOCS / "benchmarks-latency.svg", DOCS / "benchmarks-throughput.svg"
PEERS_PICTURE, GROWTH_PICTURE = DOCS / "benchmarks-peers.svg", DOCS / "benchmarks-growth.svg"

HEAD = """# Benchmarks

What the engine does on a small machine, against a real Kafka. `make bench` takes these figures again and writes this page;
`make bench ARGS="latency --quick"` tries one of them small. Every figure is the median of its runs, with the smallest and the
largest; each says on which commit it was taken (`+`: with changes that were not committed), and how busy the machine was before.
Where nothing else is said, broker and load share one core and the worker has another to itself. Every run is in `benchmarks.json`.
What limits these figures, and what would lift them, says [performance](performance.md).
"""


def kept() -> dict[str, Figure]:
    """The figures taken so far, by name; those that are taken otherwise now are left out."""
    return {figure.name: figure for figure in figures_kept() if figure.name in PLANS and figure.what == PLANS[figure.name].title}


def keep(figures: Iterable[Figure]) -> dict[str, Figure]:
    """Keep these, and those taken before that they do not replace, in the order of the catalogue; write the page."""
    found = kept() | {figure.name: figure for figure in figures}
    ordered = {name: found[name] for name in PLANS if name in found}
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(list(ordered.values()))) + b"\n")
    PAGE.write_text(page(ordered), encoding="utf-8")
    return ordered


def page(figures: dict[str, Figure]) -> str:
    """The whole page."""
    parts = [
        HEAD,
        _picture(PEERS_PICTURE, "The same job on other engines, every run"),
        _picture(THROUGHPUT_PICTURE, "Events a second, every run"),
        _picture(LATENCY_PICTURE, "Latency, every run"),
        _picture(GROWTH_PICTURE, "How cost grows with accounts, hot accounts and partitions, every run"),
    ]
    parts += ["\n".join(_section(PLANS[name], figure)) for name, figure in figures.items()]
    return "\n".join(part for part in parts if part)


def _picture(path: Path, says: str) -> str:
    return f"![{says}]({path.name})\n" if path.exists() else ""


def _section(plan: Plan, figure: Figure) -> Iterator[str]:
    at = figure.conditions
    sizes = "".join(f"{count:,} {what}, " for what, count in figure.sizes.items())
    yield f"## {plan.title}\n"
    yield f"{plan.how}\n"
    yield "| | median | min | max | bar |\n|---|--:|--:|--:|--:|"
    yield from (_line(row, spread(figure.runs, row.name, trimmed=plan.trimmed)) for row in measured_rows(plan, figure))
    yield (
        f"\n{sizes}{len(figure.runs)} runs; commit {at.commit}, {at.taken_on}, {at.cores} cores, {at.memory_gib} GiB, "
        f"Python {at.python}, load average before {at.load_before:.2f}, after {at.load_after:.2f}.\n"
    )


def measured_rows(plan: Plan, figure: Figure) -> list[Row]:
    """The rows that its runs know: a figure that was taken before a row came into being is shown without it."""
    return [row for row in plan.rows if all(row.name in run for run in figure.runs)]


def _line(row: Row, found: Spread) -> str:
    unit = "" if row.unit == "1" else f" {row.unit}"
    middle, least, most = (f"{number:,.{row.digits}f}" for number in found)
    return f"| {row.label} | **{middle}**{unit} | {least} | {most} | {row.bar} |"
