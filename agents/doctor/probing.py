"""One transaction that is begun, written and aborted: whether transactions work, may be made, and what time the broker has.

The record goes to `dead-letters`, under a transactional id of the doctor's own, and is aborted: no reader of committed records sees it,
and no worker is fenced. Its append time, between sending and acknowledgement, is the broker's clock.
"""

from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message

from agents import clients, rights
from agents.doctor.findings import Finding, Ground, fine, told, wrong

SKEW_MS = 1_000
"""Beyond this, silence and the scoring lag are judged visibly wrong: a tick is the worker's clock less `tick_delay_ms`."""

_ANSWER_S = 10.0


class Probe(NamedTuple):
    """The broker's time, and ours before and after."""

    appended_at_ms: int
    sent_at_ms: int
    answered_at_ms: int

    def ahead_ms(self) -> int:
        """How far our clock is certainly ahead of the broker's (below 0: behind)."""
        if self.sent_at_ms > self.appended_at_ms:
            return self.sent_at_ms - self.appended_at_ms
        return min(0, self.answered_at_ms - self.appended_at_ms)


def transactions(ground: Ground) -> Iterator[Finding]:
    """Findings under `transactions` and `clock`; under `acls` if the transactional id is what is not allowed."""
    try:
        probe = _probed(ground)
    except KafkaException as failed:
        yield _failed(ground, failed.args[0])
        return
    yield fine("transactions", "one was begun, written and aborted")
    ahead_ms = probe.ahead_ms()
    if abs(ahead_ms) > SKEW_MS:
        way = "ahead of" if ahead_ms > 0 else "behind"
        yield wrong(
            "clock",
            f"this machine's clock is {abs(ahead_ms):,} ms {way} the broker's",
            "synchronise both with the same time servers (chrony, NTP)",
        )
    else:
        yield fine("clock", "this machine and the broker have the same time")


def _probed(ground: Ground) -> Probe:
    """Begin, write, abort. Raises KafkaException."""
    acknowledged: list[tuple[KafkaError | None, int, int]] = []

    def on_delivery(error: KafkaError | None, message: Message) -> None:
        acknowledged.append((error, message.timestamp()[1], ground.clock()))

    producer = clients.transactional_producer(ground.settings, f"{_ids(ground).name}doctor")
    producer.init_transactions(_ANSWER_S)
    producer.begin_transaction()
    sent_at_ms = ground.clock()
    producer.produce(ground.settings.topic_name("dead-letters"), b"", b"doctor", partition=0, on_delivery=on_delivery)
    producer.flush(_ANSWER_S)
    producer.abort_transaction(_ANSWER_S)
    if not acknowledged:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the record was not acknowledged"))
    error, appended_at_ms, answered_at_ms = acknowledged[0]
    if error is not None:
        raise KafkaException(error)
    return Probe(appended_at_ms, sent_at_ms, answered_at_ms)


def _failed(ground: Ground, error: KafkaError) -> Finding:
    said = f"{error.name()}: {error.str()}"
    if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return told("acls", rights.sentence(_ids(ground), ground.settings))
    if error.code() == KafkaError.INVALID_TRANSACTION_TIMEOUT:
        return wrong("transactions", said, "lower TIERSTREAM_TRANSACTION_TIMEOUT_MS, or raise transaction.max.timeout.ms of the brokers")
    return wrong("transactions", f"none can be made: {said}", "look at the brokers: `__transaction_state`, leaders, copies in sync")


def _ids(ground: Ground) -> rights.Right:
    """The right to a worker's transactional ids: every name that begins so."""
    (right,) = (right for right in rights.of("worker", ground.settings) if right.resource == "TRANSACTIONAL_ID")
    return right
