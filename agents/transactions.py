"""Records into Kafka in transactions, for commands that are interrupted and repeated: what they send is there once or not at all.

Rules: `open` fences an earlier run of the same work and settles its open transaction, so whoever reads afterwards how far it came reads
everything it did; a transaction that must be aborted is sent again with the same content, until it is clear that this does not help.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from agents import clients
from agents.kafka_errors import typed
from agents.partition_log import AbortRequired, Fenced
from agents.settings import Settings
from schemas.errors import SettingsError

CALL_S: Final = 10.0
ATTEMPTS: Final = 10
"""Some refusals pass, and others (a record too large for its topic) never do; the broker does not say which are which."""
HASHED: Final = -1
"""Instead of a partition: where the key belongs."""


class Transactions:
    """One run of some work. `name` is the same for every run of it; `work` says in words what it is."""

    def __init__(self, settings: Settings, name: str, work: str) -> None:
        self._settings, self._work = settings, work
        self._producer = clients.transactional_producer(settings, f"{settings.topic_prefix}{name}")

    def open(self) -> None:
        """Fence other runs. Raises SettingsError if no broker answers."""
        clients.require_broker(self._settings)
        self._repeated(self._producer.init_transactions)

    def commit(self, send: Callable[[], None]) -> None:
        """One transaction with what `send` produces. Raises SettingsError if another run has taken over or Kafka goes on refusing it."""
        for attempt in count(1):
            try:
                self._producer.begin_transaction()
                send()
                self._repeated(self._producer.commit_transaction)
            except KafkaException as failed:
                self._raise_unless_abortable(failed)
                self._repeated(self._producer.abort_transaction)
                if attempt == ATTEMPTS:
                    raise self._refused(failed) from failed
            else:
                return

    def produce(
        self,
        topic: str,
        key: bytes | None,
        payload: bytes | None,
        partition: int = HASHED,
        headers: Sequence[tuple[str, bytes | None]] = (),
    ) -> None:
        """One record of the open transaction, to a logical topic. After a failure nothing more is taken: the commit says why."""
        while True:
            try:
                self._producer.produce(self._settings.topic_name(topic), payload, key, partition, headers=list(headers))
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as failed:
                if failed.args[0].code() != KafkaError._STATE:
                    raise
                return
            else:
                return

    def flush(self, timeout_s: float) -> None:
        """Wait until the broker has what was produced; what stays unanswered is left to the commit, which reports why."""
        self._producer.flush(timeout_s)

    def _repeated(self, call: Callable[[float], None]) -> None:
        """A call of the transaction protocol, again as long as it may be."""
        while True:
            try:
                call(CALL_S)
            except KafkaException as failed:
                if not failed.args[0].retriable():
                    self._raise_unless_abortable(failed)
                    raise
            else:
                return

    def _raise_unless_abortable(self, failed: KafkaException) -> None:
        match typed(failed.args[0]):
            case Fenced():
                raise SettingsError(f"another {self._work} has taken over: let it finish, nothing is sent twice") from failed
            case AbortRequired():
                return
            case _:
                raise self._refused(failed) from failed

    def _refused(self, failed: KafkaException) -> SettingsError:
        said = failed.args[0].str()
        return SettingsError(f"Kafka refuses the records of this {self._work}: {said} (check with `tierstream topics check`)")
