"""One partition of the three topics, committed records only, in an order that Redis can trust: what is said about an account comes after
the record that says that there is such an account, in that generation.

Transitions and leads are committed in one transaction with the account's current tiers, but on topics that are read apart. So they are
held until `account-tiers` has been read up to where it ended after they were read: by then their account's record has been read too, and
where the account is another one or none, it is because it was erased meanwhile.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from agents import clients
from agents.kafka_errors import check_fetch, translated
from agents.messages import parted, there
from agents.offsets import EARLIEST, LATEST
from agents.settings import Settings

TIERS, TRANSITIONS, LEADS = "account-tiers", "tier-transitions", "hot-leads"
TOPICS = (TIERS, TRANSITIONS, LEADS)
FETCHED_AT_ONCE = 5_000
HELD = 20_000
"""So many records that wait for their account's are enough: their topics are read on when these are released."""
_CALL_S = 10.0


class Taken(NamedTuple):
    """Records in the order in which they may be written, and the next offset by topic behind them."""

    records: list[tuple[str, Message]]
    ends: dict[str, int]


class _Held:
    """Records that wait until `account-tiers` has been read up to `until`."""

    def __init__(self, records: list[tuple[str, Message]], positions: Mapping[str, int], until: int) -> None:
        self.records, self.until = records, until
        self.positions = {topic: positions[topic] for topic in (TRANSITIONS, LEADS)}


class Source:
    """Reads from `start` on. One thread uses it, but for `ends`; `admin` may be shared."""

    def __init__(self, settings: Settings, number: int, admin: AdminClient) -> None:
        self._number, self._admin = number, admin
        self._names = {topic: settings.topic_name(topic) for topic in TOPICS}
        self._logical = {name: topic for topic, name in self._names.items()}
        self._consumer = clients.reading_consumer(settings)
        self._positions: dict[str, int] = {}
        self._tiers: list[tuple[str, Message]] = []
        self._fresh: list[tuple[str, Message]] = []
        self._held: _Held | None = None
        self._paused = False
        self._silent = threading.Event()

    # -- where it is ---------------------------------------------------------------------------------------------------

    def begins(self) -> dict[str, int]:
        """The first offset that each topic still has. Raises Retriable."""
        return self._asked(EARLIEST, IsolationLevel.READ_COMMITTED, TOPICS)

    def ends(self) -> dict[str, int]:
        """Each topic's end for a reader of what is committed; nothing while nobody could get there (`rest`). Raises LogError."""
        return {} if self._silent.is_set() else self._asked(LATEST, IsolationLevel.READ_COMMITTED, TOPICS)

    def positions(self) -> dict[str, int]:
        """How far each topic has been read."""
        return dict(self._positions)

    def rest(self, *, resting: bool) -> None:
        """Nothing is read meanwhile, and that is no fault of the reading."""
        (self._silent.set if resting else self._silent.clear)()

    def start(self, positions: Mapping[str, int]) -> None:
        """Read from these offsets on; what was read before is forgotten."""
        self._positions = dict(positions)
        self._tiers, self._fresh, self._held, self._paused = [], [], None, False
        self._consumer.assign([TopicPartition(self._names[topic], self._number, at) for topic, at in positions.items()])

    def close(self) -> None:
        """Let go of the client."""
        self._consumer.close()

    # -- reading -------------------------------------------------------------------------------------------------------

    def gather(self, timeout_s: float) -> None:
        """Read what is there."""
        if self._held is not None and self._positions[TIERS] >= self._held.until:
            timeout_s = 0.0
        records, reports = parted(there(self._consumer, FETCHED_AT_ONCE, timeout_s))
        for record in records:
            topic = self._logical[record.topic() or ""]
            self._positions[topic] = (record.offset() or 0) + 1
            (self._tiers if topic == TIERS else self._fresh).append((topic, record))
        for report in reports:
            self._note(report)
        self._hold_back(pausing=len(self._fresh) >= HELD)

    def waiting(self) -> int:
        """Records that have been read and not taken."""
        return len(self._tiers) + len(self._fresh) + (len(self._held.records) if self._held else 0)

    def take(self) -> Taken:
        """What may be written now: every record of `account-tiers`, and what has waited long enough behind them."""
        if self._held is None and self._fresh:
            until = self._asked(LATEST, IsolationLevel.READ_UNCOMMITTED, (TIERS,))[TIERS]
            self._held, self._fresh = _Held(self._fresh, self._positions, until), []
        taken, ends = self._tiers, {TIERS: self._positions[TIERS]}
        self._tiers = []
        if self._held is not None and self._positions[TIERS] >= self._held.until:
            taken, ends = taken + self._held.records, ends | self._held.positions
            self._held = None
        elif self._held is None:
            ends |= self._positions
        return Taken(taken, ends)

    def _note(self, report: Message) -> None:
        error, topic, offset = report.error(), self._logical.get(report.topic() or ""), report.offset()
        if error is None or topic is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self._positions[topic] = max(self._positions[topic], offset or 0)
        else:
            check_fetch(error)

    def _hold_back(self, *, pausing: bool) -> None:
        if pausing == self._paused:
            return
        places = [TopicPartition(self._names[topic], self._number) for topic in (TRANSITIONS, LEADS)]
        change: Callable[[list[TopicPartition]], Any] = self._consumer.pause if pausing else self._consumer.resume
        translated(change, places)
        self._paused = pausing

    def _asked(self, which: Any, isolation: IsolationLevel, topics: tuple[str, ...]) -> dict[str, int]:
        wanted = {TopicPartition(self._names[topic], self._number): which for topic in topics}
        answers = self._admin.list_offsets(wanted, isolation_level=isolation, request_timeout=_CALL_S)
        return {self._logical[place.topic]: int(translated(answer.result).offset) for place, answer in answers.items()}
