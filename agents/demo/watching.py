"""What does the engine publish? Reads the outputs of the demo's application as they are committed, in a thread of its own.

Everything shown comes from the log: transitions, dead letters, and from `fold-order` how many records have been folded. A lag is
from the append of the causing record to the moment its transition could be read here.
"""

import threading
from collections import Counter, deque
from typing import Any, NamedTuple

from confluent_kafka import TopicPartition

from agents import clients
from agents.clocks import wall_clock
from agents.settings import Settings
from schemas import dead_letters
from schemas.codec import Codec
from schemas.errors import Reason
from schemas.records import FoldOrder, TierTransition

WATCHED = ("tier-transitions", "hot-leads", "dead-letters", "fold-order")
SHOWN = 200
LAGS = 20_000
WAIT_S = 0.1
GATHERED = 500


class Seen(NamedTuple):
    """A transition, when it could be read here and how long after its cause."""

    transition: TierTransition
    read_at_ms: int
    lag_ms: int


class Watch(threading.Thread):
    """Reads until `end`. Others only read its figures, each of which is replaced or added to as a whole."""

    def __init__(self, settings: Settings, lowest: str, accounts: int) -> None:
        super().__init__(name="watch", daemon=True)
        self.accounts = accounts
        self.tiers: Counter[str] = Counter({lowest: accounts})
        self.recent: deque[Seen] = deque(maxlen=SHOWN)
        self.fresh: deque[Seen] = deque()
        self.lags: deque[int] = deque(maxlen=LAGS)
        self.directions: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.dead: Counter[Reason] = Counter()
        self.folded = self.transactions = self.transitions = self.leads = 0
        self._codec, self._settings, self._lowest = Codec(), settings, lowest
        self._placed: dict[str, str] = {}
        self._ended = threading.Event()
        self._logical = {settings.topic_name(topic): topic for topic in WATCHED}

    def run(self) -> None:
        """The thread."""
        consumer = clients.reading_consumer(self._settings)
        numbers = range(self._settings.partitions)
        consumer.assign([TopicPartition(name, number, 0) for name in self._logical for number in numbers])
        while not self._ended.is_set():
            messages: list[Any] = consumer.consume(1, WAIT_S)  # at once, and then whatever came with it
            if messages:
                messages += consumer.consume(GATHERED, 0.001)
            for message in messages:
                if message.error() is None:
                    self._take(message)
        consumer.close()

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()
        self.join()

    def lag_ms(self, share: float) -> int | None:
        """The lag that `share` of the transitions stay within; None before the first."""
        lags = sorted(self.lags)
        return lags[min(len(lags) - 1, int(share * len(lags)))] if lags else None

    def _take(self, message: Any) -> None:
        match self._logical[message.topic()]:
            case "tier-transitions":
                self._take_transition(self._codec.decode_as(TierTransition, message.value()))
            case "hot-leads":
                self.leads += 1
            case "dead-letters":
                letter = dead_letters.from_headers(message.headers() or [], message.key(), message.value())
                self.dead[letter.reason] += 1
            case _:
                order = self._codec.decode_as(FoldOrder, message.value())
                self.folded += sum(folded.to_offset - folded.from_offset for folded in order.ranges)
                self.transactions += 1

    def _take_transition(self, transition: TierTransition) -> None:
        now_ms = wall_clock()
        seen = Seen(transition, now_ms, now_ms - (transition.decided_at - transition.lag_ms))
        self.tiers[self._placed.get(transition.account_id, self._lowest)] -= 1
        self._placed[transition.account_id] = transition.to_tier
        self.tiers[transition.to_tier] += 1
        self.directions[transition.direction] += 1
        self.causes[transition.cause.kind] += 1
        self.transitions += 1
        self.lags.append(seen.lag_ms)
        self.recent.append(seen)
        self.fresh.append(seen)
