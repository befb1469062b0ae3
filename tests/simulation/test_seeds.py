"""Every invariant holds after every run: first the seeds that failed once, then as many others as are asked for.

`SIMULATION_SEEDS` says how many; `python -m tests.simulation` runs any others, in several processes.
"""

import os
from pathlib import Path

import pytest

from tests.simulation.running import ran
from tests.simulation.schedules import BETWEEN, STRIKING, Kind, schedule_of
from tests.simulation.world import World

SEEDS, BLOCK = int(os.environ.get("SIMULATION_SEEDS", "1000")), 25
WRITTEN = ("fold-order", "tier-transitions", "dead-letters", "accounts-changelog")
ONCE_FAILED = Path(__file__).with_name("once_failed.txt")


def once_failed() -> list[int]:
    lines = ONCE_FAILED.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("seed", once_failed())
def test_a_seed_that_failed_once_fails_no_more(seed: int) -> None:
    assert list(map(str, ran(schedule_of(seed))[1])) == []


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_nothing_is_broken_by_any_schedule_of_faults(first: int) -> None:
    for seed in range(first, min(first + BLOCK, SEEDS)):
        assert list(map(str, ran(schedule_of(seed))[1])) == []


def told(world: World) -> list[object]:
    """Everything that was decided and written in partition 0."""
    records = [record[:5] for topic in WRITTEN for record in world.broker.partition(topic, 0).ever]
    return [world.calls, [(each.author, each.outcome) for each in world.broker.decided], records]


def test_a_seed_gives_the_same_run_again() -> None:
    for seed in range(10):
        one, other = (told(ran(schedule_of(seed))[0]) for _ in range(2))
        assert one == other


def test_every_kind_of_fault_strikes() -> None:
    """A schedule that nobody meets would prove nothing."""
    assert {*STRIKING, *BETWEEN} == set(Kind)
    struck = {fault.kind for seed in range(150) for fault in ran(schedule_of(seed))[0].struck}
    assert struck == set(Kind)
