"""`python -m tests.simulation`: run one seed and see what happens, or many and see which fail. Exit code 1: something is broken."""

import argparse
import os
import sys
import time

from rich.progress import track

from tests.simulation.pool import blocks, in_processes, quietly
from tests.simulation.running import ran
from tests.simulation.schedules import schedule_of


def main() -> int:
    """The command."""
    asked = _arguments()
    quietly()
    if asked.seed is not None:
        return _show(asked.seed)
    began_at, failed = time.perf_counter(), 0
    seeds = range(asked.first, asked.first + asked.seeds)
    for failures in track(in_processes(seeds, asked.processes), "seeds", total=len(blocks(seeds))):
        failed += len(failures)
        for failure in failures:
            print(failure, flush=True)
    took_s = time.perf_counter() - began_at
    print(f"{asked.seeds} seeds from {asked.first} on, {failed} failed, {asked.seeds / took_s:.0f} seeds/s on {asked.processes} processes")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one, and print its schedule and what its owners met")
    parser.add_argument("--seeds", type=int, default=1_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once (default: %(default)s)")
    return parser.parse_args()


def _show(seed: int) -> int:
    schedule = schedule_of(seed)
    print(schedule)
    world, failures = ran(schedule)
    for number, owners in sorted(world.owners.items()):
        for owner in owners:
            met = "; ".join(map(str, owner.log.struck)) or "nothing"
            end = "lives" if owner.lives else f"ended by {type(owner.ended_by).__name__} {owner.ended_by}"
            print(f"{owner.name}: {end}; met: {met}")
        print(f"partition {number}: {len(world.transactions(number))} transactions")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
