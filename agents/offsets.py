"""Where partitions begin and end. A broker that is just back may not know of its own leaders yet: it is asked again for a while."""

import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # re-exported unmarked

from agents.kafka_errors import typed
from agents.partition_log import Retriable

EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
ANSWER_S = 30.0
_PAUSE_S = 0.1


def offsets_of(
    admin: AdminClient, places: Iterable[TopicPartition], which: Any, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED
) -> dict[tuple[str, int], int]:
    """An offset of each place, by the broker's name of its topic and its number. Raises KafkaException after `ANSWER_S` at the latest."""
    wanted = dict.fromkeys(places, which)
    give_up_at = time.monotonic() + ANSWER_S
    while True:
        answers = admin.list_offsets(wanted, isolation_level=isolation, request_timeout=ANSWER_S)
        try:
            return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
        except KafkaException as failed:
            if time.monotonic() > give_up_at or not isinstance(typed(failed.args[0]), Retriable):
                raise
        time.sleep(_PAUSE_S)
