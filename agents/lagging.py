"""How far each input is ahead of what has been folded of it, in offsets and in seconds: the consumer lag of a worker.

Rules: an end is the high watermark, so what an open transaction of a producer holds back is lag too; what has been folded counts the
markers of transactions behind the last record, so a lane that is done has no lag; the seconds are read off a trail of ends that were seen
(as kafka-lag-exporter does), and where folding is behind all of it, off the append time of the last record folded.
"""

import logging
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition

from agents import clients
from agents.clocks import Clock
from agents.counters import LaneCounters
from agents.lanes import Lanes
from agents.offsets import LATEST, offsets_of
from agents.settings import Settings

LOOK_EVERY_S = 2.0
TRAIL = 120
"""So many ends are remembered of a partition: four minutes in which something is always written."""
_log = logging.getLogger("tierstream.lagging")


class Trail:
    """When the end of a partition was where: (end, epoch ms), of those where it stands still the first and the last."""

    def __init__(self) -> None:
        self._points: list[tuple[int, int]] = []  # replaced as a whole: a scrape reads meanwhile

    @property
    def end(self) -> int | None:
        """The last end that was seen."""
        return self._points[-1][0] if self._points else None

    @property
    def first_ms(self) -> int:
        """When an end was first seen, of those that are remembered."""
        return self._points[0][1]

    def see(self, at_ms: int, end: int) -> None:
        """The partition ended here at that time."""
        points = self._points
        if [seen for seen, _ in points[-2:]] == [end, end]:
            points = points[:-1]
        self._points = [*points[1 - TRAIL :], (end, at_ms)]

    def reached_ms(self, offset: int) -> float | None:
        """When the end was last at `offset`, between two points in proportion; None if that was before the first, or is still so."""
        points = self._points
        place = bisect_right(points, offset, key=itemgetter(0))
        if place in (0, len(points)):
            return None
        (before, from_ms), (after, to_ms) = points[place - 1], points[place]
        return from_ms + (offset - before) / (after - before) * (to_ms - from_ms)


class Lag(NamedTuple):
    """Of one input of one partition. `topic` is the catalogue's name."""

    number: int
    topic: str
    end: int
    folded_to: int
    seconds: float

    @property
    def offsets(self) -> int:
        """So many are not folded yet."""
        return max(0, self.end - self.folded_to)


Ends = Callable[[list[tuple[str, int]]], Mapping[tuple[str, int], int]]
"""The high watermark of each (topic, partition), or KafkaException."""


class Lagging:
    """A thread that looks where the inputs end; a scrape compares that with what the lanes have folded."""

    def __init__(self, lanes: Lanes, clock: Clock, ends: Ends) -> None:
        self._lanes, self._clock, self._ends = lanes, clock, ends
        self._trails: dict[tuple[str, int], Trail] = {}
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="lagging", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self.thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            try:
                self.look()
            except KafkaException as unanswered:
                _log.info("ends of the inputs are not known now: %s", unanswered)

    def look(self) -> None:
        """Ask for the end of every input of every lane, in one request. Raises KafkaException."""
        here = [(topic, number) for number, counted in self._here() for topic in counted.folded_to]
        if not here:
            return
        for place, end in self._ends(here).items():
            self._trails.setdefault(place, Trail()).see(self._clock(), end)

    def lags(self) -> Iterator[Lag]:
        """Of every input of every lane of this worker, as far as its end has been seen."""
        now_ms = self._clock()
        for number, counted in self._here():
            for topic, folded_to in dict(counted.folded_to).items():
                trail = self._trails.get((topic, number))
                if trail is not None and (end := trail.end) is not None:
                    since_ms = _since_ms(trail, folded_to, counted.appended_ms.get(topic))
                    yield Lag(number, topic, end, folded_to, max(0.0, now_ms - since_ms) / 1000 if end > folded_to else 0.0)

    def _here(self) -> list[tuple[int, LaneCounters]]:
        return [(number, lane.counters) for number, lane in sorted(dict(self._lanes.by_number).items())]


def _since_ms(trail: Trail, folded_to: int, appended_ms: int | None) -> float:
    """Since when something has been there that is not folded."""
    reached_ms = trail.reached_ms(folded_to)
    if reached_ms is not None:
        return reached_ms
    return trail.first_ms if appended_ms is None else min(appended_ms, trail.first_ms)


def asked_of(settings: Settings) -> Ends:
    """Ends as the brokers of these settings have them."""
    made: list[Any] = []

    def ends(here: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        if not made:
            made.append(clients.admin_client(settings))
        places = {(settings.topic_name(topic), number): (topic, number) for topic, number in here}
        found = offsets_of(made[0], [TopicPartition(*place) for place in places], LATEST, IsolationLevel.READ_UNCOMMITTED)
        return {places[place]: end for place, end in found.items()}

    return ends
