"""`worker --quarantine` dead-letters exactly the record that the operator names, unread, and `fold-order` says so."""

from pathlib import Path

from agents.embedded.broker import Broker
from agents.reading import committed_messages, committed_records
from schemas import dead_letters
from schemas.codec import Codec
from schemas.errors import Reason
from schemas.records import FoldOrder
from tests.integration.commands import Commands
from tests.waiting import eventually


def test_exactly_the_named_record_is_dead_lettered_unread(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    commands = Commands(kafka.bootstrap, prefix).with_topics()
    commands.json("generate", "--rate", "0", "--seconds", "1", "--accounts", "40", "--seed", "3")
    named = next(iter(committed_records(commands.settings, "interactions")))
    place = f"interactions:{named.partition}:{named.offset}"
    with commands.running("worker", "--policy", "sabc", "--quarantine", place, log=tmp_path / "worker.log"):
        eventually(lambda: list(committed_messages(commands.settings, "dead-letters")), 60, "the dead letter")
    (message,) = committed_messages(commands.settings, "dead-letters")
    letter = dead_letters.from_headers(message.headers(), message.key(), message.value())
    assert (letter.reason, letter.topic, letter.partition, letter.offset) == (
        Reason.QUARANTINED,
        "interactions",
        named.partition,
        named.offset,
    )
    assert (letter.key, letter.payload) == (named.key, named.payload)
    orders = [Codec().decode_as(FoldOrder, raw.payload) for raw in committed_records(commands.settings, "fold-order")]
    assert [(q.topic, q.offset) for order in orders for q in order.quarantined] == [("interactions", named.offset)]
