"""Where the demo is shown: a live screen for people at a terminal, plain lines for logs and pipes."""

import time

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
        published = f"{watch.transitions:,} transitions, {watch.dead.total():,} dead letters"
        return f"-- {figures.elapsed_s:.0f} s: {tiers} | lag {lag} | {folded} | {published}"
