"""A command into Kafka, and the engine's answer to it.

Rules: the answer is the record on `actions` that names the command by its `event_id`; it lies in the account's own partition. A command
with an id of the caller's own may have been answered before: then that answer is the answer, since a repetition is not answered again.
"""

import time
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents import clients
from agents.messages import parted, there
from agents.reading import beginning_of, end_of, partitions_of
from agents.registry import codec_for
from agents.settings import Settings
from schemas.errors import RecordRejected, SettingsError
from schemas.json_values import from_json
from schemas.records import Action, Command
from streams.commands.answering import DONE, REFUSED
from streams.partitioning import partition_for

_ACKNOWLEDGED_S: Final = 30.0
_LOOK_S: Final = 0.2
_LOOKED_AT_ONCE: Final = 1_000


class Place(NamedTuple):
    """Where the command lies in its topic."""

    partition: int
    offset: int


def checked(said: dict[str, object]) -> Command:
    """The command that these values say. Raises SettingsError with everything that is wrong with them."""
    try:
        record = from_json("commands", said)
    except RecordRejected as refused:
        raise SettingsError(str(refused)) from refused
    assert isinstance(record, Command), "the topic of commands carries commands"
    return record


def sent(settings: Settings, command: Command) -> Place:
    """Put the command on its topic. Raises SettingsError if Kafka does not take it."""
    partitions_of(settings, "commands")
    delivered: list[Message] = []
    failed: list[str] = []
    producer = clients.idempotent_producer(settings)
    producer.produce(
        settings.topic_name("commands"),
        codec_for(settings).encode(command),
        command.account_id.encode(),
        on_delivery=lambda error, message: failed.append(error.str()) if error is not None else delivered.append(message),
    )
    if producer.flush(_ACKNOWLEDGED_S) or failed:
        raise SettingsError(f"Kafka has not taken the command: {failed[0] if failed else f'no answer within {_ACKNOWLEDGED_S:g} s'}")
    return Place(delivered[0].partition() or 0, delivered[0].offset() or 0)


class Listener:
    """Waits for the answer to a command. Made before the command is sent, so that no answer is missed."""

    def __init__(self, settings: Settings, command: Command, *, answered_before: bool) -> None:
        """`answered_before`: the id is the caller's own, so the answer may have been there for long."""
        self._settings, self._command, self._codec = settings, command, codec_for(settings)
        self._number = partition_for(command.account_id.encode(), partitions_of(settings, "actions"))
        self._first = (beginning_of if answered_before else end_of)(settings, "actions", self._number)

    def answer(self, within_s: float) -> Action | None:
        """The answer as soon as it is there; None if there is none in time."""
        consumer, give_up_at = clients.reading_consumer(self._settings), time.monotonic() + within_s
        try:
            consumer.assign([TopicPartition(self._settings.topic_name("actions"), self._number, self._first)])
            while time.monotonic() < give_up_at:
                if (found := self._found(consumer)) is not None:
                    return found
        finally:
            consumer.close()
        return None

    def _found(self, consumer: Consumer) -> Action | None:
        """The answer among what has come."""
        records, reports = parted(there(consumer, _LOOKED_AT_ONCE, _LOOK_S))
        for error in filter(None, (report.error() for report in reports)):
            if error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:  # it is in no group, whatever is said of that
                raise clients.unreachable(self._settings, KafkaException(error))
        actions = (self._codec.decode_as(Action, record.value()) for record in records)
        return next((action for action in actions if self._is_answer(action)), None)

    def _is_answer(self, action: Action) -> bool:
        asked = self._command
        return action.kind in (DONE, REFUSED) and (action.account_id, action.cause.event_id) == (asked.account_id, asked.event_id)
