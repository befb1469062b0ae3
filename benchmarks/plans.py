"""What a figure is: its name, what each row of its table means, its unit and its bar, and how it is taken."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from typing import NamedTuple

from agents.embedded.processes import is_running
from benchmarks.figures import Run, Tell
from benchmarks.stand import Stand

POLICIES = Path(__file__).parents[1] / "policies"
_ROOM = "tierstream-bench-"
Taken = Iterator[tuple[Run, list[float]]]


class Row(NamedTuple):
    """One line of a figure's table. `digits` after the point; `bar` as it is written in the issue, empty where there is none."""

    name: str
    label: str
    unit: str
    digits: int = 0
    bar: str = ""


class Plan(NamedTuple):
    """A figure that can be taken. `sizes` of a real run, `small` of a try (`--quick`); `asked_for`: only when named;
    `trimmed`: the spread leaves out the smallest and the largest run; `most_runs`: so many show what there is to see; `minutes`: so
    long it takes on a quiet machine."""

    name: str
    title: str
    how: str
    rows: tuple[Row, ...]
    sizes: dict[str, int]
    small: dict[str, int]
    take: Callable[[dict[str, int], int, Tell], Taken]
    asked_for: bool = False
    trimmed: bool = False
    most_runs: int = 100
    minutes: float = 1.0


def on_stand(measured: Callable[[Stand], Taken], *, pinned: bool = True) -> Taken:
    """A broker of the figure's own."""
    with room() as directory, Stand(directory, pinned=pinned) as stand:
        yield from measured(stand)


@contextmanager
def room() -> Iterator[Path]:
    """A directory of this process. Those of processes that were killed, so that nobody could tidy up, are swept away."""
    for left in Path(gettempdir()).glob(f"{_ROOM}*-*"):
        pid = left.name.removeprefix(_ROOM).partition("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=f"{_ROOM}{os.getpid()}-") as directory:
        yield Path(directory)


def plain(runs: Iterable[Run]) -> Taken:
    """Runs without a curve."""
    return ((run, []) for run in runs)
