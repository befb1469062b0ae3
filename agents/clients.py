"""The one place that makes Kafka clients, so that every client has the same tuning, the same security and the same manners.

Figures next to an option say why it is not the default. Options of `settings.kafka` come last and win; they are never logged.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from agents.settings import Settings
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.bulk_consumer import BulkConsumer

DENIED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
"""Errors that say that an ACL is missing."""

_Client = TypeVar("_Client")
_log = logging.getLogger("tierstream.kafka")
_REPEAT_S = 10.0  # a broker that is down makes every client complain about once a second: one line in so many seconds is enough


class _Complaints:
    """librdkafka's errors, once in a while for each kind: they heal by themselves or reach us through the call they break."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said_at: dict[int, float] = {}

    def __call__(self, error: KafkaError) -> None:
        now = time.monotonic()
        with self._lock:
            said_at = self._said_at.get(error.code())
            if said_at is not None and now - said_at < _REPEAT_S:
                return
            self._said_at[error.code()] = now
        _log.warning("kafka client: %s: %s", error.name(), error.str())


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": settings.application_id,
        "error_cb": _Complaints(),
        "log_level": 2,  # the rest reaches us through error_cb
        "socket.nagle.disable": True,
        "socket.timeout.ms": 15_000,  # a connection that hangs, which nobody closes, is given up after so long; the default is a minute
        "reconnect.backoff.max.ms": 1_000,  # a broker that is back is found within a second
        "retry.backoff.ms": 10,
        "retry.backoff.max.ms": 200,
    }


def _producing(settings: Settings) -> dict[str, Any]:
    return _common(settings) | {
        "partitioner": "murmur2_random",  # as the Java client: lanes check that an account is where it belongs
        "compression.type": "lz4",
        "queue.buffering.max.messages": 500_000,
        "queue.buffering.max.kbytes": 256_000,
        "batch.num.messages": 50_000,
        "batch.size": 1_000_000,  # below max.message.bytes of the topics, which limits whole batches
        "message.max.bytes": 100_000_000,  # as much as a consumer takes: a dead letter may compress well. Each topic has its own limit
    }


def transactional_producer(settings: Settings, transactional_id: str) -> Producer:
    """A producer whose transactions outlive a broker outage of `transaction_timeout_ms`."""
    own = {"transactional.id": transactional_id, "transaction.timeout.ms": settings.transaction_timeout_ms, "linger.ms": 0}
    return _made(Producer, _producing(settings) | own, settings)


def idempotent_producer(settings: Settings) -> Producer:
    """A producer for sources: every record once and in order, without transactions."""
    return _made(Producer, _producing(settings) | {"enable.idempotence": True, "linger.ms": 2}, settings)


def reading_consumer(settings: Settings) -> Consumer:
    """A read_committed consumer that is told its partitions, commits nothing and reports the end of each partition.

    A position that is gone is an error, never a guess.
    """
    return _made(Consumer, _reading(settings), settings)


def bulk_consumer(settings: Settings) -> "BulkConsumer":
    """The same one, for hundreds of thousands of records a second."""
    from agents.bulk_consumer import BulkConsumer  # with its compiler, which who reads little does not wait for

    return _made(BulkConsumer, _reading(settings), settings)


def _reading(settings: Settings) -> dict[str, Any]:
    return _common(settings) | {
        "group.id": f"{settings.topic_prefix}{settings.application_id}-unused",  # librdkafka wants one; nothing is committed
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
        "fetch.queue.backoff.ms": 5,  # the default of a second halves replay speed
        "fetch.error.backoff.ms": 20,
        "max.partition.fetch.bytes": 2_000_000,
        "queued.min.messages": 20_000,
        "queued.max.messages.kbytes": 8_192,
        "check.crcs": False,
    }


def admin_client(settings: Settings, on_error: Callable[[KafkaError], None] | None = None) -> AdminClient:
    """A client for topics and offsets; safe to share between threads. `on_error` hears the client's complaints instead of the log."""
    return _made(AdminClient, _common(settings) | ({"error_cb": on_error} if on_error else {}), settings)


def require_broker(settings: Settings) -> None:
    """Raises SettingsError when no broker answers within `broker_timeout_s`."""
    try:
        admin_client(settings).list_topics(timeout=settings.broker_timeout_s)
    except KafkaException as failed:
        raise unreachable(settings, failed) from failed


def unreachable(settings: Settings, failed: KafkaException) -> SettingsError:
    """The one sentence for a broker that does not answer, or not to us."""
    error = failed.args[0]
    if error.code() in DENIED:
        return SettingsError(
            f"the broker does not let us: {error.name()}, {error.str()}: `tierstream doctor` names the ACL that is missing"
        )
    return SettingsError(
        f"no Kafka broker answers at {settings.bootstrap_servers} within {settings.broker_timeout_s:g} s ({failed.args[0].name()}): "
        "set TIERSTREAM_BOOTSTRAP_SERVERS, or start one (`tierstream broker up`) and say the line that it prints"
    )


def _made(make: Callable[[dict[str, Any]], _Client], options: dict[str, Any], settings: Settings) -> _Client:
    """The client, last with the deployment's own options; one that librdkafka refuses is named, its value is masked."""
    try:
        return make(options | settings.kafka)
    except KafkaException as refused:
        message = refused.args[0].str()
        for secret in settings.kafka.values():
            message = message.replace(secret, "***") if secret else message
        raise SettingsError(f"TIERSTREAM_KAFKA: librdkafka refuses the options: {message}") from None
