"""Does an event cost more where there are more accounts, or where a batch touches more of them? In memory, as `stages`.

With so many accounts: every account has had one record; then events at random among all of them, batch after batch. With so many
touched: of a fixed number of accounts, a batch meets that many different ones. Each run is a stretch of its own on the same rows.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agents.generating.poison import Framed
from benchmarks.figures import Run, Tell
from benchmarks.stages import BATCH, START_AT_MS, MemoryLane, summed
from benchmarks.workload import SEED, account_id, one_each
from schemas.codec import Codec
from schemas.records import Interaction

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
TOUCHED = (BATCH, BATCH // 10, BATCH // 100)
_AMONG = 100_000
_HOUR_MS = 3_600_000
_KINDS = ("VISIT", "EMAIL_OPEN")


def by_accounts(policy_file: Path, *, most: int, batches: int, runs: int, tell: Tell) -> Iterator[Run]:
    """For each run, microseconds for an event with each number of accounts up to `most`."""
    sizes = [size for size in SIZES if size <= most]
    measured = {size: _runs(policy_file, size, BATCH, batches, runs, tell) for size in sizes}
    yield from ({f"at {size}": measured[size][number] for size in sizes} for number in range(runs))


def by_touched(policy_file: Path, *, accounts: int, batches: int, runs: int, tell: Tell) -> Iterator[Run]:
    """For each run, microseconds for an event where a batch touches so many accounts."""
    measured = {touched: _runs(policy_file, accounts, touched, batches, runs, tell) for touched in TOUCHED}
    yield from ({f"touching {touched}": measured[touched][number] for touched in TOUCHED} for number in range(runs))


def _runs(policy_file: Path, accounts: int, touched: int, batches: int, runs: int, tell: Tell) -> list[float]:
    said = f"growth: {accounts:,} accounts, {touched:,} touched"
    lane, random = MemoryLane(policy_file), np.random.default_rng(SEED)
    for number, batch in enumerate(lane.batches(one_each(accounts, START_AT_MS), START_AT_MS)):
        tell(f"{said}: making accounts", number * BATCH / accounts)
        lane.take(batch)
    found = []
    for number in range(runs):
        tell(f"{said}: run {number + 1} of {runs}")
        at_ms = START_AT_MS + (number + 1) * _HOUR_MS
        made = list(lane.batches(_events(accounts, touched, batches, at_ms, random), at_ms + _HOUR_MS))
        spent = summed((lane.take(batch) for batch in made), batches * BATCH)
        found.append(spent["fold"] + spent["write"])
    return found


def _events(accounts: int, touched: int, batches: int, at_ms: int, random: np.random.Generator) -> Iterator[Framed]:
    """`batches` times `BATCH` events, each batch among `touched` accounts (at most) that are drawn from all."""
    codec = Codec()
    for batch in range(batches):
        among = random.integers(0, accounts, touched)
        who = among if touched == BATCH else random.choice(among, BATCH)
        for place, account in enumerate(who.tolist()):
            event = Interaction(
                event_id=f"{at_ms}-{batch}-{place}", account_id=account_id(account), occurred_at=at_ms + batch * 1_000 + place // 20,
                kind=_KINDS[place % 2], dwell_seconds=None if place % 2 else 30.0,
            )  # fmt: skip
            yield Framed("interactions", event.account_id.encode(), codec.encode(event))
