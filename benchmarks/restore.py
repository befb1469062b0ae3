"""How long until a worker that was killed (kill -9) has its accounts back and folds on, and what does an account cost in memory?

The changelog is the worker's own: one worker folds a record of every account and is killed. Then, again and again: a record for every
partition comes in while nobody works, a worker starts, and is killed when it has folded them.

From the start of the restore to the first fold: from the group's assignment, by the worker's log, to the commit of the slowest partition's
record, by its append time in `fold-order`. Before it a new process loads its compiled code, while the group still waits for the killed
one; what that takes is measured apart, in a process that does nothing else, and added. Memory is the growth over a worker that is ready
and knows no account.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from agents.clocks import wall_clock
from agents.generating.poison import Framed
from agents.reading import committed_records
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.fold_order import Folding
from benchmarks.processes import WORKER_CORE, pin
from benchmarks.stand import PARTITIONS, Stand, preload
from benchmarks.workload import account_id
from schemas.codec import Codec
from schemas.records import FoldOrder, Interaction
from streams.partitioning import partition_for
from streams.policy import load_policy
from streams.preparing import prepare

Made = Callable[[int, int], Iterator[Framed]]
"""So many accounts, made known at this instant."""
_ASSIGNED = "rebalance ends lanes=0"


def measured(stand: Stand, policy: Path, made: Made, *, accounts: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each restore."""
    empty_bytes = _empty_worker_bytes(stand, policy, tell)
    settings = stand.settings("restore", "bench")
    said = f"restore: making {accounts:,} accounts"
    preload(settings, made(accounts, wall_clock()), lambda tally: tell(said, tally.records / accounts))
    with stand.worker(settings, policy) as worker:
        worker.await_folded(accounts, partial(tell, "restore: building the changelog"))
        worker.kill()
    for number in range(1, runs + 1):
        tell(f"restore: run {number} of {runs}")
        load_s = _load_s(policy)
        began_at_ms = wall_clock()
        preload(settings, _one_for_each_partition(number, began_at_ms), lambda _: None)
        with Folding(settings) as folding, stand.worker(settings, policy) as worker:
            folding.await_folded(PARTITIONS, worker.require_alive, lambda _: None)
            found = worker.metrics()
            if (known := int(found["tierstream_accounts"])) != accounts:
                raise RuntimeError(f"a restore must give back {accounts} accounts, gave {known}")
            first_fold_s = _folded_everywhere_s(settings, began_at_ms) - worker.said_at_s(_ASSIGNED)
            yield {
                "to_fold_s": load_s + first_fold_s,
                "load_s": load_s,
                "first_fold_s": first_fold_s,
                "restore_s": found["max tierstream_restore_seconds"],
                "outside_s": _folded_everywhere_s(settings, began_at_ms) - began_at_ms / 1000,
                "records": found["tierstream_restored_records_total"],
                "bytes_per_account": (worker.rss_bytes() - empty_bytes) / accounts,
            }
            worker.kill()


def _empty_worker_bytes(stand: Stand, policy: Path, tell: Tell) -> int:
    tell("restore: a worker without accounts")
    with stand.worker(stand.settings("restore-empty", "bench"), policy) as worker:
        worker.await_ready()
        return worker.rss_bytes()


def _one_for_each_partition(number: int, at_ms: int) -> Iterator[Framed]:
    """An interaction of an account that is known, in every partition."""
    codec, left = Codec(), set(range(PARTITIONS))
    for account in map(account_id, range(1_000)):
        if (there := partition_for(account.encode(), PARTITIONS)) in left:
            left.remove(there)
            event = Interaction(event_id=f"after-{number}-{there}", account_id=account, occurred_at=at_ms, kind="DOWNLOAD")
            yield Framed("interactions", account.encode(), codec.encode(event))


def _folded_everywhere_s(settings: Settings, since_ms: int) -> float:
    """When the last partition had its first commit since an instant."""
    codec, first = Codec(), dict[int, int]()
    for raw in committed_records(settings, "fold-order"):
        if raw.appended_at_ms >= since_ms and codec.decode_as(FoldOrder, raw.payload).ranges:
            first.setdefault(raw.partition, raw.appended_at_ms)
    return max(first.values()) / 1000


def _load_s(policy: Path) -> float:
    """What loading the compiled code takes in a process of its own, on the worker's core."""
    process = subprocess.Popen([sys.executable, "-m", __name__, str(policy)], stdout=subprocess.PIPE, text=True)
    pin(process.pid, WORKER_CORE)
    return float(process.communicate(timeout=120)[0])


def load(policy_file: Path) -> float:
    """Load the compiled code of a policy; how long it took, in seconds."""
    policy, began_at = load_policy(policy_file), time.perf_counter()
    prepare(policy)
    return time.perf_counter() - began_at


if __name__ == "__main__":
    print(load(Path(sys.argv[1])))
