"""In which order the records of several inputs are folded: by head, the least (append time, topic rank) first.

The head of one input may go when every other input has a head buffered or has reported its end, as Kafka Streams'
partition group does. The same rule over recorded ranges gives the same order again: that is what makes a replay exact.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from streams.intake import RawRecord


class Merge:
    """The buffered heads of a partition's inputs. `topics` are in rank order, which decides equal append times."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._rank = {topic: rank for rank, topic in enumerate(topics)}
        self._waiting: dict[str, deque[RawRecord]] = {topic: deque() for topic in topics}
        self._ended: set[str] = set()

    def offer(self, record: RawRecord) -> None:
        """Buffer the next record of its topic; the topic is no longer at its end."""
        self._waiting[record.topic].append(record)
        self._ended.discard(record.topic)

    def at_end(self, topic: str) -> None:
        """The input reported that nothing follows what was offered so far."""
        self._ended.add(topic)

    def buffered(self, topic: str) -> int:
        """How many records of `topic` wait here."""
        return len(self._waiting[topic])

    def starving(self) -> list[str]:
        """The inputs that hold the others back: nothing buffered and no end reported."""
        return [topic for topic, waiting in self._waiting.items() if not waiting and topic not in self._ended]

    def take(self, limit: int) -> list[RawRecord]:
        """At most `limit` records whose order is settled, in fold order; they leave the buffer."""
        taken: list[RawRecord] = []
        if self.starving():
            return taken
        waiting, rank, ended = self._waiting, self._rank, self._ended
        while len(taken) < limit:
            heads = [(queue[0].appended_at_ms, rank[topic], topic) for topic, queue in waiting.items() if queue]
            if not heads:
                break
            if len(heads) == 1:
                self._run_of_one(waiting[heads[0][2]], limit, taken)
                break
            topic = min(heads)[2]
            taken.append(waiting[topic].popleft())
            if not waiting[topic] and topic not in ended:
                break
        return taken

    @staticmethod
    def _run_of_one(queue: deque[RawRecord], limit: int, taken: list[RawRecord]) -> None:
        """Every other input is at its end: the rest of this one may go as it is."""
        while queue and len(taken) < limit:
            taken.append(queue.popleft())


def merged(by_topic: Mapping[str, Sequence[RawRecord]], topics: Sequence[str]) -> list[RawRecord]:
    """The fold order of recorded ranges: what `Merge` gave when it was live."""
    merge = Merge(topics)
    for topic in topics:
        for record in by_topic.get(topic, ()):
            merge.offer(record)
        merge.at_end(topic)
    return merge.take(sum(map(len, by_topic.values())))
