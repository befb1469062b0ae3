"""How many events a second does one worker on one core fold, exactly once, and what does one cost?

Everything is in the topics before the worker starts: a profile of each account, then the interactions. The measured span begins when
every partition has folded its profiles, so that every account is known, and ends with the last commit; both instants are the broker's
append times of `fold-order` records, so the measuring takes nothing from the worker. What was published is audited afterwards.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain
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


class Commit(NamedTuple):
    """What one transaction folded of one topic, and when it was appended."""

    topic: str
    records: int
    appended_at_ms: int


def measured(stand: Stand, policy: Path, *, accounts: int, records: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run: the same input, another application id."""
    prefix = f"throughput-{policy.stem}"
    total = filled(stand.settings(prefix, "run-1"), SPANS_MS[policy.stem], accounts, records, tell)
    for number in range(1, runs + 1):
        settings = stand.settings(prefix, f"run-{number}")
        with stand.worker(settings, policy) as worker, CpuLog(worker.pid) as used:
            worker.await_folded(total, partial(tell, f"throughput {policy.stem}: run {number} of {runs}"))
            run = result(settings, used) | _inside(worker)
        yield run | checked(settings, total)


def filled(settings: Settings, span_ms: int, accounts: int, records: int, tell: Tell) -> int:
    """Put the work into the topics. Returns how many records there are.

    A few interactions come before the profiles, so that the compiled code is loaded before the measured span begins.
    """
    first = min(accounts, FIRST_EVENTS)
    total = first + accounts + records
    start_at_ms = wall_clock() - span_ms
    made = chain(one_each(first, start_at_ms), profiles(accounts, start_at_ms), interactions(accounts, records, start_at_ms, span_ms))
    return preload(settings, made, lambda tally: tell(f"preloading {total:,} records", tally.records / total))


def _commits(settings: Settings) -> list[Commit]:
    codec = Codec()
    return [
        Commit(folded.topic, folded.to_offset - folded.from_offset, raw.appended_at_ms)
        for raw in committed_records(settings, "fold-order")
        for folded in codec.decode_as(FoldOrder, raw.payload).ranges
    ]


def result(settings: Settings, used: CpuLog) -> Run:
    """Rate and cost from the moment every account is known to the last commit."""
    commits = _commits(settings)
    begins_at_ms = max(commit.appended_at_ms for commit in commits if commit.topic == "profiles")
    ends_at_ms = max(commit.appended_at_ms for commit in commits)
    span = [commit for commit in commits if commit.appended_at_ms > begins_at_ms]
    if len(span) < FEWEST_TRANSACTIONS:
        raise ValueError(f"a run must have {FEWEST_TRANSACTIONS} transactions after its profiles, had {len(span)}: give it more records")
    events = sum(commit.records for commit in span)
    return {
        "events_per_s": events / (ends_at_ms - begins_at_ms) * 1000,
        "cpu_us": used.between(begins_at_ms / 1000, ends_at_ms / 1000) / events * 1e6,
        "events_per_transaction": events / len(span),
        "events_measured": events,
    }


def _inside(worker: Worker) -> Run:
    """What the lanes counted from their start to the end, profiles included."""
    found = worker.metrics()
    events, commits = found["tierstream_events_total"], found["tierstream_commits_total"]
    return {
        "fold_us": found["tierstream_fold_seconds_total"] / events * 1e6,
        "commit_ms": found["tierstream_commit_seconds_sum"] / commits * 1e3,
        "changes_per_event": found["tierstream_changelog_records_total"] / events,
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
