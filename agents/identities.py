"""Is a topic still the one it was? Its id says so: a topic that was deleted and made again under its name has another.

Asked once a second for all lanes of a process, in the middle of their work, where every request counts.
"""

import threading
import time
from collections.abc import Collection

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from agents.kafka_errors import is_gone, typed
from agents.partition_log import LogError, TopicLost

FRESH_S = 1.0
_ANSWER_S = 5.0


class Identities:
    """The broker's ids of topics, by its names for them; shared by lanes that ask for the same topics."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._last: dict[str, str] | LogError = {}
        self._asked_at_s = 0.0

    def now(self, names: Collection[str]) -> dict[str, str]:
        """As the broker has them now. Raises Retriable, TopicLost where there is no such topic."""
        with self._lock:
            return self._ask(names)

    def lately(self, names: Collection[str]) -> dict[str, str]:
        """As the broker had them within the last second. Raises as `now`, and for a second again what was raised then."""
        with self._lock:
            if time.monotonic() - self._asked_at_s > FRESH_S or self._names != set(names):
                return self._ask(names)
            if isinstance(self._last, LogError):
                raise type(self._last)(*self._last.args)
            return self._last

    def _ask(self, names: Collection[str]) -> dict[str, str]:
        self._names = set(names)
        try:
            self._last = known = self._answered(names)
        except LogError as failed:
            self._last = failed
            raise
        finally:
            self._asked_at_s = time.monotonic()
        return known

    def _answered(self, names: Collection[str]) -> dict[str, str]:
        known = {}
        for name, answer in self._admin.describe_topics(TopicCollection(list(names)), request_timeout=_ANSWER_S).items():
            try:
                known[name] = str(answer.result().topic_id)
            except KafkaException as failed:
                raise _missing(name) if is_gone(failed.args[0]) else typed(failed.args[0]) from failed
        return known


def _missing(name: str) -> TopicLost:
    return TopicLost(f"topic {name} is gone")
