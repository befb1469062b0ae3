"""Does an event cost more, or an account take more, where there are more accounts? And where more of them are hot? In memory, as `stages`.

With so many accounts: every account has had one record (some have lived; their rows are put back under all the names); then events at
random among all of them, batch after batch. With so large a hot set: the events go to that share of all accounts. Each run is a stretch
of its own on the same rows. Memory is the growth of what is resident while rows are put back, after free memory was given back.
"""

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.generating.poison import Framed
from agents.spare_memory import give_back
from benchmarks.figures import Run, Tell
from benchmarks.processes import rss_bytes
from benchmarks.stages import BATCH, START_AT_MS, MemoryLane, Spent, summed
from benchmarks.workload import SEED, account_id, one_each
from schemas.changelog import Kind, classify, row_key
from schemas.codec import Codec
from schemas.records import Interaction

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
HOT_SHARES = {"0.1": 0.001, "1": 0.01, "10": 0.1, "100": 1.0}
"""Of all accounts, by how many percent that is."""
LIVES = 2_000
_HOUR_MS = 3_600_000
Numbers = NDArray[np.int64]
_KINDS = ("VISIT", "EMAIL_OPEN")


def by_accounts(policy_file: Path, *, most: int, batches: int, runs: int, tell: Tell) -> Iterator[Run]:
    """For each run, microseconds for an event with each number of accounts up to `most`, and bytes of an account."""
    measured: dict[str, list[float]] = {}
    for size in (size for size in SIZES if size <= most):
        said = f"growth: {size:,} accounts"
        lane, grown_bytes = _peopled(policy_file, size, said, tell)
        random = np.random.default_rng(SEED)
        cost = [_cost(lane, np.arange(size), batches, number, random) for number in range(runs)]
        measured |= {f"at {size}": [_us(spent) for spent in cost], f"bytes {size}": [grown_bytes / size] * runs}
        tell(said, 1.0)
    yield from ({name: found[number] for name, found in measured.items()} for number in range(runs))


def by_hot_set(policy_file: Path, *, accounts: int, batches: int, runs: int, tell: Tell) -> Iterator[Run]:
    """For each run, microseconds and changelog records for an event, by the share of the accounts that all events go to."""
    lane, _ = _peopled(policy_file, accounts, "growth: hot accounts", tell)
    random, place = np.random.default_rng(SEED), 0
    mixed = random.permutation(accounts)  # the hot ones lie anywhere in memory
    for _ in range(runs):
        run: Run = {}
        for percent, share in HOT_SHARES.items():
            spent = _cost(lane, mixed[: max(1, int(accounts * share))], batches, place, random)
            run |= {f"hot {percent}": _us(spent), f"changes {percent}": spent["changes"]}
            place += 1
        yield run


def _us(spent: Spent) -> float:
    return spent["fold"] + spent["write"]


def _peopled(policy_file: Path, accounts: int, said: str, tell: Tell) -> tuple[MemoryLane, int]:
    """A lane that knows so many accounts, each with one record, and by how much memory grew for them."""
    tell(f"{said}: making accounts")
    lane, one = MemoryLane(policy_file), MemoryLane(policy_file)
    kept = [change for batch in one.batches(one_each(LIVES, START_AT_MS), START_AT_MS) for change in one.changes(batch)]
    rows = [payload for key, payload in kept if classify(key) is Kind.ROW]
    give_back()
    before = rss_bytes(os.getpid())
    lane.put_back(chain([[change for change in kept if classify(change[0]) is Kind.LAYOUT]], _blocks(rows, accounts)))
    give_back()
    if len(lane) != accounts:
        raise RuntimeError(f"there must be {accounts} accounts, there are {len(lane)}")
    return lane, rss_bytes(os.getpid()) - before


def _blocks(rows: list[bytes | None], accounts: int) -> Iterator[list[tuple[bytes, bytes | None]]]:
    """These rows under so many names."""
    for begin in range(0, accounts, BATCH):
        names = range(begin, min(begin + BATCH, accounts))
        yield [(row_key(account_id(number).encode()), rows[number % len(rows)]) for number in names]


def _cost(lane: MemoryLane, among: Numbers, batches: int, stretch: int, random: np.random.Generator) -> Spent:
    """A stretch of events among these accounts."""
    at_ms = START_AT_MS + (stretch + 1) * _HOUR_MS
    made = list(lane.batches(_events(among, batches, at_ms, random), at_ms + _HOUR_MS))
    return summed((lane.take(batch) for batch in made), batches * BATCH)


def _events(among: Numbers, batches: int, at_ms: int, random: np.random.Generator) -> Iterator[Framed]:
    """`batches` times `BATCH` events at random among these accounts."""
    codec = Codec()
    for batch in range(batches):
        for place, account in enumerate(random.choice(among, BATCH).tolist()):
            event = Interaction(
                event_id=f"{at_ms}-{batch}-{place}", account_id=account_id(account), occurred_at=at_ms + batch * 1_000 + place // 20,
                kind=_KINDS[place % 2], dwell_seconds=None if place % 2 else 30.0,
            )  # fmt: skip
            yield Framed("interactions", event.account_id.encode(), codec.encode(event))
