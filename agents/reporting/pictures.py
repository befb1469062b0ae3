"""A report as a picture, PNG or SVG by the name of the file: bars against their targets, a matrix, or a Pareto curve.

Rules: no colour carries a meaning alone, numbers stand on what they count, and a picture says the same as its rows. matplotlib is
optional and known to this file alone here.
"""

import warnings
from pathlib import Path
from typing import Any

from agents.reporting.asking import Answer
from agents.reporting.reports import Column, Picture
from schemas.errors import SettingsError

_INK, _QUIET, _MARK, _TARGET = "#1f2933", "#9aa5b1", "#2563a8", "#c2410c"
SUFFIXES = (".png", ".svg")
_FONTS = ["Noto Sans CJK SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "DejaVu Sans"]


def draw(answer: Answer, path: Path) -> None:
    """Write the picture. Raises SettingsError where there is none to draw, or nothing to draw it with."""
    picture = answer.report.picture
    if picture is None:
        raise SettingsError(f"report {answer.report.name} is told, not drawn: leave --picture out")
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"--picture must be a file .png or .svg, got {path.name}")
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        raise SettingsError("--picture needs matplotlib: pip install 'tierstream[pictures]'") from None
    import logging

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # which of the fonts are missing is no news
    with mpl.rc_context({"svg.fonttype": "none", "font.size": 10, "font.family": ["sans-serif"], "font.sans-serif": _FONTS}):
        canvas = Canvas(figsize=(7.2, 4.2), layout="constrained")
        axes = canvas.add_subplot()
        {"bars": _bars, "matrix": _matrix, "pareto": _pareto}[picture.kind](axes, answer, picture)
        axes.set_title(answer.report.question, loc="left", color=_INK, fontsize=11)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a box in its place says so already
                canvas.savefig(path, dpi=160)
        except OSError as problem:
            raise SettingsError(f"file {path} cannot be written: {problem.strerror}") from problem


def _bars(axes: Any, answer: Answer, picture: Picture) -> None:
    """A bar for each row, lowest last; a stroke where it should end."""
    rows, column = answer.rows, _column(answer, picture.size)
    sizes = [_size(row, column, answer) for row in rows]
    axes.barh(range(len(rows)), sizes, color=_MARK, height=0.6)
    targets = [(place, row[picture.against]) for place, row in enumerate(rows) if picture.against and row[picture.against] is not None]
    for place, target in targets:
        axes.plot([target, target], [place - 0.4, place + 0.4], color=_TARGET, linewidth=2.5)
    widest = max([*sizes, *(target for _, target in targets), 1e-9])
    beside = dict(targets)
    for place, size in enumerate(sizes):
        end = beside[place] if size < beside.get(place, 0.0) < size + 0.12 * widest else size  # not under the stroke
        axes.annotate(_text(size, column, answer), (end, place), xytext=(5, 0), textcoords="offset points", va="center", color=_INK)
    axes.set_yticks(range(len(rows)), [str(row[picture.label]) for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.18 * widest)
    axes.xaxis.set_major_formatter(lambda size, _: _text(size, column, answer))
    if targets:
        axes.set_xlabel("bars: now, strokes: target", loc="right", color=_INK)


def _matrix(axes: Any, answer: Answer, picture: Picture) -> None:
    """From where (rows) to where (columns); the darker, the more."""
    assert picture.against is not None, "a matrix has two sides"
    tiers = list(dict.fromkeys(row[picture.label] for row in answer.rows))
    sizes = {(row[picture.label], row[picture.against]): row[picture.size] for row in answer.rows}
    moved = max([size for (before, after), size in sizes.items() if before != after] + [1])
    shades = [[0.0 if before == after else sizes[before, after] / moved for after in tiers] for before in tiers]
    axes.imshow(shades, cmap="Blues", vmin=0, vmax=2.2, aspect="auto")
    for y, before in enumerate(tiers):
        for x, after in enumerate(tiers):
            weight = "normal" if before == after else "bold"
            axes.annotate(f"{sizes[before, after]:,}", (x, y), ha="center", va="center", color=_INK, fontweight=weight)
    axes.set_xticks(range(len(tiers)), tiers)
    axes.set_yticks(range(len(tiers)), tiers)
    axes.set_xlabel("at the end")
    axes.set_ylabel("at the beginning")


def _pareto(axes: Any, answer: Answer, picture: Picture) -> None:
    """The largest by size, and what they are together."""
    column, rows = _column(answer, picture.size), answer.rows
    places = range(len(rows))
    axes.bar(places, [_size(row, column, answer) for row in rows], color=_MARK, width=0.7)
    axes.set_xticks(places, [str(row[picture.label]) for row in rows], rotation=45, ha="right")
    axes.yaxis.set_major_formatter(lambda size, _: _text(size, column, answer))
    together = axes.twinx()
    assert picture.against is not None, "bars have a line over them"
    together.plot(places, [row[picture.against] for row in rows], color=_TARGET, marker="o", markersize=3)
    together.set_ylim(0, 1.05)
    together.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    together.set_ylabel("share of the revenue, together", color=_TARGET)
    together.spines["top"].set_visible(False)


def _column(answer: Answer, name: str) -> Column:
    return next(column for column in answer.report.columns if column.name == name)


def _size(row: dict[str, Any], column: Column, answer: Answer) -> float:
    size = row[column.name] or 0
    return size / answer.minor_per_unit if column.unit == "money" else float(size)


def _text(size: float, column: Column, answer: Answer) -> str:
    if column.unit == "share":
        return f"{size:.1%}"
    return f"{size:,.0f} {answer.currency}" if column.unit == "money" else f"{size:,.0f}"
