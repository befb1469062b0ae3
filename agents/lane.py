"""One partition's work as a step function: fetch, merge by append time, fold, one transaction. No thread, no loop, no clock of its own.

Rules: a cycle takes records from the merge once and folds exactly those, so that its recorded ranges give the same order again;
progress on a topic is the offset after its last folded record, and each range begins where the one before it ended, so transaction
markers between them belong to a range too; memory changes only inside a unit of work that is repeated until it commits.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import msgspec

from agents.ceiling import Ceiling, Window
from agents.clocks import Clock
from agents.counters import LaneCounters
from agents.inbox import Inbox
from agents.pacing import Pace
from agents.partition_log import PartitionLog
from agents.patience import Wait
from agents.recovery import NOTHING, Rows, recover
from agents.unit_of_work import Encode, UnitOfWork, content
from schemas.changelog import Progress
from schemas.records import FoldedRange, FoldedTick, FoldOrder, Mode, QuarantinedRecord
from streams.batches import RecordBatch
from streams.cycle import Folded
from streams.merge import Merge

_log = logging.getLogger("tierstream.lane")

Fold = Callable[[RecordBatch, int, int | None, int | None], Folded]
"""Folds records in this order into the lane's rows, then a tick, if there is one; the arguments after the records are decided_at and
the tick, both in epoch milliseconds, and up to where accounts are decided again before all that (`streams/again.py`)."""

Stopwatch = Callable[[], float]
"""Seconds since whenever: how long folding takes decides how much is folded at once, so a simulation brings its own."""

COUNT_TIERS_EVERY_MS = 30_000
"""0.2 us for each account and count: at most some thousandths of a core with a million accounts."""

AGAIN_S = 0.04
"""So long the accounts that a change of policy left are decided again between two cycles: what arrives meanwhile waits so much longer."""


class TickOffer(NamedTuple):
    """Time may pass up to `at_ms` once every input has been folded to its end at the time of asking."""

    at_ms: int
    ends: Mapping[str, int]


class Duty(NamedTuple):
    """What a lane is to do. `topics`: logical names in merge rank order; `quarantined`: (topic, offset) to dead-letter unread.

    `dead_letter_share`: how much of a topic may be refused (`agents/ceiling.py`). `any_policy`: nobody has named the policy, so that in
    force is the right one, whichever it is.
    """

    topics: tuple[str, ...]
    policy_digest: str
    application: str
    mode: Mode
    batch_records: int
    quarantined: frozenset[tuple[str, int]] = frozenset()
    dead_letter_share: float = 1.0
    any_policy: bool = False


class Lane:
    """Owns one partition from `recover` until it is closed. One caller at a time."""

    def __init__(
        self, log: PartitionLog, rows: Rows, fold: Fold, encode: Encode, duty: Duty, *,
        clock: Clock, baton: AbstractContextManager[object], counters: LaneCounters, wait: Wait = time.sleep,
        stopwatch: Stopwatch = time.perf_counter,
    ) -> None:  # fmt: skip
        self.log, self.rows, self.duty, self.counters = log, rows, duty, counters
        self._fold, self._encode, self._clock, self._baton, self._wait = fold, encode, clock, baton, wait
        self._stopwatch = stopwatch
        self._moved_tiers, self._tiers_counted_at_ms = True, -COUNT_TIERS_EVERY_MS
        self._work = UnitOfWork(log, counters, baton, wait)
        self._inbox, self._nothing = Inbox(log, duty.topics, duty.batch_records, counters), Merge(duty.topics, log.number).take(0)
        self._pace, self._again_pace = Pace(duty.batch_records), Pace(duty.batch_records, AGAIN_S)
        self._digest = duty.policy_digest
        self._ceiling = Ceiling(duty.dead_letter_share)
        self._progress: dict[str, Progress] = {}
        self.tick_offer: TickOffer | None = None

    # -- life ----------------------------------------------------------------------------------------------------------

    def recover(self, given_up: Callable[[], bool] = lambda: False, fencing: AbstractContextManager[object] = NOTHING) -> None:
        """Take the partition and restore it; afterwards the lane may step. `fencing` is entered while the former owner is fenced."""
        began_at = self._stopwatch()
        named = None if self.duty.any_policy else self.duty.policy_digest
        ground = recover(self.log, self.rows, named, self.counters, self._wait, given_up, fencing)
        self._first, self._digest = not ground.progress, self.rows.policy_digest
        if self._digest != self.duty.policy_digest:
            self._tell_policy()
        self._inbox.start(ground.positions)
        pinned = ground.changelog_id
        begins = {t: Progress(ground.positions[t], self._digest, ground.topic_ids[t], 0, 0, pinned) for t in self.duty.topics}
        made = {topic: msgspec.structs.replace(at, changelog_id=pinned) for topic, at in ground.progress.items() if topic in begins}
        self._progress = begins | made
        self.counters.accounts, self.counters.restore_left = len(self.rows), None
        self.counters.restore_s = self._stopwatch() - began_at

    def step(self, timeout_s: float) -> bool:
        """Fetch, then one unit of work if any order is settled. True: a transaction was committed."""
        self.gather(timeout_s)
        return self.cycle()

    def gather(self, timeout_s: float) -> None:
        """Read what is there; waits only if there is nothing to do."""
        self._inbox.gather(timeout_s, at_once=self.rows.undecided > 0)

    def waiting(self) -> int:
        """Records that were read and are not committed yet."""
        return self._inbox.waiting()

    def folded_to(self) -> dict[str, int]:
        """Where each input has been folded to, transaction markers behind it included. Asked between two units of work."""
        return self._folded_to(self._nothing)

    def offer_tick(self, at_ms: int, heartbeat_ms: int) -> None:
        """Let time pass up to `at_ms` once the inputs are folded, if any account is due or the last tick is so long ago.

        Asks the broker for the inputs' ends. Raises LogError.
        """
        previous_ms = self.rows.last_tick_ms
        if self.tick_offer is not None or (previous_ms is not None and at_ms <= previous_ms):
            return  # time does not go back, whatever the clock does
        if previous_ms is None or at_ms - previous_ms >= heartbeat_ms or self.rows.is_due(at_ms):
            self.tick_offer = TickOffer(at_ms, self.log.ends())

    # -- one unit of work ----------------------------------------------------------------------------------------------

    def cycle(self) -> bool:
        """Fold what is settled and commit it; now and then look at what all accounts have come to. True: there was something to do."""
        done = self._fold_settled()
        done = self._decide_again() or done
        self._count_tiers()
        return done

    def _count_tiers(self) -> None:
        """Count how many accounts stand in each tier, if that has changed and the last count is old: every row is looked at."""
        now_ms = self._clock()
        if self._moved_tiers and now_ms - self._tiers_counted_at_ms >= COUNT_TIERS_EVERY_MS:
            self.counters.population = self.rows.population()
            self._tiers_counted_at_ms, self._moved_tiers = now_ms, False

    def _fold_settled(self) -> bool:
        """One unit of work of what is settled. True: there was something."""
        taken = self._inbox.take(self._pace.records)
        tick = self._due_tick(taken)
        if not len(taken) and tick is None:
            return False
        fold_s = self._unit(taken, tick, None)
        if tick is None:
            self._pace.spent(len(taken), fold_s)
        return True

    def _decide_again(self) -> bool:
        """One unit of work of accounts that a change of policy left. True: there were some."""
        before = self.rows.undecided
        if not before or (decided_to := self.rows.slice_of(self._again_pace.records)) is None:
            return False
        fold_s = self._unit(self._nothing, None, decided_to)
        self._again_pace.spent(before - self.rows.undecided, fold_s)
        return True

    def _unit(self, taken: RecordBatch, tick: FoldedTick | None, decided_to: int | None) -> float:
        """Fold and commit; how long folding took, in seconds."""
        with self._baton:  # one lane computes at a time; the others do their input and output meanwhile
            began_at = self._stopwatch()
            folded = self._fold(taken, self._clock(), tick.at if tick is not None else None, decided_to)
            fold_s = self._stopwatch() - began_at
            ranges = self._ranges(taken)
            moved = self._moved(ranges, self._ceiling.windows(self._progress, taken, folded.dead))
            order = self._order(taken, ranges, tick, decided_to)
            before, self._digest = self._digest, self.rows.policy_digest
            records = content(folded, order, moved, self._encode, self.duty.application)
            sent = self._work.send(records)
        self._work.commit(records, sent)
        if self._digest != before:
            self._tell_policy()
        self.counters.fold_s += fold_s
        self._progress |= moved
        self._first = False
        self._count(taken, folded)
        return fold_s

    def _tell_policy(self) -> None:
        _log.info("policy in force partition=%d digest=%s undecided=%d", self.log.number, self._digest, self.rows.undecided)

    def _due_tick(self, taken: RecordBatch) -> FoldedTick | None:
        """The tick on offer, if with this cycle every input has been folded up to the ends that belong to it."""
        offer, previous = self.tick_offer, self.rows.last_tick_ms
        if offer is None:
            return None
        folded_to = self._folded_to(taken)
        if any(folded_to[topic] < end for topic, end in offer.ends.items()):
            return None
        self.tick_offer = None
        return FoldedTick(at=offer.at_ms, previous=previous)

    def _folded_to(self, taken: RecordBatch) -> dict[str, int]:
        """Where each input will have been folded to after this cycle; markers behind the last record count where nothing is buffered."""
        read, last = self.log.positions(), taken.last_offsets()
        return {
            topic: last.get(topic, self._progress[topic].next_offset - 1) + 1 if self._inbox.buffered(topic) else read[topic]
            for topic in self.duty.topics
        }

    def _ranges(self, taken: RecordBatch) -> list[FoldedRange]:
        """[from, to) of each topic that has records here; from is where its last range ended."""
        last = taken.last_offsets()
        return [
            FoldedRange(topic=t, from_offset=self._progress[t].next_offset, to_offset=last[t] + 1) for t in self.duty.topics if t in last
        ]

    def _moved(self, ranges: Sequence[FoldedRange], windows: Mapping[str, Window]) -> dict[str, Progress]:
        """Progress to write: of the topics that moved; of all in the first transaction and under another policy, to pin policy and ids."""
        digest = self.rows.policy_digest
        moved = dict(self._progress) if self._first or digest != self._digest else {}
        for folded in ranges:
            at, window = self._progress[folded.topic], windows.get(folded.topic, (0, 0))
            moved[folded.topic] = Progress(folded.to_offset, digest, at.topic_id, *window, at.changelog_id)
        return {topic: msgspec.structs.replace(at, policy_digest=digest) for topic, at in moved.items()}

    def _order(self, taken: RecordBatch, ranges: list[FoldedRange], tick: FoldedTick | None, decided_to: int | None) -> FoldOrder:
        """The record from which a replay knows what this transaction folded."""
        quarantined = self.duty.quarantined
        refused = (
            [QuarantinedRecord(topic=r.topic, offset=r.offset) for r in taken if (r.topic, r.offset) in quarantined] if quarantined else []
        )
        return FoldOrder(
            partition=self.log.number,
            ranges=ranges,
            tick=tick,
            mode=self.duty.mode,
            policy_digest=self._digest,
            quarantined=refused,
            decided_to=decided_to,
        )

    def _count(self, taken: RecordBatch, folded: Folded) -> None:
        self.counters.count_events(taken, self._clock())
        self.counters.count_work(folded)
        self._moved_tiers = self._moved_tiers or bool(folded.outputs)
        self.counters.count_results(folded.outputs, folded.dead, folded.changes)
        self.counters.accounts = len(self.rows)
