"""A run: records arrive, owners step, time passes and faults strike, all in the order that the schedule's seed decides. Then all is healed,
every record is folded, time goes on once more, and what is left is judged."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple
from unittest.mock import patch

from agents.generating.poison import Framed
from schemas.records import PolicyActivated
from streams.forward import forwarder
from tests.builders import NOON
from tests.memory_broker import CHANGELOG, MemoryBroker, Place, Transaction
from tests.simulation.arrivals import Arrival, arrivals, place_of
from tests.simulation.memory import Memory
from tests.simulation.mishaps import Mishaps
from tests.simulation.owners import APPLICATION, CODEC, Owner
from tests.simulation.policies import policy_of, variant_of
from tests.simulation.schedules import Fault, Moment, Schedule
from tests.simulation.striking import Seen

MOST_STEPS = 3_000
DEEPEST = 3


class Offer(NamedTuple):
    """A tick that was offered, and where the inputs ended at that time."""

    at_ms: int
    ends: dict[str, int]


class Meant(NamedTuple):
    """What the producer knows of a record: when it happened, and why it must be refused."""

    happened_ms: int
    fault: str | None


class World:
    """Everything there is in a run."""

    def __init__(self, schedule: Schedule) -> None:
        policy = policy_of(schedule.policy)
        self.schedule, self.random = schedule, Random(f"world {schedule.seed}")
        self.topics = policy.folded if schedule.mode == "LIVE" else (*policy.folded, "ticks")
        self.now_ms, self.worker_skew_ms, self._stopwatch_s = NOON, 0, 0.0
        self.broker = MemoryBroker(self.topics, lambda: self.now_ms)
        self.calls, self.depth, self.healed, self.moved = 0, 0, False, False
        self.owners: dict[int, list[Owner]] = defaultdict(list)
        self.enlisted: list[tuple[int, str, int]] = []
        """Who has taken which partition, and how many transactions were decided by then."""
        self.takeovers: list[tuple[str, Memory, Memory]] = []
        """Who took over, what the one before had in memory when nobody had committed since, and what was restored."""
        self.seen: dict[Transaction, dict[str, Seen]] = {}
        self.offers: dict[int, list[Offer]] = defaultdict(list)
        self.meant: dict[tuple[str, int, int], Meant] = {}
        """By topic, partition and offset."""
        self.clock_went_back = False
        self.struck: list[Fault] = []
        self.mishaps = Mishaps(self)
        self._faults = sorted(schedule.faults, key=lambda fault: fault.at)
        self._arriving = arrivals(schedule)[::-1]
        self._changes, self._in_force = sorted(schedule.changes), policy

    # -- time ----------------------------------------------------------------------------------------------------------

    def pass_time(self, ms: int) -> None:
        """Both clocks go on."""
        self.now_ms += ms

    def worker_clock(self) -> int:
        """What the workers take for the time."""
        return self.now_ms + self.worker_skew_ms

    def wait(self, seconds: float) -> None:
        """Somebody waits."""
        self.pass_time(int(seconds * 1000))

    def stopwatch(self) -> float:
        """How long folding takes: nothing, or now and then long enough to fold less the next time."""
        self._stopwatch_s += 0.6 if self.random.random() < self.schedule.slow else 0.0001
        return self._stopwatch_s

    # -- faults --------------------------------------------------------------------------------------------------------

    def due(self, call: str, moment: Moment) -> Iterator[Fault]:
        """The faults that strike now; each strikes once."""
        if self.healed or self.depth > DEEPEST:
            return
        for fault in [each for each in self._faults if each.at <= self.calls and (each.call, each.moment) == (call, moment)]:
            if fault in self._faults:
                self._faults.remove(fault)
                self.struck.append(fault)
                yield fault

    def suffer(self, fault: Fault, number: int) -> None:
        """A fault that is not one owner's alone."""
        self.depth += 1
        try:
            self.mishaps.happen(fault, number)
        finally:
            self.depth -= 1

    def is_torn(self, number: int) -> bool:
        """Whether a value of this partition's changelog is torn just now."""
        return self.mishaps.is_torn(number)

    # -- owners --------------------------------------------------------------------------------------------------------

    def owner(self, number: int) -> Owner | None:
        """The last one to have taken the partition, if it lives."""
        return self.owners[number][-1] if self.owners[number] and self.owners[number][-1].lives else None

    def successor(self, number: int) -> Owner:
        """A new owner, who has not taken the partition yet."""
        owner = Owner(self, number, f"owner {len(self.owners[number]) + 1} of {number}")
        self.owners[number].append(owner)
        return owner

    def last_to_take(self, number: int) -> str | None:
        """Who has taken the partition last, whoever was made last: a takeover may come before the call by which another one takes it."""
        return next((author for place, author, _ in reversed(self.enlisted) if place == number), None)

    def note_restored(self, owner: Owner) -> None:
        """Compare later what was restored with the memory of the one before, unless somebody committed while it was restored."""
        if owner.commits != len(self.transactions(owner.number)):
            return
        before = next((each for each in reversed(self.owners[owner.number][:-1]) if each.memory is not None), None)
        if before is not None and before.policy is owner.policy and before.commits == owner.commits and before.memory and owner.memory:
            self.takeovers.append((owner.name, before.memory, owner.memory))

    def note_offer(self, number: int, at_ms: int) -> None:
        """A tick is on offer."""
        self.offers[number].append(Offer(at_ms, {t: self.broker.partition(t, number).stable_end for t in self.topics}))

    # -- a run ---------------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """From the first record to the last tick."""
        with patch.object(forwarder, "FEWEST", 1 if self.schedule.folded_by == "compiled" else forwarder.FEWEST):
            while self._arriving:
                self._happen()
            self._heal()
            for _ in range(3):
                self._finish()
                self.pass_time(int(self.schedule.gap_ms * self.random.expovariate(0.2)) + 1_000)
                for number in range(self.schedule.partitions):
                    self._rightful(number).look()
            self._finish()

    def _happen(self) -> None:
        for fault in self.due("", "before"):
            self.suffer(fault, self.random.randrange(self.schedule.partitions))
        self.mishaps.go_on()
        number = self.random.randrange(self.schedule.partitions)
        match self.random.choices(["arrive", "step", "look"], [4, 6, 2])[0]:
            case "arrive":
                for _ in range(self.random.randint(1, 6)):
                    if (arrival := self.next_arrival()) is not None:
                        self.append(arrival)
            case "step":
                self._one_of(number).step()
            case _:
                self._one_of(number).look()
        self.pass_time(self.random.randint(0, 3))

    def next_arrival(self) -> Arrival | None:
        """The next record that comes, if there is one."""
        while self._changes and self._changes[-1].left >= len(self._arriving):
            self._change(self._changes.pop().variant)
        return self._arriving.pop() if self._arriving else None

    def _change(self, variant: int) -> None:
        """Another policy is ordered, in every partition at once."""
        before, self._in_force = self._in_force, variant_of(self.schedule.policy, variant)
        record = PolicyActivated(
            event_id=f"change {len(self._changes)}", occurred_at=self.now_ms, application=APPLICATION, replaces=before.digest,
            digest=self._in_force.digest, text=self._in_force.text, requested_by="somebody", reason="trying",
        )  # fmt: skip
        for number in range(self.schedule.partitions):
            partition = self.broker.partition("policies", number)
            self.meant["policies", number, partition.end] = Meant(self.now_ms, None)
            partition.append(self.now_ms, b"", CODEC.encode(record))

    def append(self, arrival: Arrival, write: Callable[[Place, Framed], object] | None = None) -> None:
        """It is written: by a plain producer, or as `write` does it."""
        self.pass_time(arrival.gap_ms)
        sent, happened_ms = arrival.written(self.now_ms)
        topic, number = sent.topic, place_of(sent, self.schedule.partitions, arrival.number)
        partition = self.broker.partition(topic, number)
        self.meant[topic, number, partition.end] = Meant(happened_ms, None if sent.fault is None else sent.fault.value)
        if write is None:
            partition.append(self.now_ms, sent.key, sent.payload)
        else:
            write((topic, number), sent)

    def _one_of(self, number: int) -> Owner:
        """Mostly the owner, now and then a zombie that still lives."""
        alive = [owner for owner in self.owners[number][:-1] if owner.lives]
        if alive and self.random.random() < 0.3:
            return self.random.choice(alive)
        return self._rightful(number)

    def _rightful(self, number: int) -> Owner:
        owner = self.owner(number)
        if owner is None:
            owner = self.successor(number)
            owner.recover()
        return owner

    # -- the end -------------------------------------------------------------------------------------------------------

    def _heal(self) -> None:
        self.healed = True
        while self._changes:
            self._change(self._changes.pop().variant)
        self.mishaps.end()
        self.broker.settle_all()
        for owners in self.owners.values():
            for zombie in [owner for owner in owners[:-1] if owner.lives]:
                zombie.step()

    def _finish(self) -> None:
        """Every record folded, every tick on offer taken."""
        for number in range(self.schedule.partitions):
            for _ in range(MOST_STEPS):
                owner = self._rightful(number)
                if not owner.lives:
                    raise AssertionError(f"all is healed, and {owner.name} cannot take its partition: {owner.ended_by!r}")
                if owner.step() and self._is_done(owner):
                    break
            else:
                raise AssertionError(f"partition {number} stands still: {owner.lane.waiting()} records wait")

    def _is_done(self, owner: Owner) -> bool:
        ends, read = owner.log.ends(), owner.log.positions()
        return (
            owner.lives
            and owner.lane.waiting() == 0
            and not owner.partition.undecided
            and owner.lane.tick_offer is None
            and all(read[t] >= ends[t] for t in ends)
        )

    def transactions(self, number: int) -> list[Transaction]:
        """What was committed by owners of this partition, in order."""
        return [each for each in self.broker.decided if each.outcome and (CHANGELOG, number) in each.places]
