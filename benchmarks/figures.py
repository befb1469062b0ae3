"""A figure: its runs, their medians with spread, and the conditions under which they were taken."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple, Protocol

import msgspec

Run = dict[str, float]
"""What one run measured, by name."""


class Tell(Protocol):
    """Says what goes on; `share` of it done, None where nobody knows."""

    def __call__(self, what: str, share: float | None = None) -> None: ...


class Spread(NamedTuple):
    """The middle of several runs, the smallest and the largest."""

    middle: float
    least: float
    most: float


def spread(runs: Sequence[Mapping[str, float]], name: str, *, trimmed: bool = False) -> Spread:
    """Over all runs that measured `name`; `trimmed`: the smallest and the largest of many are left out of the spread."""
    found = sorted(run[name] for run in runs)
    cut = 1 if trimmed and len(found) > 2 else 0
    return Spread(median(found), found[cut], found[-1 - cut])


class Conditions(msgspec.Struct, frozen=True):
    """Where and when a figure was taken. Load averages are of the minute before."""

    commit: str
    taken_on: str
    cores: int
    memory_gib: int
    python: str
    load_before: float
    load_after: float


class Figure(msgspec.Struct, frozen=True):
    """One figure as it is kept: `runs` by name of what was measured, `curve` for a picture (each run's own).

    `what`: its title when it was taken; under another one now, it says nothing any more.
    """

    name: str
    conditions: Conditions
    sizes: dict[str, int]
    runs: list[Run]
    curves: list[list[float]] = []
    what: str = ""


KEPT = Path(__file__).parents[1] / "docs" / "benchmarks.json"


def kept() -> list[Figure]:
    """The figures taken so far."""
    return msgspec.json.decode(KEPT.read_bytes(), type=list[Figure]) if KEPT.exists() else []


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def conditions() -> Conditions:
    """As they are now, before the runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Conditions(
        commit=_commit(),
        taken_on=datetime.now(UTC).date().isoformat(),
        cores=os.cpu_count() or 1,
        memory_gib=round(memory / 2**30),
        python=platform.python_version(),
        load_before=load(),
        load_after=load(),
    )


def _commit() -> str:
    """The commit that is measured; `+` after it: the rooms held changes that were not committed."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "../schemas", "../streams", "../agents")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
