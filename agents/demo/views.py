"""Where the demo is shown: a live screen for people at a terminal, plain lines for logs and pipes, a picture for documents."""

import html
import io
import re
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live

from agents.demo.screen import Figures, frame
from agents.demo.telling import plain_line
from agents.demo.watching import Watch

STATUS_S = 5.0


class LiveView:
    """Takes the whole terminal and gives it back as it was."""

    def __init__(self, console: Console, ladder: tuple[str, ...]) -> None:
        self._console, self._ladder = console, ladder
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def __enter__(self) -> "LiveView":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, watch: Watch, names: dict[str, str], figures: Figures) -> None:
        """Draw the present state."""
        self._live.update(frame(watch, names, self._ladder, figures, self._console.height, self._console.width), refresh=True)


class PlainView:
    """One line for each transition, and the figures every few seconds."""

    def __init__(self, console: Console, ladder: tuple[str, ...]) -> None:
        self._console, self._ladder = console, ladder
        self._told_s = time.monotonic()

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, watch: Watch, names: dict[str, str], figures: Figures) -> None:
        """Print what is new."""
        while watch.fresh:
            transition = watch.fresh.popleft().transition
            line = plain_line(figures.elapsed_s, names.get(transition.account_id, ""), transition)
            self._console.print(line, markup=False)
        if time.monotonic() - self._told_s >= STATUS_S:
            self._told_s = time.monotonic()
            self._console.print(self._status(watch, figures), markup=False)

    def _status(self, watch: Watch, figures: Figures) -> str:
        tiers = "  ".join(f"{tier} {watch.tiers[tier]:,}" for tier in reversed(self._ladder))
        p50, p99 = watch.lag_ms(0.50), watch.lag_ms(0.99)
        lag = "-" if p50 is None else f"p50 {p50} ms p99 {p99} ms"
        folded = f"{figures.per_second:,.0f} events/s, {watch.folded:,} of {figures.sent:,} folded"
        published = f"{watch.transitions:,} transitions, {watch.leads:,} hot leads, {watch.dead.total():,} dead letters"
        return f"-- {figures.elapsed_s:.0f} s: {tiers} | lag {lag} | {folded} | {published}"


class View(Protocol):
    """Any of the two above."""

    def __enter__(self) -> "View": ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def update(self, watch: Watch, names: dict[str, str], figures: Figures) -> None:
        """Show the present state."""


class Pictured:
    """Another view, whose last state is also kept as the live screen in an SVG file."""

    WIDTH, HEIGHT = 110, 32

    def __init__(self, shown: View, file: Path, ladder: tuple[str, ...]) -> None:
        self._shown, self._file, self._ladder = shown, file, ladder
        self._last: tuple[Watch, dict[str, str], Figures] | None = None

    def __enter__(self) -> "Pictured":
        self._shown.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._shown.__exit__(kind, error, trace)
        if self._last is not None:
            self._file.write_text(self._drawn(*self._last), encoding="utf-8")

    def update(self, watch: Watch, names: dict[str, str], figures: Figures) -> None:
        """Show it, and remember what was shown."""
        self._last = watch, names, figures
        self._shown.update(watch, names, figures)

    def _drawn(self, watch: Watch, names: dict[str, str], figures: Figures) -> str:
        """As rich exports it, without web fonts that a reader's browser would fetch, and with room for wide characters."""
        canvas = Console(record=True, width=self.WIDTH, height=self.HEIGHT, file=io.StringIO(), highlight=False)
        canvas.print(frame(watch, names, self._ladder, figures, self.HEIGHT, self.WIDTH))
        drawn = canvas.export_svg(title="tierstream demo", unique_id="demo")
        return _TEXT.sub(_with_its_width, re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))


_TEXT = re.compile(r'textLength="([\d.]+)"([^>]*)>([^<]+)<')


def _with_its_width(text: re.Match[str]) -> str:
    """Chinese characters take two cells; rich reserves one."""
    shown = html.unescape(text[3])
    width = float(text[1]) / len(shown) * cell_len(shown)
    return f'textLength="{width:.1f}"{text[2]}>{text[3]}<'
