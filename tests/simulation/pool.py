"""Seeds in several processes, a block at a time."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.running import Failure, failures_of

BLOCK = 20


def quietly() -> None:
    """Lanes warn of what is done to them on purpose."""
    logging.getLogger("tierstream").setLevel(logging.ERROR)


def blocks(seeds: Sequence[int]) -> list[Sequence[int]]:
    """Cut for processes."""
    return [seeds[at : at + BLOCK] for at in range(0, len(seeds), BLOCK)]


def in_processes(seeds: Sequence[int], most: int) -> Iterator[list[Failure]]:
    """What went wrong, block by block, in order."""
    with ProcessPoolExecutor(most, get_context("spawn"), initializer=quietly) as pool:
        yield from pool.map(failures_of, blocks(seeds))
