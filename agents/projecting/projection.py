"""One partition's projection as a step function, in the shape of a lane: read, then one batch to Redis.

Rules: what has been read is written before more is read, however long Redis is away; a Redis that forgot what was written is written anew
from what it still knows, from the beginning if that is nothing; nobody is told of changes that were history when that began.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from agents.clocks import Clock
from agents.counters import LAG_BOUNDS_MS, Histogram
from agents.partition_log import Retriable
from agents.patience import patiently
from agents.projecting import entries
from agents.projecting.counting import ProjectionCounters
from agents.projecting.entries import Entry
from agents.projecting.source import LEADS, TIERS, TOPICS, TRANSITIONS, Source, Taken
from agents.projecting.store import CHANGED, Away, Batch, Lost, Place, Store
from agents.recovery import NOTHING
from agents.settings import Settings
from schemas.avro_reading import NestedReader
from schemas.codec import Codec
from schemas.errors import RecordRejected, SettingsError
from schemas.pieces import Pieces
from schemas.records import AccountTiers, HotLead, TierTransition
from schemas.topics import DAY_MS

ERASURES_KEPT_MS = 20 * 3_600_000
"""Compaction keeps a deletion for a day: who was away for about as long may have missed one, and begins again."""
FRESH_EVERY_MS = 1_000
_LEAD_MARGIN_MS = DAY_MS
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 1.0
_SAY_EVERY_S = 10.0
_log = logging.getLogger("tierstream.projection")
Published = AccountTiers | TierTransition | HotLead


class Readers:
    """What reads the three kinds of records, in compiled code where it can. Shared by the partitions of a process."""

    def __init__(self, codec: Codec) -> None:
        self.by_topic: dict[str, NestedReader[Any]] = {
            TIERS: NestedReader(AccountTiers, codec), TRANSITIONS: NestedReader(TierTransition, codec), LEADS: NestedReader(HotLead, codec),
        }  # fmt: skip


class Projection:
    """Owns one partition from `recover` until its log is closed. One caller at a time."""

    def __init__(
        self,
        settings: Settings,
        number: int,
        store: Store,
        admin: AdminClient,
        counters: ProjectionCounters,
        clock: Clock,
        readers: Readers,
    ) -> None:
        self.number, self.counters = number, counters
        self.log = Source(settings, number, admin)
        self._store, self._clock, self._readers = store, clock, readers
        self._application, self._lead_ms = settings.application_id, int(settings.lead_days * DAY_MS)
        self._begun: dict[str, int] = {}
        self._place = Place({}, None, 0, 0)
        self._history: dict[str, int] = {}
        self._pending: Batch | None = None
        self._pending_at_ms: list[tuple[str, int]] = []
        self._looked_at_ms = 0
        self._wait_s, self._said_at_s = _FIRST_WAIT_S, 0.0

    # -- life ----------------------------------------------------------------------------------------------------------

    def recover(self, given_up: Callable[[], bool] = lambda: False, fencing: AbstractContextManager[object] = NOTHING) -> None:
        """Find out how far Redis is, and go on from there. Nobody is fenced: what another writes meanwhile is the same."""
        _ = fencing
        patiently(self._begin, self._tried, given_up)

    def _tried(self, seconds: float) -> None:
        self.counters.restored += 1  # it tries: a Redis or a broker that is away is no fault of ours
        time.sleep(seconds)

    def _begin(self) -> None:
        """Raises Retriable; SettingsError where the topics are others than those that Redis knows."""
        self.log.rest(resting=False)
        try:
            begins, ends = self.log.begins(), self.log.ends()
            place = self._found(begins)
            if beyond := [topic for topic in TOPICS if place.positions[topic] > max(begins[topic], ends[topic])]:
                raise SettingsError(_made_again(beyond[0], ends[beyond[0]], place))
            self._begun = {topic: max(place.positions[topic], begins[topic]) for topic in TOPICS}
            self._store.apply(
                Batch(self.number, place.epoch, place.positions, self._begun, 0, False, ())
            )  # what was deleted is passed over
        except (Away, Lost) as passing:
            raise Retriable(str(passing)) from None
        self._place, self._pending = place, None
        self._history = ends if place.read_at_ms is None else {}
        self.log.start(self._begun)

    def _found(self, begins: dict[str, int]) -> Place:
        """How far Redis is, now at the latest from the beginning on."""
        place = self._store.place(self.number)
        if place.read_at_ms is not None and self._clock() - place.read_at_ms > ERASURES_KEPT_MS:
            _log.warning("partition %d: nobody has read for %d h: it is projected again", self.number, ERASURES_KEPT_MS // 3_600_000)
            self._store.begin_again(self.number, TOPICS)
            place = self._store.place(self.number)
        if place.positions.keys() == set(TOPICS):
            return place
        _log.info("partition %d is projected from the beginning", self.number)
        self.counters.rebuilds += 1
        self._store.begin(self.number, begins)
        return self._store.place(self.number)

    @property
    def rebuilding(self) -> bool:
        """Whether a rebuild that was asked for has not come to its end."""
        return self._place.swept < self._place.epoch

    # -- steps ---------------------------------------------------------------------------------------------------------

    def gather(self, timeout_s: float) -> None:
        """Read what is there; nothing more while there is something to write."""
        if self._pending is None:
            self.log.gather(timeout_s)
        else:
            time.sleep(min(self._wait_s, timeout_s))

    def cycle(self) -> bool:
        """Write what may be written. True: Redis has taken something."""
        if self._pending is None:
            self._pending = self._batch()
        if self._pending is None:
            return False
        try:
            counts = self._store.apply(self._pending)
            if self._pending.ends.keys() == set(TOPICS) and self.rebuilding:
                self._sweep()
        except Away as away:
            return self._stay(away)
        except Lost:
            return self._begin_anew()
        self._done(self._pending, counts)
        return True

    def waiting(self) -> int:
        """Records that were read and are not written; none counts while Redis is away, which the watchdog must not hold against us."""
        return 0 if self._wait_s > _FIRST_WAIT_S else self.log.waiting()

    def offer_tick(self, at_ms: int, heartbeat_ms: int) -> None:
        """Time passes in lanes that score."""

    def folded_to(self) -> dict[str, int]:
        """Where each topic is in Redis to."""
        return dict(self._begun)

    def overdue(self, at_ms: int) -> int:  # noqa: ARG002 - as a lane answers
        """Nothing falls due here."""
        return 0

    @property
    def rows(self) -> "Projection":
        """What is known of accounts is in Redis."""
        return self

    def view(self, account_id: str, at_ms: int | None = None) -> dict[str, Any] | None:  # noqa: ARG002 - as a lane answers
        """What Redis says of an account, None if there is none."""
        return self._store.account(account_id)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _batch(self) -> Batch | None:
        """What is to be written now; None: nothing new, and Redis knows how fresh it is."""
        try:
            taken = self.log.take()
        except Retriable as unanswered:
            _log.debug("partition %d: %s", self.number, unanswered)
            return None
        now_ms = self._clock()
        to_look = now_ms - self._looked_at_ms >= FRESH_EVERY_MS
        if not taken.records and not to_look:
            return None
        found = self._entries(newest(taken.records))
        self._pending_at_ms = [(topic, message.timestamp()[1]) for topic, message in taken.records]
        fresh = self._fresh_ms(taken, now_ms) if to_look else 0
        return Batch(self.number, self._place.epoch, self._begun, taken.ends, fresh, self.rebuilding, found)

    def _fresh_ms(self, taken: Taken, now_ms: int) -> int:
        """Up to when all that was published is in Redis once this is: now, where everything has been read to its end; else 0."""
        self._looked_at_ms = now_ms
        try:
            ends = self.log.ends()
        except Retriable:
            return 0
        self.counters.behind = {topic: max(0, end - taken.ends.get(topic, self._begun[topic])) for topic, end in ends.items()}
        return 0 if any(self.counters.behind.values()) else now_ms

    def _entries(self, records: list[tuple[str, Message]]) -> list[Entry]:
        """What is to be written of records, in their order: nothing of those that are not ours, or cannot be read."""
        found: dict[int, Entry] = {}
        for topic, reader in self._readers.by_topic.items():
            places = [place for place, record in enumerate(records) if record[0] == topic]
            messages = [records[place][1] for place in places]
            read = reader.read_all(Pieces.of([message.value() for message in messages]))
            for place, message, record in zip(places, messages, read, strict=True):
                entry = self._entry(topic, message, record)
                if entry is not None:
                    found[place] = entry
        return [found[place] for place in sorted(found)]

    def _entry(self, topic: str, message: Message, record: Published | RecordRejected | None) -> Entry | None:
        """What is to be written of one record; None: nothing."""
        offset = message.offset() or 0
        if record is None:
            key = message.key()
            return entries.erasure(str(key, "utf-8", "replace"), offset) if topic == TIERS and key is not None else None
        if isinstance(record, RecordRejected):
            self.counters.unreadable += 1
            _log.warning("topic %s partition %d offset %d is not projected: %s", topic, self.number, offset, record)
            return None
        return self._said(record, offset) if entries.is_ours(record, self._application) else None

    def _said(self, record: Published, offset: int) -> Entry | None:
        if isinstance(record, AccountTiers):
            return entries.tiers(record, offset)
        if isinstance(record, TierTransition):
            return entries.transition(record, quiet=offset < self._history.get(TRANSITIONS, 0))
        expires_at_ms = record.decided_at + self._lead_ms
        return entries.lead(record, expires_at_ms + _LEAD_MARGIN_MS) if expires_at_ms > self._clock() else None

    def _done(self, batch: Batch, counts: list[int]) -> None:
        now_ms, counters = self._clock(), self.counters
        for kind, changed, unchanged in zip(CHANGED, counts[::2], counts[1::2], strict=True):
            counters.changed[kind] += changed
            counters.unchanged[kind] += unchanged
        for topic, appended_at_ms in self._pending_at_ms:
            counters.events[topic] += 1
            counters.lag_ms.setdefault(topic, Histogram(LAG_BOUNDS_MS)).observe(max(now_ms - appended_at_ms, 0))
        counters.read_at_ms = batch.read_at_ms or counters.read_at_ms
        self._begun = {**self._begun, **batch.ends}
        self._pending, self._pending_at_ms = None, []
        if self._wait_s > _FIRST_WAIT_S:
            _log.info("partition %d: Redis is back", self.number)
        self._wait_s = _FIRST_WAIT_S
        self.log.rest(resting=False)

    def _stay(self, away: Away) -> bool:
        """The same again, a little later."""
        self.counters.repeats += 1
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
        self.log.rest(resting=True)
        if time.monotonic() - self._said_at_s > _SAY_EVERY_S:
            self._said_at_s = time.monotonic()
            _log.warning("partition %d waits: Redis cannot be written to now: %s", self.number, away)
        return False

    def _begin_anew(self) -> bool:
        """Redis has forgotten: what was read and not written is read again."""
        _log.warning("partition %d: Redis has forgotten what was written to it: it is written again", self.number)
        try:
            self._begin()
        except Retriable as passing:
            return self._stay(Away(str(passing)))
        return False

    def _sweep(self) -> None:
        """A rebuild has come to what was the end when it began: what it has not found is gone."""
        if self._pending is None or any(self._pending.ends[topic] < end for topic, end in self._history.items()):
            return
        epoch, gone = self._place.epoch, 0
        for accounts in self._store.accounts():
            swept = Batch(self.number, epoch, {}, {}, 0, False, [("S", account) for account in accounts])
            gone += self._store.apply(swept)[6]
        self._store.swept(self.number, epoch)
        self._place = self._place._replace(swept=epoch)
        _log.info("partition %d is rebuilt: %d accounts that are no more were taken out", self.number, gone)


def newest(records: list[tuple[str, Message]]) -> list[tuple[str, Message]]:
    """Without those of `account-tiers` that a later one of the same account replaces."""
    last = {message.key(): place for place, (topic, message) in enumerate(records) if topic == TIERS}
    return [each for place, each in enumerate(records) if each[0] != TIERS or last[each[1].key()] == place]


def _made_again(topic: str, end: int, place: Place) -> str:
    return (
        f"topic {topic} ends at {end}, and Redis has it up to {place.positions[topic]}: it is not the one that was projected; "
        "`tierstream project --rebuild` begins anew"
    )
