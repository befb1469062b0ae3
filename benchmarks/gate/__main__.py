"""`python -m benchmarks.gate`: exit code 0, as fast as the base; 1, too slow; 2, nothing could be compared."""

import signal
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.gate.base import CHECKOUT, Base, GateError, accepted, checked_out, renew
from benchmarks.gate.judging import FEWEST_PAIRS, LIMIT, PERCENT, Pair, Verdict, complaint, judged
from benchmarks.gate.running import Both, Run, in_pairs, make_work

ACCOUNTS, RECORDS = 10_000, 120_000

Why = Annotated[
    str | None, typer.Option("--renew", metavar="WHY", help="Measure nothing: accept the speed of HEAD, and keep it as the base.")
]
Pairs = Annotated[int, typer.Option(min=FEWEST_PAIRS, help="Pairs of runs.")]


def gate(why: Why = None, pairs: Pairs = FEWEST_PAIRS) -> None:
    """Compare what an event costs in this checkout with the base of benchmarks/gate.json. Takes about a minute and a half."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # through every `finally`: the base's checkout goes
    try:
        if why is not None:
            print(f"the base is now {renew(why).base}: commit benchmarks/gate.json")
            return
        base = accepted()
        runs = _measured(base, pairs)
    except GateError as fault:
        print(f"gate: {fault}", file=sys.stderr)
        sys.exit(2)
    sys.exit(concluded(base, runs))


def concluded(base: Base, runs: list[Both]) -> int:
    """Say what came out; the exit code."""
    verdict = judged([Pair(old.cpu_us, new.cpu_us) for old, new in runs])
    if verdict.too_slow:
        print(f"gate: {complaint(verdict, base.base)}", file=sys.stderr)
        return 1
    _show(base, runs, verdict)
    return 0


def _measured(base: Base, pairs: int) -> list[Both]:
    with checked_out(base.base) as tree, TemporaryDirectory(prefix="tierstream-gate-") as directory:
        work = Path(directory) / "work"
        make_work(tree, work, ACCOUNTS, RECORDS)
        return list(in_pairs(tree, CHECKOUT, work, pairs, lambda what: print(what, file=sys.stderr, flush=True)))


def _show(base: Base, runs: list[Both], verdict: Verdict) -> None:
    title = f"{len(runs)} pairs of {RECORDS:,} events of {ACCOUNTS:,} accounts, policy sabc-live, in memory"
    table = Table("", "median", "from", "to", "outputs", "changelog", title=title, title_justify="left", box=None)
    _add(table, f"base {base.base[:10]}, us an event", [old for old, _ in runs])
    _add(table, "this checkout, us an event", [new for _, new in runs])
    table.add_row(f"ratio, {PERCENT} % interval; limit {LIMIT:.2f}", *(f"{number:.3f}" for number in verdict))
    Console(highlight=False).print(table)


def _add(table: Table, label: str, runs: list[Run]) -> None:
    costs = [run.cpu_us for run in runs]
    table.add_row(
        label, *(f"{cost:.2f}" for cost in (median(costs), min(costs), max(costs))), f"{runs[0].outputs:,}", f"{runs[0].changes:,}"
    )


if __name__ == "__main__":
    typer.run(gate)
