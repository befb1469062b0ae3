"""The lanes of this process: a thread for each assigned partition that does nothing but call its lane's steps.

Rules: a lane that is kept through a rebalance keeps its memory and its producer's epoch (if another had the partition meanwhile, the next
commit is fenced); a lane that is lost closes its clients and drops its rows; no account is read while a unit of work is open; one
lane computes at a time (the baton), because lanes that contend for the interpreter make every commit wait for all of them.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from agents import clients
from agents.clocks import Clock
from agents.counters import LaneCounters
from agents.identities import Identities
from agents.kafka_log import KafkaLog
from agents.lane import Duty, Lane
from agents.obituary import EndsTheProcess
from agents.patience import GivenUp
from agents.registry import codec_for
from agents.settings import Settings
from agents.stepping import Steps
from schemas.records import Mode
from streams.batches import RecordBatch
from streams.cycle import Folded, fold_cycle
from streams.partition import Partition
from streams.policy import CompiledPolicy

_FETCH_S = 0.2  # how long a lane listens before it looks whether it should pause or end
_READ_S = 1.0
_END_S = 10.0

MakeLane = Callable[[int, LaneCounters], Steps]


class FairLock:
    """A lock that a loop which takes it again at once cannot keep from others: who waits for it holds the way in."""

    def __init__(self) -> None:
        self._way_in, self._held = threading.Lock(), threading.Lock()

    def acquire(self, timeout_s: float = -1) -> bool:
        """True once it is ours; False after `timeout_s`."""
        if not self._way_in.acquire(timeout=timeout_s):
            return False
        try:
            return self._held.acquire(timeout=timeout_s)
        finally:
            self._way_in.release()

    def release(self) -> None:
        """Give it back."""
        self._held.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class LaneThread:
    """The thread of one lane, and the only way to it. `ready` is set once the lane is restored (or has ended)."""

    def __init__(self, number: int, make: MakeLane, counters: LaneCounters) -> None:
        self.number, self.counters = number, counters
        self.ready = threading.Event()
        self.progressed_at_s = time.monotonic()  # last commit, restored batch, or moment with nothing to do
        self.thread = threading.Thread(target=self._run, name=f"lane-{number}", daemon=True)
        self._make = make
        self._lane: Steps | None = None
        self._rows = FairLock()  # held by a unit of work or by a reader
        self._restored_before = 0
        self._go_on = threading.Event()
        self._go_on.set()
        self._ending = threading.Event()

    @property
    def state(self) -> str:
        """restoring, running, paused or stopped."""
        return self.counters.state

    @property
    def accounts(self) -> int:
        """How many accounts the lane knows."""
        return self.counters.accounts

    def read(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:
        """One account between two units of work, None if it was never seen. Raises TimeoutError after a second.

        As of `at_ms`, or as far as time has been folded.
        """
        if not self.ready.is_set() or not self._rows.acquire(_READ_S):
            raise TimeoutError(f"lane {self.number} is {self.state} and busy: no pause between units of work within {_READ_S:g} s")
        try:
            if self._lane is None:
                raise TimeoutError(f"lane {self.number} has ended")
            return self._lane.rows.view(account_id, at_ms)
        finally:
            self._rows.release()

    def positions(self) -> dict[str, int]:
        """How far each input has been read; empty before the lane is restored."""
        lane = self._lane
        return lane.log.positions() if lane is not None else {}

    def ends(self) -> dict[str, int]:
        """Each input's end, asked of the broker now. Raises LogError."""
        lane = self._lane
        return lane.log.ends() if lane is not None else {}

    def offer_tick(self, at_ms: int, heartbeat_ms: int) -> None:
        """Let time pass up to `at_ms`, if the lane runs and has reason to (`Lane.offer_tick`). Raises LogError."""
        lane = self._lane
        if lane is not None and self.state == "running":
            self.counters.overdue = lane.rows.overdue(at_ms)
            lane.offer_tick(at_ms, heartbeat_ms)

    def pause(self) -> None:
        """Begin no further unit of work; `paused` says when the running one is done."""
        self._go_on.clear()

    def paused(self, timeout_s: float) -> bool:
        """Wait until no unit of work is open."""
        if not self._rows.acquire(max(0.0, timeout_s)):
            return False
        self._rows.release()
        return True

    def resume(self) -> None:
        """Go on after a pause, with memory and epoch."""
        self._go_on.set()

    def end(self) -> None:
        """Stop after the running unit of work; `thread.join` says when."""
        self._ending.set()
        self._go_on.set()

    # -- in the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with EndsTheProcess(self.number, self._ending.is_set):
            self.counters.state = "restoring"
            self._lane = lane = self._make(self.number, self.counters)
            lane.recover(self._interrupted, self._unpaused())
            self.counters.folded_to = lane.folded_to()
            self.ready.set()
            while not self._ending.is_set():
                self._step(lane)
        self._bury()

    @contextmanager
    def _unpaused(self) -> Iterator[None]:
        """Nobody takes the partition away meanwhile: a pause waits for it. Otherwise a lane on its way out could fence the next owner."""
        while True:
            self._go_on.wait()
            with self._rows:
                if self._ending.is_set():
                    raise GivenUp("the partition was taken away before it was ours")
                if self._go_on.is_set():
                    yield
                    return

    def _interrupted(self) -> bool:
        """Asked between two batches of a restore: also how the watchdog knows that it goes on."""
        if self.counters.restored != self._restored_before:
            self._restored_before = self.counters.restored
            self.progressed_at_s = time.monotonic()
        return self._ending.is_set()

    def _step(self, lane: Steps) -> None:
        if not self._go_on.is_set():
            self.counters.state = "paused"
            self._go_on.wait()
            self.progressed_at_s = time.monotonic()
            return
        self.counters.state = "running"
        lane.gather(_FETCH_S)
        committed = False
        with self._rows:
            if self._go_on.is_set() and not self._ending.is_set():
                committed = lane.cycle()
                self.counters.folded_to = lane.folded_to()
        if committed or lane.waiting() == 0:
            self.progressed_at_s = time.monotonic()

    def _bury(self) -> None:
        """Give back what the lane held. Its counters stay."""
        with self._rows:
            lane, self._lane = self._lane, None
        if lane is not None:
            lane.log.close()
        self.counters.state = "stopped"
        self.counters.accounts = self.counters.overdue = 0
        self.counters.buffered.clear()
        self.counters.policy, self.counters.folded_to, self.counters.restore_left = None, {}, None
        self.ready.set()


