"""A partition's log on a real Kafka: one transactional producer and one consumer of its own.

Rules: `init_transactions` comes first (it fences the former owner and settles its open transaction); the end of a partition is
known by its EOF report, which counts transaction markers, never by the last record's offset; a transaction is begun only on topics
that were the same ones within the last second; every librdkafka error leaves this module as one of the log's own.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from agents import clients
from agents.bulk_consumer import Report
from agents.identities import Identities
from agents.kafka_errors import check_fetch, not_taken, refusal, translated
from agents.offsets import LATEST
from agents.partition_log import Fetched, Headed, Pair, PositionLost, Retriable, TopicLost
from agents.resting import Rest
from agents.settings import Settings
from schemas.changelog import PROGRESS_PREFIX
from schemas.pairs import NO_PAIRS, Pairs
from streams.batches import NO_RECORDS, Chunk

CHANGELOG, FOLD_ORDER = "accounts-changelog", "fold-order"
_CALL_S = 10.0  # one attempt of a call; the caller repeats it
_RESTORE_BATCH = 20_000
_RESTORE_WAIT_S = 0.2
_FULL_QUEUE_S = 0.05


class KafkaLog:
    """`PartitionLog` on a broker. One thread uses it; `admin` and `identities` may be shared."""

    def __init__(
        self, settings: Settings, number: int, topics: Sequence[str], admin: AdminClient, identities: Identities | None = None
    ) -> None:
        self._settings = settings
        self._number = number
        self._admin = admin
        self._producer = clients.transactional_producer(settings, settings.transactional_id(number))
        self._consumer = clients.bulk_consumer(settings)
        self._physical = {topic: settings.topic_name(topic) for topic in topics}
        self._logical = {name: topic for topic, name in self._physical.items()}
        self._positions: dict[str, int] = {}
        self._restored_to = 0
        self._identities = identities or Identities(admin)
        self._watched = {**self._logical, settings.topic_name(CHANGELOG): CHANGELOG}
        self._pinned: dict[str, str] = {}
        self._rest = Rest()

    @property
    def number(self) -> int:
        """The partition's number."""
        return self._number

    # -- taking the partition ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Fence the former owner and settle its open transaction.

        Asking for metadata first brings the connection up: without one, librdkafka looks for the coordinator half a second later.
        """
        translated(self._producer.list_topics, self._settings.topic_name(CHANGELOG), _CALL_S)
        translated(self._producer.init_transactions, _CALL_S)

    def topic_ids(self) -> dict[str, str]:
        """The broker's id of each input and of the changelog; from now on they must stay what they are."""
        self._pinned = self._identities.now(self._watched)
        return {self._watched[name]: topic_id for name, topic_id in self._pinned.items()}

    def changelog_end(self) -> int:
        """The high watermark of the changelog.

        Asked read_uncommitted: to a read_committed reader the broker names the last stable offset as the end, and what
        was committed behind a foreign open transaction would be missed.
        """
        name = self._settings.topic_name(CHANGELOG)
        return self._latest([name], IsolationLevel.READ_UNCOMMITTED)[name]

    def restore(self, end: int) -> Iterator[Pairs]:
        """The changelog up to its end; only a foreign open transaction could keep it from getting there.

        Where there is no progress in it though the partition's fold-order knows of work, it is not the changelog of that work.
        """
        place = TopicPartition(self._settings.topic_name(CHANGELOG), self._number)
        begin = self._begin_or_word(place)
        if begin > 0:
            raise TopicLost(f"{_named(place)} begins at offset {begin}: records were deleted from it, and state with them")
        has_progress = False
        for batch in self._read(place, begin, end):
            has_progress = has_progress or batch.starting(PROGRESS_PREFIX).size > 0
            yield batch
        if not has_progress and (yield from self._has_worked()):
            raise TopicLost(f"{_named(place)} has no progress, though records were folded: it was deleted, and made again or emptied")

    def restored_to(self) -> int:
        """How far the changelog has been read."""
        return self._restored_to

    def _read(self, place: TopicPartition, begin: int, end: int) -> Iterator[Pairs]:
        """A partition in batches up to `end`, committed records only."""
        self._consumer.assign([TopicPartition(place.topic, place.partition, begin)])
        complete = end == 0
        while not complete:
            taken = self._consumer.take(_RESTORE_BATCH, _RESTORE_WAIT_S)
            for report in taken.reports:
                if report.error.code() == KafkaError._PARTITION_EOF:
                    complete = report.offset >= end
                else:
                    check_fetch(report.error)
            records = taken.chunks.get((place.topic, place.partition), NO_RECORDS)
            self._restored_to = end if complete else int(records.offset[-1]) + 1 if records.size else self._restored_to
            yield Pairs(records.keys, records.payloads)
        self._consumer.unassign()

    def _has_worked(self) -> Generator[Pairs, None, bool]:
        """Whether a transaction of this partition was ever committed, by the record of what it folded. Yields while it reads."""
        place = TopicPartition(self._settings.topic_name(FOLD_ORDER), self._number)
        begin, end = translated(self._consumer.get_watermark_offsets, place, _CALL_S)
        if begin > 0:
            return True
        for batch in self._read(place, begin, end):
            if batch:
                self._consumer.unassign()
                return True
            yield NO_PAIRS
        return False

    def begins(self) -> dict[str, int]:
        """The first offset of each input."""
        return {topic: self._begin(TopicPartition(name, self._number)) for topic, name in self._physical.items()}

    def _begin(self, place: TopicPartition) -> int:
        """The first offset of a partition. Asked through the consumer: it then knows the leader, and reading starts a second earlier."""
        return int(translated(self._consumer.get_watermark_offsets, place, _CALL_S)[0])

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
        wanted = {TopicPartition(name, self._number): LATEST for name in names}
        answers = self._admin.list_offsets(wanted, isolation_level=isolation, request_timeout=_CALL_S)
        return {place.topic: int(translated(answer.result).offset) for place, answer in answers.items()}

    # -- reading -------------------------------------------------------------------------------------------------------

    def start(self, positions: Mapping[str, int]) -> None:
        """Assign the inputs at their positions."""
        self._positions = dict(positions)
        self._consumer.assign([TopicPartition(self._physical[topic], self._number, at) for topic, at in positions.items()])

    def positions(self) -> dict[str, int]:
        """Past the last record read, or the last EOF offset where that is further on."""
        return dict(self._positions)

    def fetch(self, limit: int, timeout_s: float) -> Fetched:
        """The first message as soon as it is there, with whatever has been prefetched behind it; a little after a commit at the soonest."""
        self._rest.take(timeout_s)
        taken = self._consumer.take(limit, timeout_s)
        self._rest.fetched(sum(chunk.size for chunk in taken.chunks.values()))
        chunks: dict[str, Chunk] = {}
        for (name, _), chunk in taken.chunks.items():
            if (topic := self._logical.get(name)) is not None:
                chunks[topic] = chunk
                self._positions[topic] = int(chunk.offset[-1]) + 1
        with suppress(Retriable):  # asked here, where no other lane waits for the answer; begin insists
            self._require_same_topics(self._identities.lately)
        return Fetched(chunks, self._ended(taken.reports))

    def _ended(self, reports: Sequence[Report]) -> frozenset[str]:
        """The inputs that were at their end behind what has been read; their positions move there, past any markers."""
        ended: set[str] = set()
        for report in reports:
            topic = self._logical.get(report.topic)
            if report.error.code() != KafkaError._PARTITION_EOF or topic is None:
                self._check(report)
            elif report.offset >= self._positions[topic]:
                ended.add(topic)
                self._positions[topic] = report.offset
        return frozenset(ended)

    def _check(self, report: Report) -> None:
        """As `check_fetch`, with place and reason: a position may be lost because its topic is another one now."""
        place = TopicPartition(report.topic, report.partition)
        try:
            check_fetch(report.error)
        except (PositionLost, TopicLost) as lost:
            with suppress(Retriable):  # the broker does not say now: what is known is enough to stop
                self._require_same_topics(self._identities.now)
            position = self._positions.get(self._logical.get(place.topic, ""), 0)
            raise type(lost)(f"{_named(place)}, next offset {position}: {lost}") from lost

    def _require_same_topics(self, ids: Callable[[Collection[str]], dict[str, str]]) -> None:
        """Raises TopicLost where a topic is not the one that it was when the partition was taken."""
        if not self._pinned:
            return
        found = ids(self._watched)
        for name, before in self._pinned.items():
            if found[name] != before:
                place = TopicPartition(name, self._number)
                raise TopicLost(f"{_named(place)} was deleted and made again (id {found[name]}, was {before}): offsets mean other records")

    def hold(self, topic: str) -> None:
        """Pause the input in the consumer; what was prefetched is dropped there and fetched again after `release`."""
        translated(self._consumer.pause, [TopicPartition(self._physical[topic], self._number)])

    def release(self, topic: str) -> None:
        """Resume the input."""
        translated(self._consumer.resume, [TopicPartition(self._physical[topic], self._number)])

    # -- one transaction -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction, on the topics that this lane has taken."""
        self._require_same_topics(self._identities.lately)
        translated(self._producer.begin_transaction)

    def send(self, topic: str, records: Sequence[Pair]) -> None:
        """In batches of the client; a message that did not fit into its queue is offered again, in order."""
        name = self._settings.topic_name(topic)
        left: list[dict[str, Any]] = [{"key": key, "value": payload} for key, payload in records]
        while left:
            if self._producer.produce_batch(name, left, partition=self._number) == len(left):
                return
            left = not_taken(left)
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
            raise refusal(failed.args[0]) from failed
        return True

    def commit(self) -> None:
        """Flush and commit; an error of any message of the transaction comes out here."""
        translated(self._producer.commit_transaction, _CALL_S)
        self._rest.committed()

    def abort(self) -> None:
        """Purge and abort."""
        translated(self._producer.abort_transaction, _CALL_S)

    def close(self) -> None:
        """Close the consumer; the producer goes with the last reference to it."""
        self._consumer.close()


def _named(place: TopicPartition) -> str:
    return f"topic {place.topic} partition {place.partition}"
