"""`generate` on a real broker: every record arrives where it belongs, poison is counted by its kind."""

from collections import Counter

from agents.embedded.broker import Broker
from agents.reading import committed_records
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from schemas.topics import INPUTS
from streams import intake
from streams.intake import RawRecord
from tests.builders import MINUTE
from tests.integration.commands import Commands

PARTITIONS = 4


def judged(raw: RawRecord) -> str | None:
    try:
        event = Codec().decode(raw.topic, raw.payload)
        intake.check_ahead(event, raw.appended_at_ms, 5 * MINUTE)
        intake.check_partition(intake.check_key(raw.key, event), raw.partition, PARTITIONS)
    except RecordRejected as rejection:
        return rejection.reason.value
    return None


def test_what_is_sent_arrives_and_poison_is_counted_by_its_kind(kafka: Broker, prefix: str) -> None:
    commands = Commands(kafka.bootstrap, prefix, PARTITIONS).with_topics()
    told = commands.json("generate", "--rate", "0", "--records", "5000", "--accounts", "100", "--seed", "3", "--poison-share", "0.1")
    records = [raw for topic in INPUTS for raw in committed_records(commands.settings, topic)]
    assert len(records) == told["records"] == 5_100
    assert Counter(raw.topic for raw in records) == told["topics"]
    verdicts = Counter(verdict for raw in records if (verdict := judged(raw)) is not None)
    assert verdicts == told["spoilt"]
    assert set(verdicts) == {reason.value for reason in Reason} - {
        "QUARANTINED",
        "UNKNOWN_CURRENCY",
    }  # the one is the operator's, the other the policy's


def test_records_come_at_the_rate_that_was_asked_for(kafka: Broker, prefix: str) -> None:
    commands = Commands(kafka.bootstrap, prefix, PARTITIONS).with_topics()
    told = commands.json("generate", "--rate", "400", "--seconds", "2", "--accounts", "1")
    assert 700 <= told["records"] <= 810
    assert told["undelivered"] == {}
