"""A partition's log on a real Kafka: one transactional producer and one consumer of its own.

Rules: `init_transactions` comes first (it fences the former owner and settles its open transaction); the end of a partition is
known by its EOF report, which counts transaction markers, never by the last record's offset; every librdkafka error leaves
this module as one of the log's own (`_translated`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from confluent_kafka import OFFSET_BEGINNING, IsolationLevel, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # re-exported unmarked

from agents import clients
from agents.messages import by_topic, chunk_of, parted, there
from agents.partition_log import AbortRequired, Denied, Fatal, Fenced, Fetched, Headed, LogError, Pair, PositionLost, Retriable
from agents.settings import Settings
from streams.batches import Chunk

CHANGELOG = "accounts-changelog"
_CALL_S = 10.0  # one attempt of a call; the caller repeats it
_RESTORE_BATCH = 20_000
_RESTORE_WAIT_S = 0.2
_FULL_QUEUE_S = 0.05

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
_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})

_FAILED_BEFORE = frozenset({KafkaError._STATE, KafkaError._FATAL})
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_Answer = TypeVar("_Answer")


class KafkaLog:
    """`PartitionLog` on a broker. One thread uses it; `admin` may be shared."""

    def __init__(self, settings: Settings, number: int, topics: Sequence[str], admin: AdminClient) -> None:
        self._settings = settings
        self._number = number
        self._admin = admin
        self._producer = clients.transactional_producer(settings, settings.transactional_id(number))
        self._consumer = clients.reading_consumer(settings)
        self._physical = {topic: settings.topic_name(topic) for topic in topics}
        self._logical = {name: topic for topic, name in self._physical.items()}
        self._positions: dict[str, int] = {}

    @property
    def number(self) -> int:
        """The partition's number."""
        return self._number

    # -- taking the partition ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Fence the former owner and settle its open transaction.

        Asking for metadata first brings the connection up: without one, librdkafka looks for the coordinator half a second later.
        """
        _translated(self._producer.list_topics, self._settings.topic_name(CHANGELOG), _CALL_S)
        _translated(self._producer.init_transactions, _CALL_S)

    def topic_ids(self) -> dict[str, str]:
        """The broker's id of each input."""
        answers = self._admin.describe_topics(TopicCollection(list(self._logical)), request_timeout=_CALL_S)
        return {self._logical[name]: str(_translated(answer.result).topic_id) for name, answer in answers.items()}

    def changelog_end(self) -> int:
        """The high watermark of the changelog.

        Asked read_uncommitted: to a read_committed reader the broker names the last stable offset as the end, and what
        was committed behind a foreign open transaction would be missed.
        """
        name = self._settings.topic_name(CHANGELOG)
        return self._latest([name], IsolationLevel.READ_UNCOMMITTED)[name]

    def restore(self, end: int) -> Iterator[list[tuple[bytes, bytes | None]]]:
        """The changelog up to its end; only a foreign open transaction could keep it from getting there."""
        place = TopicPartition(self._settings.topic_name(CHANGELOG), self._number)
        self._consumer.assign([TopicPartition(place.topic, place.partition, self._begin_or_word(place))])
        complete = end == 0
        while not complete:
            records, reports = parted(there(self._consumer, _RESTORE_BATCH, _RESTORE_WAIT_S))
            for report in reports:
                if (error := report.error()) is not None and error.code() == KafkaError._PARTITION_EOF:
                    complete = (report.offset() or 0) >= end
                elif error is not None:
                    _check_fetch(error)
            yield list(zip(map(Message.key, records), map(Message.value, records), strict=True))  # type: ignore[arg-type]  # each has a key
        self._consumer.unassign()

    def begins(self) -> dict[str, int]:
        """The first offset of each input."""
        return {topic: self._begin(TopicPartition(name, self._number)) for topic, name in self._physical.items()}

    def _begin(self, place: TopicPartition) -> int:
        """The first offset of a partition. Asked through the consumer: it then knows the leader, and reading starts a second earlier."""
        return int(_translated(self._consumer.get_watermark_offsets, place, _CALL_S)[0])

    def _begin_or_word(self, place: TopicPartition) -> int:
        """The first offset, or where the broker does not say it now, the word for it, which the client looks up itself and later."""
        try:
            return self._begin(place)
        except Retriable:
            return OFFSET_BEGINNING

    def ends(self) -> dict[str, int]:
        """The last stable offset of each input."""
        ends = self._latest(list(self._logical), IsolationLevel.READ_COMMITTED)
        return {self._logical[name]: end for name, end in ends.items()}

    def _latest(self, names: list[str], isolation: IsolationLevel) -> dict[str, int]:
        wanted = {TopicPartition(name, self._number): _LATEST for name in names}
        answers = self._admin.list_offsets(wanted, isolation_level=isolation, request_timeout=_CALL_S)
        return {place.topic: int(_translated(answer.result).offset) for place, answer in answers.items()}

    # -- reading -------------------------------------------------------------------------------------------------------

    def start(self, positions: Mapping[str, int]) -> None:
        """Assign the inputs at their positions."""
        self._positions = dict(positions)
        self._consumer.assign([TopicPartition(self._physical[topic], self._number, at) for topic, at in positions.items()])

    def positions(self) -> dict[str, int]:
        """Past the last record read, or the last EOF offset where that is further on."""
        return dict(self._positions)

    def fetch(self, limit: int, timeout_s: float) -> Fetched:
        """The first message as soon as it is there, with whatever has been prefetched behind it."""
        records, reports = parted(there(self._consumer, limit, timeout_s))
        chunks: dict[str, Chunk] = {}
        for name, of_topic in by_topic(records).items():
            if (topic := self._logical.get(name)) is not None:
                chunks[topic] = chunk = chunk_of(of_topic)
                self._positions[topic] = int(chunk.offset[-1]) + 1
        return Fetched(chunks, self._ended(reports))

    def _ended(self, reports: Sequence[Message]) -> frozenset[str]:
        """The inputs that were at their end behind what has been read; their positions move there, past any markers."""
        ended: set[str] = set()
        for report in reports:
            error, topic, offset = report.error(), self._logical.get(report.topic() or ""), report.offset()
            assert error is not None, "a report is an error"
            if error.code() != KafkaError._PARTITION_EOF or topic is None or offset is None:
                _check_fetch(error)
            elif offset >= self._positions[topic]:
                ended.add(topic)
                self._positions[topic] = offset
        return frozenset(ended)

    def hold(self, topic: str) -> None:
        """Pause the input in the consumer; what was prefetched is dropped there and fetched again after `release`."""
        _translated(self._consumer.pause, [TopicPartition(self._physical[topic], self._number)])

    def release(self, topic: str) -> None:
        """Resume the input."""
        _translated(self._consumer.resume, [TopicPartition(self._physical[topic], self._number)])

    # -- one transaction -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction."""
        _translated(self._producer.begin_transaction)

    def send(self, topic: str, records: Sequence[Pair]) -> None:
        """In batches of the client; a message that did not fit into its queue is offered again, in order."""
        name = self._settings.topic_name(topic)
        left: list[dict[str, Any]] = [{"key": key, "value": payload} for key, payload in records]
        while left:
            if self._producer.produce_batch(name, left, partition=self._number) == len(left):
                return
            left = _refused(left)
            if left:
                self._producer.poll(_FULL_QUEUE_S)

    def send_headed(self, topic: str, records: Sequence[Headed]) -> None:
        """One by one: a batch of the client cannot carry headers."""
        name = self._settings.topic_name(topic)
        for record in records:
            while not self._queued(name, record):
                self._producer.poll(_FULL_QUEUE_S)

    def _queued(self, name: str, record: Headed) -> bool:
        try:
            self._producer.produce(name, record.payload, record.key, partition=self._number, headers=list(record.headers))
        except BufferError:
            return False
        except KafkaException as failed:
            raise _refusal(failed.args[0]) from failed
        return True

    def commit(self) -> None:
        """Flush and commit; an error of any message of the transaction comes out here."""
        _translated(self._producer.commit_transaction, _CALL_S)

    def abort(self) -> None:
        """Purge and abort."""
        _translated(self._producer.abort_transaction, _CALL_S)

    def close(self) -> None:
        """Close the consumer; the producer goes with the last reference to it."""
        self._consumer.close()


