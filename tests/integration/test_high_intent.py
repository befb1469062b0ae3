"""Fixture 8 of the source facts, on a real broker: a C account that shows high intent is in B, then in A, within 0.8 s (002-30, 002-09).

The clock runs from the broker's append of the record that decides to the moment a read_committed consumer has the transition. A worker
of its own process runs the shipped `sabc`. Sends have their instants before the run, whatever the answers do. What is held is 95 of
100 over many leads, from the first record the worker ever sees: a pause of a second and a half of the machine hits the few leads that
are under way in it and none of the others. No lead may be missing, none is left out, nothing is tried twice; the worst is told. Other
programs of the machine wait behind broker, worker and reader, where the system lets us say so. It looks at the clock, so it is one of
those that have the machine to themselves.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from agents import clients
from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import Interaction, TierTransition
from tests.builders import interaction
from tests.precedence import precedence
from tests.workers import ROOT, Worker, deployment

PROMISE_MS = 800  # 002-09
LEADS = 150
EVERY_S, ASKS_AFTER_S = 0.1, 0.5
ARRIVE_S = 30.0
CODEC = Codec()


class Send(NamedTuple):
    """A record and its instant, in seconds from the start of the run."""

    due_s: float
    record: Interaction


def schedule() -> list[Send]:
    """Each lead downloads three white papers in a row and asks for a price half a second later; the leads overlap."""
    sends = [send for number in range(LEADS) for send in _lead(f"lead-{number}", number * EVERY_S)]
    return sorted(sends, key=lambda send: send.due_s)


def _lead(who: str, at_s: float) -> Iterator[Send]:
    for paper in range(3):
        yield Send(at_s, interaction(who, "DOWNLOAD", event_id=f"{who} paper {paper}"))
    yield Send(at_s + ASKS_AFTER_S, interaction(who, "PRICE_INQUIRY", event_id=f"{who} asks"))


class Watch:
    """Sends what is due and reads transitions in between, in one thread: what has arrived is noted at once."""

    def __init__(self, settings: Settings, producer: Producer, consumer: Consumer) -> None:
        self._topic, self._producer, self._consumer = settings.topic_name("interactions"), producer, consumer
        self.appended_at_ms: dict[str, int] = {}
        self.readable: list[tuple[float, TierTransition]] = []

    def run(self, sends: list[Send], expected: int) -> None:
        """Until every record is sent and so many transitions are here."""
        began_at_s = time.time()
        for due_s, record in sends:
            while (left_s := began_at_s + due_s - time.time()) > 0:
                self._read(min(left_s, 0.02))
            self._send(record)
        give_up_at_s = time.time() + ARRIVE_S
        while len(self.readable) < expected or len(self.appended_at_ms) < len(sends):
            assert time.time() < give_up_at_s, f"{len(self.readable)} of {expected} transitions are here"
            self._read(0.02)

    def _send(self, record: Interaction) -> None:
        def appended(error: Any, message: Any) -> None:
            assert error is None, error
            self.appended_at_ms[record.event_id] = message.timestamp()[1]

        now = Interaction(event_id=record.event_id, account_id=record.account_id, occurred_at=wall_clock(), kind=record.kind)
        self._producer.produce(self._topic, CODEC.encode(now), record.account_id.encode(), on_delivery=appended)

    def _read(self, wait_s: float) -> None:
        self._producer.poll(0)
        message = self._consumer.poll(wait_s)
        if message is not None and message.error() is None:
            self.readable.append((1e3 * time.time(), CODEC.decode_as(TierTransition, message.value() or b"")))

    def spans_ms(self) -> list[float]:
        """From append to readable, of each transition, smallest first."""
        return sorted(at_ms - self.appended_at_ms[told.cause.event_id] for at_ms, told in self.readable)


@pytest.mark.faults
@pytest.mark.alone
def test_002_30_high_intent_lifts_a_c_account_to_b_and_a_and_002_09_it_is_readable_within_800_ms(
    kafka: Broker, prefix: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    settings = deployment(kafka.bootstrap, prefix, policy=str(ROOT / "policies" / "sabc.yaml"))
    consumer = clients.reading_consumer(settings)
    consumer.assign(
        [TopicPartition(settings.topic_name("tier-transitions"), number, OFFSET_BEGINNING) for number in range(settings.partitions)]
    )
    watch = Watch(settings, clients.idempotent_producer(settings), consumer)
    with precedence(os.getpid(), kafka.pid), Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(settings.partitions)
        watch.run(schedule(), 2 * LEADS)
        assert worker.stop() == 0
    consumer.close()
    moves: dict[str, list[tuple[str | None, str, str, str | None]]] = {}
    for _, told in watch.readable:
        moves.setdefault(told.account_id, []).append((told.from_tier, told.to_tier, told.cause.kind, told.cause.detail))
    assert len(moves) == LEADS
    assert {tuple(each) for each in moves.values()} == {(("C", "B", "TRIGGER", "DOWNLOAD"), ("B", "A", "TRIGGER", "PRICE_INQUIRY"))}
    spans = watch.spans_ms()
    median_ms, most_ms, worst_ms = spans[len(spans) // 2], spans[len(spans) * 95 // 100], spans[-1]
    said = f"append to readable: median {median_ms:.0f} ms, 95 of 100 {most_ms:.0f} ms, worst {worst_ms:.0f} ms"
    record_property("append_to_readable", said)
    print(said)
    assert median_ms <= most_ms <= PROMISE_MS, said
