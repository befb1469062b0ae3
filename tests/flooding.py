"""Many events at one instant: visits of accounts never seen before, and as many of one hot account, in one transaction.

To whoever reads committed records they appear together, however long sending them took: a burst of any factor of anybody's capacity.
"""

import time
from random import Random

from agents import clients
from agents.settings import Settings
from schemas.codec import Codec
from tests.builders import interaction

_NAME = "flood-%010d"
_EVENT = "e-%012d"
HOT = _NAME % 0


class Flood:
    """Sends events into `interactions`. Payloads are one record's bytes with other names in them: encoding each would take longer."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._sent, self._accounts = settings, 0, 0
        self._producer = clients.transactional_producer(settings, f"{settings.topic_prefix}flood")
        self._producer.init_transactions(30)

    def send(self, accounts: int, hot: int) -> int:
        """One event of each of so many new accounts with `hot` events of the hot one between them; returns how many in all."""
        at_ms = int(time.time() * 1_000) - 1_000
        payload = Codec().encode(interaction(_NAME % 0, "VISIT", at_ms, event_id=_EVENT % 0))
        before, rest = payload.split((_EVENT % 0).encode())
        between, after = rest.split((_NAME % 0).encode())
        topic, hot_key, first = self._settings.topic_name("interactions"), HOT.encode(), self._sent
        self._producer.begin_transaction()
        for number in range(max(accounts, hot)):
            if number < accounts:
                self._accounts += 1
                self._produce(topic, (_NAME % self._accounts).encode(), before, between, after)
            if number < hot:
                self._produce(topic, hot_key, before, between, after)
        self._producer.commit_transaction(120)
        return self._sent - first

    def send_large(self, count: int, size: int) -> int:
        """So many events of the hot account with so many bytes of text in each, as above."""
        at_ms, topic = int(time.time() * 1_000) - 1_000, self._settings.topic_name("interactions")
        noise, codec = Random(1).randbytes(size).hex(), Codec()  # what compresses well says nothing of memory
        self._producer.begin_transaction()
        for _ in range(count):
            self._sent += 1
            start = self._sent * 7_919 % size
            record = interaction(HOT, "VISIT", at_ms, event_id=_EVENT % self._sent, asset=noise[start : start + size])
            self._put(topic, HOT.encode(), codec.encode(record))
        self._producer.commit_transaction(120)
        return count

    def _produce(self, topic: str, key: bytes, before: bytes, between: bytes, after: bytes) -> None:
        self._sent += 1
        self._put(topic, key, b"".join((before, (_EVENT % self._sent).encode(), between, key, after)))

    def _put(self, topic: str, key: bytes, payload: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, payload, key)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return
