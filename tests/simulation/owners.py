"""One owner of a partition: the real lane over the real partition, on a log where faults strike. It lives until one of them ends it."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec

from agents.counters import LaneCounters
from agents.lane import Duty, Lane
from agents.partition_log import Fatal, Fenced, LogError, PositionLost
from agents.patience import GivenUp
from schemas.changelog import ChangelogError
from schemas.codec import Codec
from streams.batches import RecordBatch
from streams.cycle import Folded, fold_cycle
from streams.partition import Partition
from tests.simulation.memory import Memory, memory_of
from tests.simulation.policies import policy_of
from tests.simulation.striking import Crashed, StruckLog

if TYPE_CHECKING:
    from tests.simulation.world import World

APPLICATION = "simulated"
TICK_DELAY_MS, HEARTBEAT_MS = 200, 60_000
CODEC = Codec()
TORN = (ChangelogError, ValueError, msgspec.MsgspecError)
"""What a torn value may end an owner with."""


class Owner:
    """`ended_by`: what ended it, None while it lives. `memory`: what it had after its last step, None where it ended in one.

    `commits`: so many transactions had been committed when it last restored or committed.
    """

    def __init__(self, world: "World", number: int, name: str) -> None:
        schedule = world.schedule
        self.world, self.number, self.name = world, number, name
        self.policy = policy_of(schedule.policy, world.moved)
        self.partition = Partition(number, schedule.partitions, APPLICATION, self.policy, forward=schedule.folded_by != "python")
        self.log = StruckLog(world, number, name)
        self.ended_by: BaseException | None = None
        self.memory: Memory | None = None
        self.commits = 0
        quarantined = schedule.quarantined
        duty = Duty(world.topics, self.policy.digest, APPLICATION, schedule.mode, schedule.batch_records, quarantined, any_policy=True)
        self.lane = Lane(
            self.log, self.partition, self._fold, CODEC.encode_all, duty, clock=world.worker_clock, baton=nullcontext(),
            counters=LaneCounters(), wait=world.wait, stopwatch=world.stopwatch,
        )  # fmt: skip

    def _fold(self, records: RecordBatch, decided_at_ms: int, tick_ms: int | None, decided_to: int | None) -> Folded:
        how = self.lane.duty
        return fold_cycle(
            self.partition, records, CODEC, mode=how.mode, decided_at_ms=decided_at_ms, quarantined=how.quarantined, tick_ms=tick_ms,
            decided_to=decided_to,
        )  # fmt: skip

    @property
    def lives(self) -> bool:
        """Whether it would take another step."""
        return self.ended_by is None

    def recover(self, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Take the partition; whether it has it now."""
        if self._survives(lambda: self.lane.recover(given_up)):
            self.commits = self.log.commits_before
            self.world.note_restored(self)
        return self.lives

    def step(self) -> bool:
        """One step; whether it lives on."""
        return self.lives and self._survives(lambda: self.lane.step(0.2))

    def look(self) -> None:
        """Be offered a tick, as `agents/ticking.py` does it."""
        at_ms, before = self.world.worker_clock() - TICK_DELAY_MS, self.lane.tick_offer
        if self.world.schedule.mode == "BACKFILL" or not self.lives:
            return
        try:
            self.lane.offer_tick(at_ms, HEARTBEAT_MS)
        except LogError:
            return  # no tick now
        if self.lane.tick_offer is not before:
            self.world.note_offer(self.number, at_ms)

    def close(self) -> None:
        """Let go, in peace."""
        self.ended_by = GivenUp("the partition was handed over")
        self.log.close()

    def _survives(self, act: Callable[[], object]) -> bool:
        """Run it; what a process would die of is noted and ends this owner. What nobody may die of leaves."""
        self.memory = None
        try:
            act()
        except (Crashed, LogError, GivenUp, *TORN) as end:
            self.ended_by = end
            self._check_the_end(end)
            return False
        self.memory = memory_of(self.partition)
        if (committed := self.world.transactions(self.number)) and committed[-1].author == self.name:
            self.commits = len(committed)
        return True

    def _check_the_end(self, end: BaseException) -> None:
        """Each end needs a reason, else there is a bug."""
        kinds = {fault.kind.name for fault in self.log.struck}
        excused = {
            Fenced: True,  # the broker says so, and it does for good reasons only
            Crashed: True,
            GivenUp: True,
            Fatal: bool(kinds & {"BROKEN", "ABORT"}),
            PositionLost: self.name
            != self.world.last_to_take(self.number),  # what it has not read yet, others have folded and it is deleted
            **dict.fromkeys(TORN, self.world.is_torn(self.number)),
        }
        if not any(reason and isinstance(end, kind) for kind, reason in excused.items()):
            raise AssertionError(f"{self.name} of partition {self.number} must not end by {type(end).__name__}: {end}") from end
