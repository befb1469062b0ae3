"""The log in memory is held to the real broker: the same script on both gives the same answers.

What the simulation proves of a lane, it proves on a log in memory. Here that log and `KafkaLog` play the same scripts, call by call.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from confluent_kafka import Producer

from agents.kafka_log import KafkaLog
from agents.partition_log import Fatal, Fenced, Headed, LogError, PartitionLog, Retriable
from agents.patience import patiently
from tests.deployments import INPUTS, Deployment
from tests.memory_broker import CHANGELOG, MemoryBroker
from tests.memory_log import MemoryLog
from tests.waiting import eventually

NUMBER = 1


class Stage(Protocol):
    """Where a script is played."""

    def owner(self) -> PartitionLog:
        """A new owner's log."""

    def deliver(self, log: Any) -> None:
        """What an owner has sent reaches the broker, though its transaction is open."""

    def append(self, topic: str, *keys: str) -> None:
        """Records of a plain producer."""

    def begin_foreign(self, topic: str, key: str) -> None:
        """Somebody else's transaction with one record, left open."""

    def end_foreign(self, commit: bool) -> None:
        """It is committed or aborted."""

    def forget(self, topic: str, before: int) -> None:
        """Retention has come so far."""

    def settle(self, *topics: str) -> None:
        """Every marker is written."""


class OnKafka:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._foreign: Producer | None = None

    def owner(self) -> KafkaLog:
        return self._deployment.log()

    def deliver(self, log: KafkaLog) -> None:
        assert log._producer.flush(20) == 0

    def append(self, topic: str, *keys: str) -> None:
        self._deployment.append(topic, *keys)

    def begin_foreign(self, topic: str, key: str) -> None:
        self._foreign = self._deployment.open_transaction(topic, key)

    def end_foreign(self, commit: bool) -> None:
        assert self._foreign is not None
        (self._foreign.commit_transaction if commit else self._foreign.abort_transaction)(20)

    def forget(self, topic: str, before: int) -> None:
        self._deployment.delete_records(topic, before)

    def settle(self, *topics: str) -> None:
        for topic in topics:
            self._deployment.committed(topic)


class InMemory:
    def __init__(self) -> None:
        self._now_ms, self._epoch = 1, 0
        self.broker = MemoryBroker(INPUTS, self._clock)

    def _clock(self) -> int:
        self._now_ms += 1
        return self._now_ms

    def owner(self) -> MemoryLog:
        return MemoryLog(self.broker, NUMBER)

    def deliver(self, log: MemoryLog) -> None:
        log.deliver(1_000)

    def append(self, topic: str, *keys: str) -> None:
        for key in keys:
            self.broker.partition(topic, NUMBER).append(self._clock(), key.encode(), b"x")

    def begin_foreign(self, topic: str, key: str) -> None:
        self._epoch = self.broker.enlist("foreign")
        self.broker.write("foreign", "foreign", self._epoch, (topic, NUMBER), [Headed(key.encode(), b"x", [])])

    def end_foreign(self, commit: bool) -> None:
        self.broker.decide("foreign", self._epoch, commit=commit)

    def forget(self, topic: str, before: int) -> None:
        self.broker.partition(topic, NUMBER).delete_before(before)

    def settle(self, *_: str) -> None:
        self.broker.settle_all()


def played(stage: Stage, script: str) -> list[object]:
    """What each line of the script was answered with."""
    owners: dict[str, PartitionLog] = {}
    said: list[object] = []
    for who, call, *arguments in lines(script):
        if who == "-":
            getattr(stage, call)(*arguments)
            continue
        log = owners.get(who) or owners.setdefault(who, stage.owner())
        said.append((who, call, _answer(CALLS.get(call, lambda *about, call=call: _plain(call, *about)), stage, log, *arguments)))
    return said


def _answer(call: Callable[..., object], *about: object) -> object:
    try:
        return call(*about)
    except (Fenced, Fatal):
        return "the owner must end"  # which of the two a client says depends on what it has heard
    except LogError as refused:
        return type(refused).__name__


def _plain(call: str, _: Stage, log: PartitionLog, *arguments: Any) -> object:
    return patiently(lambda: getattr(log, call)(*arguments), lambda _s: None)


def _restored(_: Stage, log: PartitionLog) -> object:
    return [record for batch in log.restore(patiently(log.changelog_end, lambda _s: None)) for record in batch]


