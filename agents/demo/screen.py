"""The live screen: transitions with their reason, the tier pyramid, the figures. Fits 80 columns, uses what it is given."""

from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agents.demo.leads import Leads
from agents.demo.telling import ARROWS, MICRO, cause_of, line_of, reason_of, score_of
from agents.demo.watching import Seen, Watch

COLOURS = {"UP": "green", "DOWN": "red", "ENTRY": "cyan"}
TIER_COLOURS = ("bright_black", "cyan", "green", "bright_yellow", "bright_magenta")
BLOCKS = " ▏▎▍▌▋▊▉█"
FOOT = 9
LEADS, LEADS_IN_LITTLE_ROOM, ROOMY = 7, 5, 30
"""Lines of the hot leads, on a screen of so many lines and on a lower one."""


class Figures(NamedTuple):
    """What is shown besides the watch."""

    title: str
    where: str
    elapsed_s: float
    seconds: float
    per_second: float
    sent: int
    spoilt: int
    first_after_s: float | None
    leads: Leads | None = None


def frame(watch: Watch, names: dict[str, str], ladder: tuple[str, ...], figures: Figures, height: int, width: int) -> RenderableType:
    """The whole screen, `height` lines high."""
    layout = Layout()
    room = 0 if figures.leads is None else LEADS if height >= ROOMY else LEADS_IN_LITTLE_ROOM
    parts = [Layout(_head(figures), size=3), Layout(_transitions(watch, names, height - FOOT - room - 3 - 3, width), name="transitions")]
    if figures.leads is not None:
        parts.append(Layout(_leads(figures.leads, names, room - 2), size=room))
    layout.split_column(*parts, Layout(name="foot", size=FOOT))
    layout["foot"].split_row(Layout(pyramid_panel(watch, ladder, width // 2 - 4)), Layout(_figures(watch, figures)))
    return layout


def _head(figures: Figures) -> RenderableType:
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    head.add_column(justify="right", no_wrap=True)
    clock = f"{min(figures.elapsed_s, figures.seconds):.0f} of {figures.seconds:.0f} s"
    head.add_row(Text.assemble((" tierstream ", "bold reverse"), " ", (figures.title, "bold")), Text(clock, style="dim"))
    head.add_row(Text(figures.where, style="dim"), Text("Ctrl-C ends it", style="dim"))
    bar = ProgressBar(
        total=figures.seconds, completed=min(figures.elapsed_s, figures.seconds), complete_style="cyan", finished_style="cyan"
    )
    return Group(head, bar)


def _transitions(watch: Watch, names: dict[str, str], rows: int, width: int) -> Panel:
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    table.add_column("account", no_wrap=True, overflow="ellipsis", ratio=3)
    table.add_column("tier", no_wrap=True, width=7)
    table.add_column("score", no_wrap=True, width=12)
    table.add_column("because of", no_wrap=True, overflow="ellipsis", width=16 if width >= 100 else 14)
    table.add_column("what moved it", no_wrap=True, overflow="ellipsis", ratio=4)
    for seen in list(watch.recent)[: -max(rows, 1) - 1 : -1]:
        table.add_row(*_row(seen, names))
    empty = Text("waiting for the first tier transition ...", style="dim")
    return Panel(table if watch.recent else empty, title="tier transitions as they are published", title_align="left", border_style="dim")


def _leads(leads: Leads, names: dict[str, str], rows: int) -> Panel:
    """Whom to call now, the newest first."""
    table = Table(box=None, expand=True, pad_edge=False, show_header=False)
    table.add_column("owner", no_wrap=True, width=8)
    table.add_column("account", no_wrap=True, overflow="ellipsis", ratio=3)
    table.add_column("tier", no_wrap=True, width=7)
    table.add_column("score", no_wrap=True, width=6)
    table.add_column("why", no_wrap=True, overflow="ellipsis", ratio=4)
    for lead in leads.newest[:rows]:
        why = ", ".join(map(line_of, lead.evidence[:2])) or lead.trigger or ""
        table.add_row(
            Text(lead.owner_id or "-", style="bold"),
            Text(names.get(lead.account_id, lead.account_id)),
            Text.assemble((f"{lead.from_tier} ▲ ", "dim"), (lead.to_tier, "bold bright_yellow")),
            Text(f"{lead.score_micro / MICRO:.1f}", style="dim"),
            Text(why),
        )
    empty = Text("nobody is hot yet ...", style="dim")
    title = f"{leads.count:,} hot leads, {leads.where}"
    return Panel(table if leads.newest else empty, title=title, title_align="left", border_style="yellow")


def _row(seen: Seen, names: dict[str, str]) -> tuple[Text, ...]:
    transition = seen.transition
    colour = COLOURS[transition.direction]
    step = Text.assemble(
        (f"{transition.from_tier or '-'}", "dim"), (f" {ARROWS[transition.direction]} ", colour), (transition.to_tier, f"bold {colour}")
    )
    risk = "bold magenta" if transition.cause.kind == "RISK" else ""
    name = names.get(transition.account_id, transition.account_id)
    return (
        Text(name),
        step,
        Text(score_of(transition), style="dim"),
        Text(cause_of(transition), style=risk),
        Text(reason_of(transition), style=risk),
    )


def pyramid_panel(watch: Watch, ladder: tuple[str, ...], width: int) -> Panel:
    """One bar for each tier, the highest on top; counts are the truth, bars are drawn to the root so that few are seen."""
    table = Table.grid(padding=(0, 1))
    most = max(max(watch.tiers.values(), default=0), 1)
    room = max(width - 16, 8)
    for rank, tier in reversed(list(enumerate(ladder))):
        count = watch.tiers[tier]
        share = f"{count / watch.accounts:5.1%}" if watch.accounts else ""
        length = (count / most) ** 0.5 * room
        table.add_row(
            Text(tier, style="bold"),
            Text(_bar(length), style=TIER_COLOURS[rank % len(TIER_COLOURS)]),
            Text(f"{count:,} {share}", style="dim"),
        )
    return Panel(table, title=f"{watch.accounts:,} accounts by tier", title_align="left", border_style="dim")


def _bar(length: float) -> str:
    whole = int(length)
    return "█" * whole + BLOCKS[int((length - whole) * 8)].strip()


def _figures(watch: Watch, figures: Figures) -> Panel:
    table = Table.grid(padding=(0, 2))
    p50, p99 = watch.lag_ms(0.50), watch.lag_ms(0.99)
    lag = "-" if p50 is None else f"{p50:,} / {p99:,} ms"
    table.add_row("lag p50 / p99", Text(lag, style="bold"))
    table.add_row("events/s", Text(f"{figures.per_second:,.0f}", style="bold"))
    table.add_row("folded", f"{watch.folded:,} of {figures.sent:,}")
    table.add_row("transactions", f"{watch.transactions:,}, exactly once")
    ups, downs = watch.directions["UP"], watch.directions["DOWN"]
    table.add_row("transitions", Text.assemble(f"{watch.transitions:,}  ", (f"▲ {ups:,}", "green"), "  ", (f"▼ {downs:,}", "red")))
    table.add_row("dead letters", f"{watch.dead.total():,} of {figures.spoilt:,} spoilt")
    return Panel(table, title="the engine", title_align="left", border_style="dim")
