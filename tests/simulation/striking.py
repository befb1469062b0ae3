"""The log of one owner in a run: at every call, faults that are due strike."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from agents.partition_log import AbortRequired, Fatal, Retriable
from tests.memory_broker import Record
from tests.memory_log import MemoryLog
from tests.simulation.schedules import Fault, Kind, Moment

if TYPE_CHECKING:
    from tests.simulation.world import World

ASKING = frozenset({"open", "begin", "commit", "abort", "changelog_end", "topic_ids", "begins", "ends"})
"""What the coordinator or a leader has to answer."""


PATIENCE = 300
"""So many looks in vain at a changelog that is being restored: more than any open transaction of another lasts."""


class Crashed(BaseException):
    """The process is gone: nothing that it would still do is done."""


class Seen(NamedTuple):
    """What an owner had been given of one input when a unit of work began: its last record, and whether the end was told behind it."""

    last: Record | None
    ended: bool


class StruckLog(MemoryLog):
    """One owner's log in a world. `struck`: the faults that this owner has met."""

    def __init__(self, world: "World", number: int, author: str) -> None:
        super().__init__(world.broker, number, author)
        self.world = world
        self.struck: list[Fault] = []
        self.unanswered = 0
        """So many calls more find nobody who answers."""
        self.commits_before = 0
        """So many transactions had been committed when this owner asked for the changelog's end."""
        self._furthest: dict[str, int] = {}
        self._seen: dict[str, Seen] = {}

    def restore(self, end: int) -> Iterator[list[tuple[bytes, bytes | None]]]:
        """As the log gives it; where nothing comes for long, the watchdog ends the worker."""
        in_vain = 0
        for batch in super().restore(end):
            in_vain = 0 if batch else in_vain + 1
            if in_vain > PATIENCE:
                raise Crashed("no progress in restoring")
            yield batch

    def _asked(self, call: str) -> None:
        self.world.calls += 1
        super()._asked(call)
        if call in ASKING and self.unanswered:
            self.unanswered -= 1
            raise Retriable("nobody answers")
        self._strike(call, "before")
        self._strike(call, "inside")
        if call == "changelog_end":
            self.commits_before = len(self.world.transactions(self.number))

    def _answered(self, call: str) -> None:
        match call:
            case "open":
                self.world.enlisted.append((self.number, self.author, len(self.broker.decided)))
            case "fetch":
                self._furthest |= {topic: max(at, self._furthest.get(topic, at)) for topic, at in self._at.items()}
            case "begin":
                self._seen = {topic: self._seen_of(topic) for topic in self.broker.inputs}
        self._strike(call, "after")

    def _decide(self, *, commit: bool) -> None:
        if self._reached and (transaction := self.broker.latest(self.transactional_id)) is not None and transaction.author == self.author:
            self.world.seen.setdefault(transaction, self._seen)
        super()._decide(commit=commit)

    def _seen_of(self, topic: str) -> Seen:
        furthest = self._furthest.get(topic, 0)
        given = [record for record in self.broker.partition(topic, self.number).ever_committed() if record.offset < furthest]
        return Seen(given[-1] if given else None, self._told_end.get(topic) == furthest)

    def _strike(self, call: str, moment: Moment) -> None:
        for fault in self.world.due(call, moment):
            self.struck.append(fault)
            if moment == "inside" and self._sent is not None:
                self.deliver(min(fault.many, len(self._sent)))
            self._suffer(fault)

    def _suffer(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.CRASH:
                raise Crashed
            case Kind.ABORT:
                raise AbortRequired("told to abort")
            case Kind.UNKNOWN:
                raise Retriable("no answer came")
            case Kind.BROKEN:
                raise Fatal("told to break")
            case Kind.COORDINATOR_LOST:
                self.unanswered = fault.many
            case Kind.TIMED_OUT:
                self.broker.time_out(self.transactional_id)
            case Kind.REDELIVERED:
                self._go_back(fault.many)
            case _:
                self.world.suffer(fault, self.number)

    def _go_back(self, by: int) -> None:
        topic = self.world.random.choice(self.broker.inputs)
        self._furthest[topic] = max(self._at[topic], self._furthest.get(topic, 0))
        self._at[topic] = max(self._at[topic] - by, self.broker.partition(topic, self.number).begin)

    def _there(self, topic: str) -> list[Record]:
        """What is to be handed out again may have been deleted meanwhile: then what is left of it is."""
        if self._at[topic] < self._furthest.get(topic, 0):
            self._at[topic] = max(self._at[topic], self.broker.partition(topic, self.number).begin)
        return super()._there(topic)

    def _share(self, _topic: str, there: int) -> int:
        """Mostly all that is there, else a part of it."""
        random = self.world.random
        return there if self.world.healed or random.random() < 0.7 else random.randint(0, there)

    def _idle(self, _timeout_s: float) -> None:
        self.world.pass_time(1)
