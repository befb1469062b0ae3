"""What a figure is: its name, what each row of its table means, its unit and its bar, and how it is taken."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.figures import Run, Tell
from benchmarks.stand import Stand

POLICIES = Path(__file__).parents[1] / "policies"
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
    with TemporaryDirectory(prefix="tierstream-bench-") as directory, Stand(Path(directory), pinned=pinned) as stand:
        yield from measured(stand)


def plain(runs: Iterable[Run]) -> Taken:
    """Runs without a curve."""
    return ((run, []) for run in runs)
