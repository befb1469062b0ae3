"""The faults that are not one owner's alone: other owners, other producers, the broker, clocks, what lies in the changelog."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from agents.partition_log import Headed
from schemas.changelog import LAYOUT_PREFIX, PROGRESS_PREFIX, ROW_PREFIX, progress_of, topic_of
from tests.memory_broker import CHANGELOG, MemoryPartition, Record
from tests.simulation.schedules import Fault, Kind

if TYPE_CHECKING:
    from tests.simulation.world import World


class Mishaps:
    """What happens, and what of it is to end later."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._later: list[tuple[int, Callable[[], None]]] = []
        self._torn: set[int] = set()
        self._foreigners = 0

    def happen(self, fault: Fault, number: int) -> None:
        """One fault, to one partition."""
        match fault.kind:
            case Kind.ZOMBIE:
                self._take_over(number, steps=fault.many % 3)
            case Kind.STORM:
                self._storm(number, fault.many)
            case Kind.REBALANCE:
                self._hand_over(number)
            case Kind.SILENCE:
                self._silence(fault)
            case Kind.FOREIGN:
                self._open_foreign(fault)
            case Kind.MARKERS:
                self._dawdle(fault)
            case Kind.CLOCK_JUMP:
                self._jump(fault.many)
            case Kind.TORN:
                self._tear(number)
            case Kind.LAYOUT:
                self._world.moved = not self._world.moved
            case Kind.COMPACTION:
                self._world.broker.partition(CHANGELOG, number).compact()
            case Kind.RETENTION:
                self._retain(number)
            case kind:
                raise AssertionError(f"{kind} is one owner's alone")

    def go_on(self) -> None:
        """What was to end by now ends."""
        for ending in [each for each in self._later if each[0] <= self._world.calls]:
            self._later.remove(ending)
            ending[1]()
        if self._world.random.random() < 0.3:
            self._world.broker.settle_all()

    def end(self) -> None:
        """Everything ends."""
        while self._later:
            self._later.pop(0)[1]()
        for owners in self._world.owners.values():
            for owner in owners:
                owner.log.unanswered = 0

    def is_torn(self, number: int) -> bool:
        """Whether a value of this changelog is torn just now."""
        return number in self._torn

    def _until(self, fault: Fault, ending: Callable[[], None]) -> None:
        self._later.append((self._world.calls + 5 * fault.many, ending))

    # -- owners --------------------------------------------------------------------------------------------------------

    def _take_over(self, number: int, steps: int) -> None:
        successor = self._world.successor(number)
        if successor.recover():
            for _ in range(steps):
                if not successor.step():
                    break

    def _storm(self, number: int, many: int) -> None:
        """Each is told to end while it restores, or has not stepped yet when the next one comes."""
        for turn in range(many):
            asked = iter(range(turn))
            self._world.successor(number).recover(lambda asked=asked: next(asked, None) is None)  # type: ignore[misc]
        self._take_over(number, steps=1)

    def _hand_over(self, number: int) -> None:
        if (owner := self._world.owner(number)) is not None:
            owner.close()

    # -- broker and clocks ---------------------------------------------------------------------------------------------

    def _silence(self, fault: Fault) -> None:
        topic = self._world.random.choice(self._world.topics)
        self._world.broker.silent.add(topic)
        self._until(fault, lambda: self._world.broker.silent.discard(topic))

    def _open_foreign(self, fault: Fault) -> None:
        world, broker = self._world, self._world.broker
        self._foreigners += 1
        name = f"foreign {self._foreigners}"
        epoch = broker.enlist(name)
        for arrival in [world.next_arrival() for _ in range(fault.many)]:
            if arrival is not None:
                world.append(arrival, lambda place, r: broker.write(name, name, epoch, place, [Headed(r.key, r.payload, [])]))
        self._until(fault, lambda: broker.decide(name, epoch, commit=fault.many % 2 == 0))

    def _dawdle(self, fault: Fault) -> None:
        self._world.broker.dawdling = fault.many
        self._until(fault, lambda: setattr(self._world.broker, "dawdling", 0))

    def _jump(self, many: int) -> None:
        """The workers' clock, or everybody's; mostly not further than a few records take."""
        world = self._world
        by_ms = world.schedule.gap_ms * many * world.random.choice([-3, -1, 1, 3])
        if world.random.random() < 0.5:
            world.worker_skew_ms += by_ms
        else:
            world.now_ms += by_ms
            world.clock_went_back |= by_ms < 0

    def _retain(self, number: int) -> None:
        """What is below the committed progress is deleted."""
        for record in self._world.broker.committed(CHANGELOG, number):
            if record.key and record.key.startswith(PROGRESS_PREFIX) and record.payload:
                partition = self._world.broker.partition(topic_of(record.key), number)
                partition.delete_before(progress_of(record.payload).next_offset)

    # -- the changelog -------------------------------------------------------------------------------------------------

    def _tear(self, number: int) -> None:
        """Whoever takes the partition with a torn row, layout or progress in its changelog must refuse; then it is mended.

        Of what a newer record has replaced nobody reads the older one.

        A torn dossier is not seen before it is read, and half of a tick's digits is a tick: `docs/decisions/0012-simulation.md`.
        """
        world, changelog = self._world, self._world.broker.partition(CHANGELOG, number)
        last = {record.key: place for place, record in enumerate(changelog.records) if _is_seen(changelog, record)}
        whole = [place for place in last.values() if _can_tear(changelog.records[place])]
        if not whole or world.depth > 1:
            return
        self._hand_over(number)
        place = world.random.choice(whole)
        record = changelog.records[place]
        assert record.payload is not None
        changelog.records[place] = record._replace(payload=record.payload[: world.random.randrange(len(record.payload))])
        self._torn.add(number)
        try:
            if world.successor(number).recover():
                raise AssertionError(f"a torn value of {record.key!r} was taken for a whole one")
        finally:
            self._torn.discard(number)
            mended = next(place for place, each in enumerate(changelog.records) if each.offset == record.offset)
            changelog.records[mended] = record


TEARABLE = (ROW_PREFIX, LAYOUT_PREFIX, PROGRESS_PREFIX)


def _is_seen(changelog: MemoryPartition, record: Record) -> bool:
    return record.offset < changelog.stable_end and (record.transaction is None or record.transaction.outcome is True)


def _can_tear(record: Record) -> bool:
    return bool(record.payload) and (record.key or b"").startswith(TEARABLE)
