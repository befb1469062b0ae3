"""Starts the gate's programs in a tree, each time in a fresh process, and runs two trees in pairs."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from benchmarks.gate.base import RENEW, GateError

_PROGRAMS = Path(__file__).parent
_LIMIT_S = 300.0


class Run(msgspec.Struct, frozen=True):
    """What a run printed: microseconds of processor time for an event; outputs and changelog records in all."""

    tree: str
    cpu_us: float
    outputs: int
    changes: int


Both = tuple[Run, Run]
"""Base, then head."""


def make_work(tree: Path, file: Path, accounts: int, records: int) -> None:
    """Have a tree write the records."""
    _printed(tree, "work.py", str(file), str(accounts), str(records), seed=0)


def run(tree: Path, file: Path, *, seed: int = 0) -> Run:
    """Have a tree fold them. Raises GateError if it cannot, or if it was another tree that did."""
    made = msgspec.json.decode(_printed(tree, "lane.py", str(file), seed=seed), type=Run)
    if Path(made.tree).resolve() != tree.resolve():
        raise GateError(f"the code of {tree} must be measured, but Python took that of {made.tree}")
    return made


def in_pairs(base: Path, head: Path, file: Path, pairs: int, tell: Callable[[str], None]) -> Iterator[Both]:
    """The pairs, after one that compiles and does not count."""
    for number in range(pairs + 1):
        first = run(base if base_first(number) else head, file, seed=number)
        second = run(head if base_first(number) else base, file, seed=number)
        both = (first, second) if base_first(number) else (second, first)
        said = f"pair {number} of {pairs}" if number else "to compile, not counted"
        tell(f"{said}: base {both[0].cpu_us:.2f} us, this checkout {both[1].cpu_us:.2f} us")
        if number:
            yield both


def base_first(pair: int) -> bool:
    """Base, head, head, base, and so on: what drifts evenly takes no side."""
    return pair % 2 == 1


def _printed(tree: Path, program: str, *arguments: str, seed: int) -> bytes:
    command = [sys.executable, "-P", str(_PROGRAMS / program), *arguments]
    try:
        done = subprocess.run(command, cwd=tree, env=_variables(tree, seed), capture_output=True, check=False, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired as fault:
        raise GateError(f"{program} in {tree} must end within {_LIMIT_S:.0f} s") from fault
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise GateError(f"{program} must run in {tree}, but: {said[-1]}; if the base cannot do it any more, `{RENEW}` makes HEAD the base")
    return done.stdout


def _variables(tree: Path, seed: int) -> dict[str, str]:
    """Both halves of a pair hash alike, and each pair otherwise; each tree keeps its compiled code in itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    return inherited | {"PYTHONPATH": str(tree), "PYTHONHASHSEED": str(seed)}
