"""One seed, or many: what was broken, and how to see it again."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from schemas.errors import TierstreamError
from tests.simulation.evidence import Evidence
from tests.simulation.invariants import INVARIANTS
from tests.simulation.schedules import Schedule, schedule_of
from tests.simulation.world import World

THROWN = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError, TierstreamError)


class Failure(NamedTuple):
    """A run that went wrong. `what`: the invariant, or that the run itself failed; a checker that throws is a failure too."""

    seed: int
    what: str
    words: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.what}: {self.words}\nsee it again: python -m tests.simulation --seed {self.seed}"


def ran(schedule: Schedule) -> tuple[World, list[Failure]]:
    """One run, and all that is wrong with it."""
    world = World(schedule)
    failures = _failures(schedule.seed, "the run", lambda: _lived(world))
    if not failures:
        for number in range(schedule.partitions):
            evidence = Evidence(world, number)
            for name, broken in INVARIANTS.items():
                failures += _failures(schedule.seed, name, lambda broken=broken, evidence=evidence: broken(evidence))  # type: ignore[misc]
    return world, failures


def _lived(world: World) -> Iterator[str]:
    world.live()
    yield from ()


def failures_of(seeds: Iterable[int]) -> list[Failure]:
    """The first thing that is wrong with each seed."""
    return [failures[0] for seed in seeds if (failures := ran(schedule_of(seed))[1])]


def _failures(seed: int, what: str, check: Callable[[], Iterator[str]]) -> list[Failure]:
    try:
        return [Failure(seed, what, words) for words in check()]
    except THROWN as thrown:
        return [Failure(seed, what, "".join(traceback.format_exception(thrown)))]