def _refused(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `produce_batch` did not take for lack of room; it marks such messages and goes on with those behind them.

    Order matters within a key only, and a key occurs once in a transaction's batch.
    """
    left = [message for message in sent if "_error" in message]
    for message in left:
        error = message.pop("_error")
        if error.code() != KafkaError._QUEUE_FULL:
            raise _refusal(error)
    return left


def _refusal(error: KafkaError) -> LogError:
    """Why a message was not taken. A producer that failed meanwhile only says that it takes none: its abort will say why."""
    return AbortRequired(f"{error.name()}: {error.str()}") if error.code() in _FAILED_BEFORE else _typed(error)


def _check_fetch(error: KafkaError) -> None:
    """Let pass what librdkafka mends by itself; anything else ends the lane."""
    if error.code() in _LOST:
        raise PositionLost(f"the next record to read is gone: {error.str()}")
    if error.code() in clients.DENIED:
        raise Denied(f"{error.name()}: {error.str()}")
    if error.fatal() or error.code() not in _PASSING:
        raise Fatal(f"reading failed with {error.name()}: {error.str()}")


def _translated(call: Callable[..., _Answer], *arguments: object, **options: object) -> _Answer:
    """Call librdkafka; its error comes out as the log's own."""
    try:
        return call(*arguments, **options)
    except KafkaException as failed:
        raise _typed(failed.args[0]) from failed


def _typed(error: KafkaError) -> LogError:
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
