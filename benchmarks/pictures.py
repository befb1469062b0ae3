"""The pictures of docs/benchmarks.md: events a second of every run, how latencies are distributed, and how cost grows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from benchmarks.figures import Figure, Run, spread

_INK, _QUIET, _MARK, _BAR = "#1f2933", "#9aa5b1", "#2563a8", "#c2410c"
_LATENCY_BAR_MS = 100
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "tierstream",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _QUIET,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def draw_throughput(figures: list[Figure], path: Path) -> None:
    """A line for each policy: a dot for each run, a stroke at the median."""
    with mpl.rc_context(_STYLE):
        canvas, axes = _canvas(7.2, 0.9 + 0.55 * len(figures))
        for place, figure in enumerate(figures):
            rates = [run["events_per_s"] for run in figure.runs]
            middle = spread(figure.runs, "events_per_s").middle
            axes.plot(rates, [place] * len(rates), "o", color=_MARK, alpha=0.55, markersize=7, markeredgewidth=0)
            axes.plot([middle, middle], [place - 0.28, place + 0.28], color=_INK, linewidth=2)
            axes.annotate(f"{middle:,.0f}", (middle, place - 0.3), ha="center", va="bottom", fontweight="bold")
        axes.set_yticks(range(len(figures)), [figure.name.removeprefix("throughput-") for figure in figures])
        axes.set_ylim(len(figures) - 0.5, -0.8)
        axes.set_xlim(0, 1.08 * max(run["events_per_s"] for figure in figures for run in figure.runs))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("events a second, one worker on one core, exactly once (stroke: median of the runs)")
        _save(canvas, path)


def draw_peers(figure: Figure, titles: dict[str, str], path: Path) -> None:
    """A line for each engine: a dot for each run, a stroke at the median; ten times as fast is always the same way to the right."""
    with mpl.rc_context(_STYLE):
        canvas, axes = _canvas(8.4, 0.9 + 0.5 * len(titles))
        for place, name in enumerate(titles):
            rates = [run[f"{name} events_per_s"] for run in figure.runs]
            middle = spread(figure.runs, f"{name} events_per_s").middle
            axes.plot(rates, [place] * len(rates), "o", color=_MARK, alpha=0.55, markersize=7, markeredgewidth=0)
            axes.plot([middle, middle], [place - 0.28, place + 0.28], color=_INK, linewidth=2)
            axes.annotate(f"{middle:,.0f}", (middle, place - 0.3), ha="center", va="bottom", fontweight="bold")
        axes.set_yticks(range(len(titles)), list(titles.values()))
        axes.set_ylim(len(titles) - 0.5, -0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("events a second on one core (logarithmic; stroke: median of the runs)")
        _save(canvas, path)


def draw_latency(figure: Figure, path: Path) -> None:
    """For each run, the share of transitions that were readable within so many milliseconds of the append; the tail stretched."""
    with mpl.rc_context(_STYLE):
        canvas, axes = _canvas(7.2, 3.8)
        for curve in figure.curves:
            shares = np.linspace(0, 1, len(curve))
            axes.plot(curve, 1 - shares, color=_MARK, alpha=0.6, linewidth=1.5)
        axes.axvline(_LATENCY_BAR_MS, color=_BAR, linewidth=1.2, linestyle="--")
        axes.annotate("bar: 99 of 100 within 100 ms", (_LATENCY_BAR_MS, 0.8), xytext=(5, 0), textcoords="offset points", color=_BAR)
        axes.axhline(0.01, color=_QUIET, linewidth=0.8)
        axes.set_yscale("log")
        axes.set_ylim(1, 0.004)
        axes.set_yticks([1, 0.5, 0.1, 0.05, 0.01], ["all", "1 in 2", "1 in 10", "1 in 20", "1 in 100"])
        axes.set_xlim(left=0, right=max(1.1 * max(curve[-2] for curve in figure.curves), 1.5 * _LATENCY_BAR_MS))
        axes.set_xlabel("append of the event to transition readable, ms (2,000 events a second, one line per run)")
        axes.set_ylabel("transitions that took longer")
        _save(canvas, path)


class Panel(NamedTuple):
    """One curve of growth: rows of a figure that begin with `row`, the number behind it along the bottom."""

    figure: str
    row: str
    title: str
    along: str


PANELS = (
    Panel("growth-accounts", "at", "us for an event", "accounts"),
    Panel("growth-accounts", "bytes", "bytes for an account", "accounts"),
    Panel("growth-touched", "hot", "us for an event", "hot accounts, % of a million"),
    Panel("partitions", "cpu_us", "us for an event, on the broker", "partitions of one worker"),
)


def draw_growth(figures: Mapping[str, Figure], path: Path) -> None:
    """A panel for each curve whose figure was taken: a dot for each run, a line through the medians, from zero."""
    panels = [panel for panel in PANELS if panel.figure in figures]
    with mpl.rc_context(_STYLE):
        canvas = Canvas(figsize=(2.9 * len(panels), 3.0), layout="constrained")
        for place, panel in enumerate(panels):
            _draw_panel(canvas.add_subplot(1, len(panels), place + 1), panel, figures[panel.figure].runs)
        _save(canvas, path)


def _draw_panel(axes: Axes, panel: Panel, runs: Sequence[Run]) -> None:
    names = {float(name.split()[1]): name for name in runs[0] if name.split()[0] == panel.row}
    for run in runs:
        axes.plot(list(names), [run[name] for name in names.values()], "o", color=_MARK, alpha=0.55, markersize=5, markeredgewidth=0)
    axes.plot(list(names), [spread(runs, name).middle for name in names.values()], color=_INK, linewidth=1.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xticks(list(names), [_short(number) for number in names])
    axes.set_ylim(0, 1.1 * max(run[name] for run in runs for name in names.values()))
    axes.set_xlabel(panel.along)
    axes.set_title(panel.title, fontsize=10)


def _short(number: float) -> str:
    """5,000,000 as 5 M, 10,000 as 10 k."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number:g}"


def _canvas(width: float, height: float) -> tuple[Canvas, Axes]:
    canvas = Canvas(figsize=(width, height), layout="constrained")
    axes = canvas.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return canvas, axes


def _save(canvas: Canvas, path: Path) -> None:
    """On white, so that it reads on a dark page too; without a date, so that the same figures give the same file."""
    canvas.savefig(path, facecolor="white", metadata={"Date": None} if path.suffix == ".svg" else None)
