"""From an event to its transition: how long until a read_committed consumer downstream has it?

An open loop: every send has its instant, fixed before the run, whatever the answers do (no coordinated omission). Every `every`th
event raises or withdraws a lawsuit against a top account and so changes its tier; the others are the usual interactions. Two spans
are taken of each transition: from the instant its event was due, and from the instant the broker appended it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition
from numpy.typing import NDArray

from agents import clients
from agents.clocks import wall_clock
from agents.generating.poison import Framed
from agents.settings import Settings
from benchmarks.figures import Run, Tell
from benchmarks.stand import PARTITIONS, Stand, preload
from benchmarks.workload import interactions, lawsuit, profiles, top_accounts, turn_id
from schemas.codec import Codec
from schemas.records import TierTransition

LEADS = 400
WARM_UP_S = 5
CURVE_POINTS = 200
_ARRIVE_S = 30.0
_NAP_S = 0.0003  # a shorter one takes more processor time than it waits, from those who are measured


class Schedule(NamedTuple):
    """The sends of a run, in order: when each is due (seconds from the start), what it is; the event ids of those that change a tier."""

    rate: int
    due_s: list[float]
    records: list[Framed]
    causes: dict[int, str]


def measured(
    stand: Stand, policy: Path, *, accounts: int, seconds: int, rate: int, every: int, runs: int, tell: Tell
) -> Iterator[tuple[Run, list[float]]]:
    """For each run its figures, and the curve of the spans: `CURVE_POINTS` quantiles in milliseconds. `rate`: events a second."""
    for number in range(1, runs + 1):
        settings = stand.settings(f"latency-{rate}-{number}", "bench")
        tell(f"latency: run {number} of {runs}: making accounts")
        now_ms = wall_clock()
        known = preload(settings, chain(profiles(accounts, now_ms), top_accounts(LEADS, now_ms)), lambda _: None)
        with stand.worker(settings, policy) as worker:
            worker.await_folded(known)
            yield _run(settings, scheduled(accounts, seconds, rate, every), partial(tell, f"latency: run {number} of {runs}"))


def scheduled(accounts: int, seconds: int, rate: int, every: int, stretch: int = 0) -> Schedule:
    """The sends of a run. `stretch`: so many went before it to the same top accounts."""
    count = rate * seconds
    codec, now_ms = Codec(), wall_clock()
    records = list(interactions(accounts, count, now_ms, seconds * 1000, seed=11, stretch=stretch))
    causes: dict[int, str] = {}
    places = range(0, count, every)
    for number, place in enumerate(places, stretch * len(places)):
        turn, lead = divmod(number, LEADS)
        causes[place] = turn_id(lead, turn)
        records[place] = lawsuit(lead, turn, now_ms + place * 1000 // rate, codec)
    return Schedule(rate, [place / rate for place in range(count)], records, causes)


class Sent(NamedTuple):
    """What the sender knows: when it began, how late it was with each send, and the append time of each record that matters."""

    begun_at_s: float
    late_s: list[float]
    appended_at_ms: dict[int, int]


class Observed(NamedTuple):
    """What became of a schedule: what the sender knows, and when each cause's transition was readable, by the cause's place."""

    sent: Sent
    readable_at_s: dict[int, float]

    def from_append_ms(self, places: Iterable[int]) -> NDArray[np.float64]:
        """For these causes, from append to readable."""
        return np.array([1e3 * self.readable_at_s[place] - self.sent.appended_at_ms[place] for place in places])


def observed(settings: Settings, schedule: Schedule, on_share: Callable[[float], None]) -> Observed:
    """Send a schedule, and wait until every transition that it causes can be read."""
    places = {event_id: place for place, event_id in schedule.causes.items()}
    with Observer(settings, places) as observer:
        sent = _send(settings, schedule, on_share)
        return Observed(sent, observer.all_seen())


def _run(settings: Settings, schedule: Schedule, on_share: Callable[[float], None]) -> tuple[Run, list[float]]:
    seen = observed(settings, schedule, on_share)
    counted = [place for place in schedule.causes if place >= schedule.rate * WARM_UP_S]
    from_due = np.array([1e3 * (seen.readable_at_s[place] - seen.sent.begun_at_s - schedule.due_s[place]) for place in counted])
    from_append = seen.from_append_ms(counted)
    run = {
        **{f"due_{name}_ms": span for name, span in percentiles(from_due).items()},
        **{f"appended_{name}_ms": span for name, span in percentiles(from_append).items()},
        "sender_late_p99_ms": float(np.percentile(seen.sent.late_s, 99) * 1e3),
        "transitions": len(counted),
        "rate": schedule.rate,
    }
    return run, np.quantile(from_append, np.linspace(0, 1, CURVE_POINTS)).round(2).tolist()


def percentiles(spans: NDArray[np.float64]) -> dict[str, float]:
    """The middle, all but one in a hundred, and the worst."""
    return {"p50": float(np.percentile(spans, 50)), "p99": float(np.percentile(spans, 99)), "max": float(spans.max())}


def _send(settings: Settings, schedule: Schedule, on_share: Callable[[float], None]) -> Sent:
    """Every record at its instant, or at once if that has passed."""
    producer, names = clients.idempotent_producer(settings), {topic: settings.topic_name(topic) for topic in ("interactions", "risks")}
    sent = Sent(time.time() + 0.5, [], {})

    def noted(place: int) -> Callable[[KafkaError | None, Any], None]:
        def on_delivery(error: KafkaError | None, message: Any) -> None:
            if error is None:
                sent.appended_at_ms[place] = message.timestamp()[1]

        return on_delivery

    for place, (due_s, record) in enumerate(zip(schedule.due_s, schedule.records, strict=True)):
        while (left_s := sent.begun_at_s + due_s - time.time()) > 0:
            producer.poll(0)
            time.sleep(max(_NAP_S, min(left_s, 0.001)))
        sent.late_s.append(-left_s)
        producer.produce(names[record.topic], record.payload, record.key, on_delivery=noted(place) if place in schedule.causes else None)
        if place % schedule.rate == 0:
            on_share(place / len(schedule.records))
    if left := producer.flush(_ARRIVE_S):
        raise RuntimeError(f"{left} records were not delivered within {_ARRIVE_S:g} s")
    return sent


class Observer:
    """A consumer downstream: read_committed, and notes when it had what. It decodes afterwards, so that it never waits for itself."""

    def __init__(self, settings: Settings, places: Mapping[str, int]) -> None:
        self._places = places
        self._codec = Codec()
        self._arrived: list[tuple[float, bytes]] = []
        self._consumer = clients.reading_consumer(settings)
        name = settings.topic_name("tier-transitions")
        self._consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> "Observer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._end.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                self._arrived.append((time.time(), message.value() or b""))

    def all_seen(self) -> dict[int, float]:
        """When the transition of each cause became readable, by the cause's place in the schedule. Waits for the last one."""
        give_up_at = time.monotonic() + _ARRIVE_S
        seen: dict[int, float] = {}
        read = 0
        while len(seen) < len(self._places):
            for at_s, payload in self._arrived[read:]:
                read += 1
                place = self._places.get(self._codec.decode_as(TierTransition, payload).cause.event_id or "")
                if place is not None:
                    seen[place] = at_s
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{len(self._places) - len(seen)} transitions did not arrive within {_ARRIVE_S:g} s")
            time.sleep(0.05)
        return seen
