"""How many events a second does one worker on one core fold, exactly once, and what does one cost? And: how long is a restore?

First every account is made known: a profile of each. Then, run after run, a worker starts on what the one before has left, restores, and
is halted (SIGSTOP) while the next stretch of interactions is put into the topics, so that everything is there when it goes on. The
measured span is from the first commit after that to the last; both instants are the broker's append times of `fold-order` records, so
the measuring takes nothing from the worker. Time passes by the records alone (`clock: records`): no tick comes between two stretches
of one history. What was published is audited at the end.
"""

import signal
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from agents.auditing import audited
from agents.clocks import wall_clock
from agents.reading import committed_records
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.processes import CpuLog
from benchmarks.stand import Stand, Worker, preload
from benchmarks.workload import SPANS_MS, interactions, one_each, profiles
from schemas.codec import Codec
from schemas.records import FoldOrder, TierTransition

FEWEST_TRANSACTIONS = 8
FIRST_EVENTS = 2_000
_SESSION_S = 300.0


class Commit(NamedTuple):
    """What one transaction folded of one topic, and when it was appended."""

    topic: str
    records: int
    appended_at_ms: int


def measured(stand: Stand, policy: Path, *, accounts: int, records: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run: stretches of `records` interactions, one after the other in event time."""
    settings = stand.settings(f"throughput-{policy.stem}", "bench", clock="records", session_timeout_s=_SESSION_S)
    span_ms = SPANS_MS[policy.stem]
    start_at_ms = wall_clock() - span_ms
    empty_bytes = _empty_bytes(stand, policy)
    total = _made_known(stand, settings, policy, accounts, start_at_ms, tell)
    events = interactions(accounts, records * runs, start_at_ms, span_ms)
    for number in range(1, runs + 1):
        said = f"throughput {policy.stem}: run {number} of {runs}"
        tell(said)
        with stand.worker(settings, policy) as worker:
            worker.await_ready()
            found = _restored(worker, accounts, empty_bytes)
            worker.process.send_signal(signal.SIGSTOP)
            preload(settings, islice(events, records), lambda tally, said=said: tell(f"{said}: preloading", tally.records / records))  # type: ignore[misc]
            with CpuLog(worker.pid) as used:
                begins_at_ms = wall_clock()
                worker.process.send_signal(signal.SIGCONT)
                worker.await_folded(records, partial(tell, said))
                found |= _inside(worker)
        total += records
        yield found | _rate(settings, used, begins_at_ms) | checked(settings, total)


def _made_known(stand: Stand, settings: Settings, policy: Path, accounts: int, start_at_ms: int, tell: Tell) -> int:
    """Have every account known to the application. Returns how many records that took."""
    first = min(accounts, FIRST_EVENTS)
    total = first + accounts
    made = chain(one_each(first, start_at_ms), profiles(accounts, start_at_ms))
    said = f"throughput {policy.stem}: making accounts"
    preload(settings, made, lambda tally: tell(said, tally.records / total))
    with stand.worker(settings, policy) as worker:
        worker.await_folded(total, partial(tell, said))
    return total


def _empty_bytes(stand: Stand, policy: Path) -> int:
    """Memory of a worker that is ready and knows no account."""
    with stand.worker(stand.settings(f"throughput-{policy.stem}-empty", "bench", clock="records"), policy) as worker:
        worker.await_ready()
        return worker.rss_bytes()


def _restored(worker: Worker, accounts: int, empty_bytes: int) -> Run:
    """What the restore took, and what an account takes."""
    found = worker.metrics()
    if (known := int(found["tierstream_accounts"])) != accounts:
        raise RuntimeError(f"a restore must give back {accounts} accounts, gave {known}")
    return {
        "restore_s": found["max tierstream_restore_seconds"],
        "bytes_per_account": (worker.rss_bytes() - empty_bytes) / accounts,
    }


def _rate(settings: Settings, used: CpuLog, since_ms: int) -> Run:
    """Rate and cost from the first commit after an instant to the last."""
    commits = [commit for commit in _commits(settings) if commit.appended_at_ms >= since_ms]
    instants = [commit.appended_at_ms for commit in commits]
    return _between(commits, min(instants), max(instants), used)


def _commits(settings: Settings) -> list[Commit]:
    codec = Codec()
    return [
        Commit(folded.topic, folded.to_offset - folded.from_offset, raw.appended_at_ms)
        for raw in committed_records(settings, "fold-order")
        for folded in codec.decode_as(FoldOrder, raw.payload).ranges
    ]


def _between(commits: list[Commit], begins_at_ms: int, ends_at_ms: int, used: CpuLog) -> Run:
    span = [commit for commit in commits if commit.appended_at_ms > begins_at_ms]
    if len(span) < FEWEST_TRANSACTIONS:
        raise ValueError(f"a run must have {FEWEST_TRANSACTIONS} transactions in its span, had {len(span)}: give it more records")
    events = sum(commit.records for commit in span)
    return {
        "events_per_s": events / (ends_at_ms - begins_at_ms) * 1000,
        "cpu_us": used.between(begins_at_ms / 1000, ends_at_ms / 1000) / events * 1e6,
        "events_per_transaction": events / len(span),
        "events_measured": events,
    }


def _inside(worker: Worker) -> Run:
    """What the lanes counted of this run."""
    found = worker.metrics()
    events, commits = found["tierstream_events_total"], found["tierstream_commits_total"]
    return {
        "fold_us": found["tierstream_fold_seconds_total"] / events * 1e6,
        "commit_ms": found["tierstream_commit_seconds_sum"] / commits * 1e3,
        "changes_per_event": found["tierstream_changelog_records_total"] / events,
        "handed_percent": 100 * found.get("tierstream_handed_over_total", 0.0) / events,
    }


def checked(settings: Settings, total: int) -> Run:
    """Every record folded once, in gapless ranges; every chain of transitions whole."""
    folded = sum(commit.records for commit in _commits(settings))
    if folded != total:
        raise RuntimeError(f"fold-order must cover {total} records, covers {folded}")
    codec = Codec()
    mine = [
        raw
        for raw in committed_records(settings, "tier-transitions")
        if codec.decode_as(TierTransition, raw.payload).application == settings.application_id
    ]
    audit = audited(mine, codec)
    if audit.breaches:
        raise RuntimeError(f"audit found {len(audit.breaches)} breaches, the first: {audit.breaches[0]}")
    return {"transitions": audit.transitions}
