"""One transaction: everything that follows from the records of one cycle, and the progress past them, or nothing of it.

What is sent is fixed before the first attempt; an aborted attempt sends exactly the same again. So memory, which has been
folded already, is never ahead of anything but this transaction. Whatever cannot be repeated leaves as an error that ends the process.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import msgspec

from agents.counters import LaneCounters
from agents.partition_log import AbortRequired, Fatal, Headed, Pair, PartitionLog
from agents.patience import Wait, patiently
from schemas import cloud_events, dead_letters
from schemas.changelog import Progress, progress_key, progress_payload
from schemas.records import AccountTiers, Action, FoldOrder, HotLead, TierTransition
from streams.account import Output
from streams.cycle import Folded

_log = logging.getLogger("tierstream.lane")

CHANGELOG, FOLD_ORDER, DEAD_LETTERS = "accounts-changelog", "fold-order", "dead-letters"
MOST_ABORTS = 5
"""Aborts of one unit of work in a row; more means that it will never go through."""


class Content(NamedTuple):
    """The records of one transaction, by topic; those with headers apart."""

    plain: dict[str, list[Pair]]
    headed: dict[str, list[Headed]]


Encode = Callable[[Sequence[msgspec.Struct]], list[bytes]]
"""The payloads of these records."""


def content(folded: Folded, order: FoldOrder, progress: Mapping[str, Progress], encode: Encode, application: str) -> Content:
    """What the transaction of one cycle holds; `application` says it."""
    source = f"/tierstream/{application}"
    fold_order, *payloads = encode([order, *(output.record for output in folded.outputs if output.record is not None)])
    written = iter(payloads)
    changelog: list[Pair] = [*folded.changes, *((progress_key(topic), progress_payload(at)) for topic, at in progress.items())]
    headed: dict[str, list[Headed]] = {}
    for output in folded.outputs:
        said = output.record
        record = Headed(output.key, None, []) if said is None else Headed(output.key, next(written), announced(output, source))
        headed.setdefault(output.topic, []).append(record)
    if folded.dead:
        headed[DEAD_LETTERS] = [Headed(letter.key, letter.payload, dead_letters.headers(letter, application)) for letter in folded.dead]
    return Content({CHANGELOG: changelog, FOLD_ORDER: [(str(order.partition).encode(), fold_order)]}, headed)


def announced(output: Output, source: str) -> list[tuple[str, bytes]]:
    """The CloudEvents headers of a public record."""
    record = output.record
    match record:
        case TierTransition():
            kind, event_id, time_ms = "tier-transition", record.transition_id, record.effective_at
        case AccountTiers():
            kind, event_id, time_ms = "account-tiers", f"{record.account_id}/{record.generation}/{record.revision}", record.effective_at
        case HotLead():
            kind, event_id, time_ms = "hot-lead", record.lead_id, record.effective_at
        case Action():
            kind, event_id, time_ms = "action", record.action_id, record.due_at
        case _:
            raise _unannounced(output)
    return cloud_events.headers(type=f"tierstream.{kind}.v1", source=source, id=event_id, subject=record.account_id, time_ms=time_ms)


def _unannounced(output: Output) -> TypeError:
    record = output.record
    return TypeError(f"output record must be one that has CloudEvents headers, got {type(record).__name__} for {output.topic}")


class UnitOfWork:
    """Sends and commits the contents of a lane, one transaction at a time. `baton` is held while records are handed to the client."""

    def __init__(self, log: PartitionLog, counters: LaneCounters, baton: AbstractContextManager[object], wait: Wait = time.sleep) -> None:
        self._log, self._counters, self._baton, self._wait = log, counters, baton, wait

    def send(self, records: Content) -> bool:
        """Open a transaction and put everything into it; False: it must be aborted. The caller holds the baton."""
        try:
            patiently(self._log.begin, self._wait)
            for topic, pairs in records.plain.items():
                self._log.send(topic, pairs)
            for topic, headed in records.headed.items():
                self._log.send_headed(topic, headed)
        except AbortRequired as refused:
            self._note(refused)
            return False
        return True

    def commit(self, records: Content, sent: bool) -> None:
        """Until the transaction that `send` began, or one of the same content after it, is committed."""
        aborts = 0
        while not (sent and self._committed()):
            aborts += 1
            if aborts > MOST_ABORTS:
                raise Fatal(f"{MOST_ABORTS} transactions of the same content were aborted in a row")
            patiently(self._log.abort, self._wait)
            with self._baton:
                sent = self.send(records)

    def _committed(self) -> bool:
        began_at = time.perf_counter()
        try:
            patiently(self._log.commit, self._wait)
        except AbortRequired as refused:
            self._note(refused)
            return False
        self._counters.commit_ms.observe(1000 * (time.perf_counter() - began_at))
        return True

    def _note(self, refused: AbortRequired) -> None:
        self._counters.aborts += 1
        _log.warning("partition %d: aborting a transaction, the same content is sent again: %s", self._log.number, refused)
