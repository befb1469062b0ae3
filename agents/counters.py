"""What a lane counts. The lane's thread writes, the scrape reads: plain integers, no locks, no library.

A partition's counters outlive its lane, so that totals never fall when a lane moves away and comes back.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.changelog import TICK_KEY, tick_of
from schemas.dead_letters import DeadLetter
from schemas.records import Action, Cause, HotLead, TierTransition
from streams.account import Output
from streams.batches import RecordBatch
from streams.cycle import Folded
from streams.policy import CompiledPolicy

LAG_BOUNDS_MS = (5, 10, 20, 30, 40, 50, 75, 100, 150, 250, 500, 800, 1_000, 1_500, 3_000, 6_000, 15_000, 30_000, 60_000)
LATENESS_BOUNDS_MS = (250, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000, 300_000, 330_000, 600_000, 1_800_000,
                      3_600_000, 86_400_000)  # fmt: skip
COMMIT_BOUNDS_MS = (2, 5, 10, 15, 20, 30, 50, 100, 200, 500, 1_000, 2_500, 5_000, 10_000, 30_000)


class Histogram:
    """How many values were at most each bound; the last count is of those above all bounds."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, amount: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, amount)] += 1
        self.total += amount

    def observe_all(self, amounts: NDArray[Any]) -> None:
        """Count many integers at once: one pass in numpy, because every input record passes here."""
        found = np.bincount(np.searchsorted(self.bounds, amounts, side="left"), minlength=len(self.counts))
        for place, count in enumerate(found.tolist()):
            self.counts[place] += count
        self.total += float(np.sum(amounts))


class LaneCounters:
    """Everything that is counted about one partition in this process."""

    def __init__(self) -> None:
        self.state = "stopped"
        self.events: Counter[str] = Counter()
        self.outputs: Counter[str] = Counter()
        self.transitions: Counter[tuple[str, str, str]] = Counter()
        self.hot_leads: Counter[tuple[str, str, str]] = Counter()
        self.actions: Counter[tuple[str, str]] = Counter()
        self.lateness_ms: dict[str, Histogram] = {}
        self.moved_by_time = 0
        self.ticks = 0
        self.last_tick_ms: int | None = None
        self.dead_letters: Counter[tuple[str, str]] = Counter()
        self.replayed = 0
        self.restored = 0
        self.restore_s = 0.0
        self.restore_left: int | None = None
        self.fences = 0
        self.fold_s = 0.0
        self.handed: Counter[str] = Counter()
        self.due = 0
        self.overdue = 0
        self.folded_to: Mapping[str, int] = {}
        self.appended_ms: dict[str, int] = {}
        self.policy: Callable[[], CompiledPolicy] | None = None
        self.population: Mapping[tuple[str, str], int] = {}
        self.changes = 0
        self.aborts = 0
        self.buffered: dict[str, int] = {}
        self.accounts = 0
        self.commit_ms = Histogram(COMMIT_BOUNDS_MS)
        self.lag_ms: dict[str, Histogram] = {}

    @property
    def commits(self) -> int:
        """Transactions committed."""
        return sum(self.commit_ms.counts)

    def count_events(self, records: RecordBatch, committed_at_ms: int) -> None:
        """Records of a committed transaction: how many, and how long after their append they took effect."""
        lags_ms = np.maximum(committed_at_ms - records.appended_at_ms, 0)
        for number, count in enumerate(np.bincount(records.topic, minlength=len(records.topics)).tolist()):
            if count:
                topic = records.topics[number]
                self.events[topic] += count
                lags_of_topic_ms = lags_ms[records.topic == number]
                self.lag_ms.setdefault(topic, Histogram(LAG_BOUNDS_MS)).observe_all(lags_of_topic_ms)
                self.appended_ms[topic] = committed_at_ms - int(lags_of_topic_ms[-1])

    def count_work(self, folded: Folded) -> None:
        """How the fold of a committed transaction came about."""
        self.handed.update(folded.handed)
        self.due += folded.due

    def count_results(self, outputs: Iterable[Output], dead: Iterable[DeadLetter], changes: Sequence[tuple[bytes, bytes | None]]) -> None:
        """What a committed transaction published and wrote to the changelog."""
        moved_by_time = {output.key for output in outputs if self._counted(output)}
        self.moved_by_time += len(moved_by_time)
        self.dead_letters.update((letter.topic, letter.reason.value) for letter in dead)
        self.changes += len(changes)
        self._count_tick(changes)

    def _counted(self, output: Output) -> bool:
        """One output; whether time alone made it."""
        self.outputs[output.topic] += 1
        match output.record:
            case TierTransition() as told:
                self.transitions[told.scheme, told.direction, told.cause.kind] += 1
            case Action() as told:
                self.actions[told.kind, told.name] += 1
            case HotLead() as told:
                self.hot_leads[told.scheme, told.to_tier, told.trigger or ""] += 1
                return False
            case _:
                return False
        if not made_by_time(told.cause):
            return False
        if told.mode == "LIVE":
            self.lateness_ms.setdefault(told.cause.kind, Histogram(LATENESS_BOUNDS_MS)).observe(max(told.lag_ms, 0))
        return True

    def _count_tick(self, changes: Sequence[tuple[bytes, bytes | None]]) -> None:
        """The tick of a transaction is the last of its changes."""
        key, payload = changes[-1] if changes else (b"", None)
        if key == TICK_KEY and payload is not None:
            self.ticks += 1
            self.last_tick_ms = tick_of(payload)


def made_by_time(cause: Cause) -> bool:
    """Whether no record decided: the cause names the last record that moved the deadline by its place, and no event."""
    return not cause.event_id
