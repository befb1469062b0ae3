"""`tierstream demo`: everything at once, on this machine, for a minute."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.options import AsJson
from agents.cli.output import err, out, print_json
from agents.cli.policies import find_policy
from agents.dying import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from agents.demo.views import View

Seconds = Annotated[float, typer.Option(min=1, help="How long the accounts live.")]
Rate = Annotated[float, typer.Option(min=1, help="Events a second.")]
Accounts = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many accounts.")]
Policy = Annotated[Path, typer.Option("--policy", "-p", help="The policy to tier by: a file or the name of a shipped one.")]
Seed = Annotated[int | None, typer.Option(help="The same seed casts the same accounts.")]
PoisonShare = Annotated[float, typer.Option(min=0, max=0.5, help="Share of interactions that are spoilt on purpose, to see dead letters.")]
Plain = Annotated[bool, typer.Option("--plain", help="Lines instead of a live screen; the default where stdout is no terminal.")]
Svg = Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the last screen as a picture.", show_default=False)]
NOTE_S = 3.0


def demo(
    seconds: Seconds = 60,
    rate: Rate = 200,
    accounts: Accounts = 400,
    policy: Policy = Path("demo"),
    seed: Seed = None,
    poison_share: PoisonShare = 0.002,
    plain: Plain = False,
    svg: Svg = None,
    as_json: AsJson = False,
) -> None:
    """See it work: a real Kafka, a worker and believable accounts, every tier change with its reason, then an audit.

    Needs nothing installed and leaves nothing running. A day in an account's life passes each second.

    [dim]Example:[/]  tierstream demo --seconds 30 --rate 500
    """
    began_s = time.monotonic()
    from agents.demo.running import Plan, run
    from agents.demo.summary import is_fine, show, told
    from agents.demo.views import LiveView, Pictured, PlainView
    from streams.policy import load_policy

    file = find_policy(policy)
    plan = Plan(load_policy(file), file.resolve(), accounts, rate, seconds, seed, poison_share)
    ladder = tuple(plan.policy.schemes[0].ladder.tiers)
    console = err() if as_json else out()
    live = console.is_terminal and not plain
    view: View = LiveView(console, ladder) if live else PlainView(console, ladder)
    if svg is not None:
        view = Pictured(view, svg, ladder)
    steps = _Steps(console, live=live)
    with steps:
        summary = run(plan, began_s, steps, lambda: steps.over(view))
    if as_json:
        print_json(told(summary))
    else:
        show(console, summary, ladder)
    raise typer.Exit(ExitCode.FINE if is_fine(summary) else ExitCode.FOUND_A_PROBLEM)


class _Steps:
    """Tells what is going on before there is anything to see. `close` gives the screen to the view."""

    def __init__(self, console: "Console", *, live: bool) -> None:
        self._console = console
        self._status = console.status("getting ready") if live else None
        self._noted_s = 0.0
        self._last = ""

    def __call__(self, message: str, done_bytes: int | None = None) -> None:
        text = message if done_bytes is None else f"{message}: {done_bytes / 1e6:.0f} MB of {_total_mb():.0f} MB"
        if self._status is not None:
            self._status.update(text)
        elif message != self._last or time.monotonic() - self._noted_s >= NOTE_S:
            self._console.print(text, markup=False)
            self._noted_s = time.monotonic()
        self._last = message

    def over(self, view: "View") -> "View":
        """The steps are over: the screen is the view's."""
        self.__exit__()
        return view

    def __enter__(self) -> "_Steps":
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()


def _total_mb() -> float:
    from agents.embedded.jars import total_bytes

    return total_bytes() / 1e6