def _read(_: Stage, log: PartitionLog, *held: str) -> object:
    """Fetch until every input that is not held has told its end behind what came; where the log then stands."""
    came: list[tuple[str, int, bytes | None]] = []
    appended_at_ms: dict[str, list[int]] = {topic: [] for topic in INPUTS}
    ended: set[str] = set()

    def complete() -> bool:
        fetched = log.fetch(1_000, 0.2)
        for topic, chunk in fetched.chunks.items():
            came.extend(zip([topic] * chunk.size, chunk.offset.tolist(), chunk.keys, strict=True))
            appended_at_ms[topic] += chunk.appended_at_ms.tolist()
            ended.discard(topic)
        ended.update(fetched.ended)
        ends, at = patiently(log.ends, lambda _s: None), log.positions()
        return all(at[topic] == ends[topic] and (topic in ended or not appended_at_ms[topic]) for topic in INPUTS if topic not in held)

    eventually(complete)
    in_order = all(instants == sorted(instants) for instants in appended_at_ms.values())
    return sorted(came), in_order, log.positions()


def _started(_: Stage, log: PartitionLog, **where: int) -> object:
    begins = patiently(log.begins, lambda _s: None)
    log.start({**begins, **where})
    return begins


CALLS: dict[str, Callable[..., object]] = {
    "deliver": lambda stage, log: stage.deliver(log),
    "restored": _restored,
    "read": _read,
    "started": _started,
    "started_at": lambda stage, log, offset: _started(stage, log, interactions=offset),
}

WORDS: dict[str, object] = {
    "FIRST": [(b"ra", b"1"), (b"rb", None)],
    "SECOND": [(b"ra", b"2")],
    "CHANGELOG": CHANGELOG,
    "committed": True,
    "aborted": False,
}
SCRIPTS = {
    "records are read once, in order, to an end that is told": """
        a open; a started; a read; - append interactions one two; - append orders three; a read; a read; - append interactions four; a read;
        a ends; a begins""",
    "a transaction is seen when it is committed, and its marker takes an offset": """
        a open; a restored; a begin; a send CHANGELOG FIRST; a deliver; a changelog_end; a commit; - settle CHANGELOG;
        a changelog_end; a restored""",
    "what was aborted is never seen, and takes its offsets": """
        a open; a begin; a send CHANGELOG FIRST; a deliver; a abort; - settle CHANGELOG; a changelog_end; a restored;
        a begin; a send CHANGELOG SECOND; a commit; - settle CHANGELOG; a changelog_end; a restored""",
    "a new owner fences the old one and undoes what it left open": """
        a open; a begin; a send CHANGELOG FIRST; a deliver; b open; b restored; b changelog_end; a commit; a begin;
        b begin; b send CHANGELOG SECOND; b commit; - settle CHANGELOG; b restored; b changelog_end""",
    "a zombie that had nothing open learns it when it commits": """
        a open; a begin; a send CHANGELOG FIRST; a commit; b open; a begin; a send CHANGELOG SECOND; a commit; b restored""",
    "an empty transaction is committed and aborted like any other": "a open; a begin; a commit; a begin; a abort; a changelog_end",
    "a transaction begins once": "a open; a begin; a begin",
    "a commit needs a transaction": "a open; a commit",
    "records behind a foreign transaction wait for it, and its marker counts": """
        - append interactions one; - begin_foreign interactions theirs; - append interactions two; a open; a started; a read; a ends;
        - end_foreign committed; - settle interactions; a read; a ends""",
    "an aborted foreign transaction leaves a gap": """
        - begin_foreign interactions theirs; - append interactions one; a open; a started; a read;
        - end_foreign aborted; - settle interactions; a read; a ends""",
    "a position that retention has passed is lost": """
        - append interactions one two three; - forget interactions 2; a open; a started_at 1; a read;
        b open; b started; b read; b begins""",
    "a position beyond the end is lost": "- append interactions one; a open; a started_at 5; a read",
    "an input that is held gives nothing until it is released": """
        a open; a started; a read; a hold interactions; - append interactions one; - append orders two; a read interactions;
        a release interactions; a read""",
}
"""Owners a and b; what `-` does, the world around them does."""


def lines(script: str) -> Iterator[list[Any]]:
    """Who, what, and with what."""
    for line in script.split(";"):
        who, call, *arguments = line.split()
        yield [who, call, *(int(word) if word.isdigit() else WORDS.get(word, word) for word in arguments)]


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_the_log_in_memory_answers_as_the_real_one(deployment: Deployment, script: str) -> None:
    memory = InMemory()
    assert played(memory, script) == played(OnKafka(deployment), script)


def test_nobody_enlists_while_a_transaction_is_being_settled() -> None:
    """On a real broker the client waits by itself; in memory the caller repeats the call."""
    memory = InMemory()
    first, second = memory.owner(), memory.owner()
    memory.broker.dawdling = 2
    first.open()
    first.begin()
    first.send(CHANGELOG, [(b"ra", b"1")])
    first.send("fold-order", [(b"1", b"x")])
    first.commit()
    assert memory.broker.committed(CHANGELOG, NUMBER) == []
    for _ in range(2):
        with pytest.raises(Retriable):
            second.open()
    second.open()
    assert [record.payload for record in memory.broker.committed(CHANGELOG, NUMBER)] == [b"1"]
