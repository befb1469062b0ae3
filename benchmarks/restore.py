"""How long until a worker that was killed has its accounts back, and what does an account cost in memory?

The changelog is the worker's own: one worker folds a record of every account and is killed. Then, again and again, a worker starts
on it, and is killed when it is ready. Its own clock says how long the slowest partition took, from the start of its restore to its
first possible fold; the clock outside adds the start of the process and the group's patience with the killed one. Memory is the growth
over a worker that is ready and knows no account.
"""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from agents.clocks import wall_clock
from benchmarks.figures import Run, Tell
from benchmarks.stand import Stand, preload
from benchmarks.workload import one_each


def measured(stand: Stand, policy: Path, *, accounts: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each restore."""
    empty_bytes = _empty_worker_bytes(stand, policy, tell)
    settings = stand.settings("restore", "bench")
    said = f"restore: making {accounts:,} accounts"
    preload(settings, one_each(accounts, wall_clock()), lambda tally: tell(said, tally.records / accounts))
    with stand.worker(settings, policy) as worker:
        worker.await_folded(accounts, partial(tell, "restore: building the changelog"))
        worker.kill()
    for number in range(1, runs + 1):
        tell(f"restore: run {number} of {runs}")
        began_at = time.monotonic()
        with stand.worker(settings, policy) as worker:
            worker.await_ready()
            outside_s = time.monotonic() - began_at
            found = worker.metrics()
            known = int(found["tierstream_accounts"])
            if known != accounts:
                raise RuntimeError(f"a restore must give back {accounts} accounts, gave {known}")
            yield {
                "restore_s": found["max tierstream_restore_seconds"],
                "outside_s": outside_s,
                "records": found["tierstream_restored_records_total"],
                "bytes_per_account": (worker.rss_bytes() - empty_bytes) / accounts,
            }
            worker.kill()


def _empty_worker_bytes(stand: Stand, policy: Path, tell: Tell) -> int:
    tell("restore: a worker without accounts")
    with stand.worker(stand.settings("restore-empty", "bench"), policy) as worker:
        worker.await_ready()
        return worker.rss_bytes()
