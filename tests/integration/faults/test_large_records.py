"""Records larger than anybody needs: refused at the door, or if they came through it all the same, dead letters; nobody waits behind them.

They come through where a topic's limit was raised, and where they compress well: the limit is on what is sent.
"""

from pathlib import Path
from random import Random

import msgspec
import pytest
from confluent_kafka import KafkaError

from agents import clients
from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from schemas import dead_letters
from schemas.codec import Codec
from schemas.errors import Reason
from tests.builders import interaction, profile
from tests.integration.faults.scene import Scene
from tests.integration.faults.topics import altered
from tests.waiting import eventually
from tests.workers import Worker, publish

TWO_MB = 2 * 1_048_576
WIDE_BYTES, TEN_MB = 4 * 1_048_576, 10 * 1_048_576


def large_text() -> msgspec.Struct:
    """One text of 2 MB that does not compress, which no field may have."""
    return interaction("acme", at=wall_clock(), asset=noise(TWO_MB))


def large_in_all() -> msgspec.Struct:
    """2 MB of custom fields, each of them fine."""
    text = noise(TWO_MB)
    return profile("acme", at=wall_clock(), custom={text[at : at + 64]: True for at in range(0, TWO_MB, 64)})


def noise(size: int) -> str:
    return Random(size).randbytes(size // 2).hex()


@pytest.mark.faults
def test_a_record_of_2_mb_is_refused_at_the_door(kafka: Broker, prefix: str) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    producer, errors = clients.idempotent_producer(scene.settings), list[KafkaError | None]()
    producer.produce(
        scene.settings.topic_name("interactions"), Codec().encode(large_text()), b"acme", on_delivery=lambda error, _: errors.append(error)
    )
    assert producer.flush(30) == 0
    assert [error and error.code() for error in errors] == [KafkaError.MSG_SIZE_TOO_LARGE]


@pytest.mark.faults
def test_large_records_that_came_through_the_door_become_dead_letters_and_nobody_waits(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    scene = Scene(kafka.bootstrap, prefix)
    with Worker(scene.settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(4)
        publish(scene.settings, "interactions", [interaction("acme", at=wall_clock(), asset="x" * TEN_MB)])
        for topic in ("interactions", "profiles"):
            altered(scene.settings, topic, max_message_bytes=str(WIDE_BYTES))
        publish(scene.settings, "interactions", [large_text()])
        publish(scene.settings, "profiles", [large_in_all()])
        publish(scene.settings, "interactions", [interaction("acme", at=wall_clock())])
        eventually(lambda: worker.metric("tierstream_events_total") == 4, 30, "all four to be passed")
        assert worker.stop() == 0
        assert "aborting" not in worker.said
    letters = [message for messages in scene.where.read("dead-letters")["dead-letters"].values() for message in messages]
    read = [dead_letters.from_headers(letter.headers(), letter.key(), letter.value()) for letter in letters]
    assert sorted((letter.topic, letter.reason, len(letter.payload or b"") // TWO_MB) for letter in read) == [
        ("interactions", Reason.OUT_OF_RANGE, 1),
        ("interactions", Reason.OUT_OF_RANGE, 5),
        ("profiles", Reason.OUT_OF_RANGE, 1),
    ]
