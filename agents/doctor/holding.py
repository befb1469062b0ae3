"""Is a transaction of somebody's open that holds readers back? What is read ends at the first record of the oldest open one."""

from collections.abc import Iterator

from confluent_kafka import IsolationLevel, TopicPartition

from agents import clients
from agents.doctor.findings import Finding, Ground, fine, wrong
from agents.doctor.tails import places
from agents.messages import parted, there
from agents.offsets import LATEST, offsets_of


def held_back(ground: Ground) -> Iterator[Finding]:
    """The partitions that an open transaction has held back for longer than one may last."""
    topics = [*ground.inputs, "accounts-changelog"]
    found = [finding for place in _held(ground, topics) for finding in _old(ground, place)]
    yield from found or [fine("open transactions", "none holds the inputs or the changelog back")]


def _held(ground: Ground, topics: list[str]) -> list[TopicPartition]:
    """Where committed records end before the log does; the offset is the first one held back."""
    wanted = list(places(ground, topics).values())
    levels = (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
    stable, ends = (offsets_of(ground.admin, wanted, LATEST, level) for level in levels)
    return [TopicPartition(*place, offset) for place, offset in stable.items() if offset < ends[place]]


def _old(ground: Ground, place: TopicPartition) -> Iterator[Finding]:
    """A finding if what holds the place back is older than a transaction of ours may be."""
    since_ms = _since(ground, place)
    if since_ms is None or ground.clock() - since_ms <= ground.settings.transaction_timeout_ms:
        return
    seconds = (ground.clock() - since_ms) / 1000
    yield wrong(
        "open transactions",
        f"a transaction has been open for {seconds:,.0f} s and holds back {place.topic}:{place.partition} from offset {place.offset} on",
        f"kafka-transactions.sh abort --topic {place.topic} --partition {place.partition} --start-offset {place.offset}; mend its producer",
    )


def _since(ground: Ground, place: TopicPartition) -> int | None:
    """When the first record held back was written; None if it is gone by now."""
    uncommitted = ground.settings.kafka | {"isolation.level": "read_uncommitted"}
    consumer = clients.reading_consumer(ground.settings.model_copy(update={"kafka": uncommitted}))
    try:
        consumer.assign([place])
        while True:
            records, reports = parted(there(consumer, 1, 1.0))
            if records:
                return int(records[0].timestamp()[1])
            if reports:
                return None
    finally:
        consumer.close()