class Lanes:
    """The lanes by partition number. Called by whoever follows the group's assignment, one call at a time."""

    def __init__(
        self,
        settings: Settings,
        policy: CompiledPolicy,
        clock: Clock,
        quarantined: Collection[tuple[str, int, int]] = frozenset(),
        make_lane: MakeLane | None = None,
    ) -> None:
        """`quarantined`: (topic, partition, offset) to dead-letter unread. `make_lane` builds another kind of lane, for tests."""
        self.by_number: dict[int, LaneThread] = {}
        self.counters: dict[int, LaneCounters] = {}
        self._make = make_lane or lane_maker(settings, policy, clock, frozenset(quarantined))

    def start(self, numbers: Collection[int]) -> None:
        """Take these partitions: each lane fences, restores and runs."""
        if here := sorted(set(numbers) & set(self.by_number)):
            raise RuntimeError(f"lanes must not be here already, got {here}")
        for number in sorted(numbers):
            lane = LaneThread(number, self._make, self.counters.setdefault(number, LaneCounters()))
            self.by_number[number] = lane
            lane.thread.start()

    def pause(self, timeout_s: float) -> bool:
        """Let every lane end its running transaction and wait; False if one did not manage in time."""
        give_up_at = time.monotonic() + timeout_s
        lanes = list(self.by_number.values())
        for lane in lanes:
            lane.pause()
        return all(lane.paused(give_up_at - time.monotonic()) for lane in lanes)

    def resume(self) -> None:
        """Let the lanes go on that were paused."""
        for lane in list(self.by_number.values()):
            lane.resume()

    def end(self, numbers: Collection[int], timeout_s: float = _END_S) -> None:
        """Give these partitions up: each lane ends its running transaction, closes its clients and drops its rows.

        A lane that does not manage in time ends when it can; whoever has the partition by then fences it.
        """
        gone = [lane for number in sorted(numbers) if (lane := self.by_number.pop(number, None)) is not None]
        for lane in gone:
            lane.end()
        give_up_at = time.monotonic() + timeout_s
        for lane in gone:
            lane.thread.join(max(0.0, give_up_at - time.monotonic()))

    def stop(self) -> None:
        """End every lane."""
        self.end(list(self.by_number))


def lane_maker(settings: Settings, policy: CompiledPolicy, clock: Clock, quarantined: frozenset[tuple[str, int, int]]) -> MakeLane:
    """Lanes on Kafka under this policy, sharing one codec, one admin client and one baton."""
    codec, baton = codec_for(settings, at_work=True), threading.Lock()
    topics = policy.folded if settings.clock == "wall" else (*policy.folded, "ticks")
    mode: Mode = "LIVE" if settings.clock == "wall" else "BACKFILL"
    admin = cache(partial(clients.admin_client, settings))  # made with the first lane: nothing connects before
    identities = cache(lambda: Identities(admin()))

    def make(number: int, counters: LaneCounters) -> Lane:
        refused = frozenset((topic, offset) for topic, partition, offset in quarantined if partition == number)
        partition = Partition(number, settings.partitions, settings.application_id, policy, schemas=codec.catalogue)
        counters.policy = lambda: partition.policy

        def fold(records: RecordBatch, decided_at_ms: int, tick_ms: int | None, decided_to: int | None) -> Folded:
            return fold_cycle(
                partition,
                records,
                codec,
                mode=mode,
                decided_at_ms=decided_at_ms,
                quarantined=refused,
                tick_ms=tick_ms,
                decided_to=decided_to,
            )

        duty = Duty(
            topics, policy.digest, settings.application_id, mode, settings.batch_records, refused, settings.dead_letter_share,
            any_policy=settings.policy is None,
        )  # fmt: skip
        log = KafkaLog(settings, number, topics, admin(), identities())
        return Lane(log, partition, fold, codec.encode_all, duty, clock=clock, baton=baton, counters=counters)

    return make
