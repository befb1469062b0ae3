"""A consumer downstream of an engine: read_committed, and notes when it had what. It starts where the topic ends and reads on.

It only keeps what came; decoding is done elsewhere, so that it never waits for itself.
"""

import threading
import time
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from agents import clients
from agents.settings import Settings

_POLL_S, _AT_ONCE, _ANSWER_S = 0.02, 500, 10.0


class Observer:
    """Reads one topic (physical name) in its own thread. Use it as a context."""

    def __init__(self, settings: Settings, topic: str, partitions: int) -> None:
        self.arrived: list[tuple[float, bytes]] = []
        self._admin = clients.admin_client(settings)
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._read_to = self._ends()
        self._consumer = clients.reading_consumer(settings)
        self._consumer.assign([TopicPartition(topic, number, at) for number, at in self._read_to.items()])
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> "Observer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._end.is_set():
            messages = self._consumer.consume(_AT_ONCE, _POLL_S)
            at_s = time.time()
            for message in messages:
                self._note(message, at_s)

    def _note(self, message: Any, at_s: float) -> None:
        error = message.error()
        if error is None:
            self.arrived.append((at_s, message.value()))
        elif error.code() != KafkaError._PARTITION_EOF:
            if error.fatal():
                raise KafkaException(error)
            return
        self._read_to[message.partition()] = max(self._read_to[message.partition()], message.offset() + (error is None))

    def await_end(self, timeout_s: float = 60.0) -> None:
        """Until everything that is committed now has been read."""
        ends, give_up_at = self._ends(), time.monotonic() + timeout_s
        while any(self._read_to[number] < end for number, end in ends.items()):
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"the output must be readable up to {ends} within {timeout_s:g} s, is up to {self._read_to}")
            time.sleep(_POLL_S)

    def _ends(self) -> dict[int, int]:
        """Where the topic ends. One just made has no leaders yet: asked again until it has."""
        give_up_at = time.monotonic() + _ANSWER_S
        while True:
            try:
                return self._latest()
            except KafkaException:
                if time.monotonic() > give_up_at:
                    raise
                self._admin.list_topics(timeout=_ANSWER_S)

    def _latest(self) -> dict[int, int]:
        answers = self._admin.list_offsets(
            dict.fromkeys(self._places, OffsetSpec.latest()), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_ANSWER_S
        )
        return {place.partition: answer.result().offset for place, answer in answers.items()}
