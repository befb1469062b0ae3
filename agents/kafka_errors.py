"""librdkafka's errors as the log's own, by what the caller must do: repeat, abort, start anew, or call the operator."""

from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException

from agents import clients
from agents.partition_log import AbortRequired, Denied, Fatal, Fenced, LogError, PositionLost, Retriable, TopicLost

# Errors of a fetch that librdkafka mends by itself (a leader moves, a broker restarts).
_PASSING = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._WAIT_COORD,
        KafkaError._UNKNOWN_BROKER,
        KafkaError._NOENT,  # no leader is known yet
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.KAFKA_STORAGE_ERROR,
    }
)
_LOST = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
_GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})
_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})
_FAILED_BEFORE = frozenset({KafkaError._STATE, KafkaError._FATAL})

_Answer = TypeVar("_Answer")


def translated(call: Callable[..., _Answer], *arguments: object, **options: object) -> _Answer:
    """Call librdkafka; its error comes out as the log's own."""
    try:
        return call(*arguments, **options)
    except KafkaException as failed:
        raise typed(failed.args[0]) from failed


def typed(error: KafkaError) -> LogError:
    """Which of the log's errors this is. Order matters: a fenced producer is also fatal."""
    text = f"{error.name()}: {error.str()}"
    if error.code() in _FENCED:
        return Fenced(text)
    if error.code() in clients.DENIED:
        return Denied(text)
    if error.fatal():
        return Fatal(text)
    if error.txn_requires_abort():
        return AbortRequired(text)
    if error.retriable() or error.code() in _PASSING:
        return Retriable(text)
    return Fatal(text)


def check_fetch(error: KafkaError) -> None:
    """Let pass what librdkafka mends by itself; anything else ends the lane."""
    if error.code() in _LOST:
        raise PositionLost(f"the next record to read is gone: {error.str()}")
    if is_gone(error):
        raise TopicLost(f"it is gone while it is read: {error.str()}")
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return  # of the consumer's own group, of which it is no member and to which it commits nothing
    if error.code() in clients.DENIED:
        raise Denied(f"{error.name()}: {error.str()}")
    if error.fatal() or error.code() not in _PASSING:
        raise Fatal(f"reading failed with {error.name()}: {error.str()}")


def is_gone(error: KafkaError) -> bool:
    """Whether the broker has no such topic."""
    return error.code() in _GONE


def not_taken(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `produce_batch` did not take for lack of room; it marks such messages and goes on with those behind them.

    Order matters within a key only, and a key occurs once in a transaction's batch.
    """
    left = [message for message in sent if "_error" in message]
    for message in left:
        error = message.pop("_error")
        if error.code() != KafkaError._QUEUE_FULL:
            raise refusal(error)
    return left


def refusal(error: KafkaError) -> LogError:
    """Why a message was not taken. A producer that failed meanwhile only says that it takes none: its abort will say why."""
    return AbortRequired(f"{error.name()}: {error.str()}") if error.code() in _FAILED_BEFORE else typed(error)
