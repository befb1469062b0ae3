"""Records of dead letters back on their topics: key, payload and headers as they came, each letter once.

Rules:
- One transaction holds records and what `dead-letters-returned` says of their letters, so a letter is known as put back exactly when its
  record is there. An interrupted replay is repeated, and goes on; two at a time fence each other.
- A letter that was put back, and one whose record was put back before and refused again, are left alone unless asked for `again`; of
  those two kinds only the newest letter of a record is taken.
- A record goes to the partition where it lay, in the order in which the letters lie, or where its key belongs (`by_key`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from agents.clocks import Clock, wall_clock
from agents.letters.reading import Illegible, Letter, State, Wanted, letters, returned
from agents.reading import partitions_of
from agents.registry import codec_for
from agents.settings import Settings
from agents.transactions import HASHED, Transactions
from schemas import dead_letters
from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.records import Event, ReturnedLetter
from schemas.topics import INPUTS
from streams import intake

LETTERS_AT_ONCE: Final = 1_000
BYTES_AT_ONCE: Final = 4_000_000


class How(NamedTuple):
    """How to put back. `limit`: at most so many letters."""

    again: bool = False
    by_key: bool = False
    limit: int | None = None


class Outcome(NamedTuple):
    """Counts. `chosen` letters, by (topic, reason), were put back or would be; `left` says why others that were wanted were not.

    `refused_again`: what this version's schemas and keys would refuse once more, by (topic, reason); the policy's limits are not asked.
    """

    chosen: Counter[tuple[str, str]]
    left: Counter[str]
    refused_again: Counter[tuple[str, str]]


BEFORE: Final = "put back before"
AGAIN_REFUSED: Final = "put back before and refused again"
NO_INPUT: Final = "not of an input topic of this version"
NO_PARTITION: Final = "of a partition that is not there"
NO_KEY: Final = "without a key, so it belongs nowhere"
ILLEGIBLE: Final = "illegible: no worker has written it"
BEYOND: Final = "beyond the limit"
HARMLESS: Final = frozenset({BEFORE, AGAIN_REFUSED, BEYOND})
"""Reasons to leave a letter that are no fault of it."""


class Return:
    """One replay. `send` False looks only. `on_total` and `on_read` are told of the letters ahead and read."""

    def __init__(self, settings: Settings, wanted: Wanted, how: How, clock: Clock = wall_clock) -> None:
        self._settings, self._wanted, self._how, self._clock = settings, wanted, how, clock
        self._codec = codec_for(settings)
        self._outcome = Outcome(Counter(), Counter(), Counter())
        self._partitions = 0
        self._superseded: frozenset[str] = frozenset()

    def look(self, on_total: Callable[[int], None] | None = None, on_read: Callable[[int], None] = lambda _: None) -> Outcome:
        """What would be put back now."""
        for _ in self._chosen(returned(self._settings, self._codec), on_total, on_read):
            pass
        return self._outcome

    def run(self, on_total: Callable[[int], None] | None = None, on_read: Callable[[int], None] = lambda _: None) -> Outcome:
        """Put them back. Raises SettingsError if no broker answers or another replay takes over."""
        transactions = Transactions(self._settings, "dead-letters-replay", "replay of dead letters")
        transactions.open()
        put_back = returned(self._settings, self._codec)
        for together in _batches(self._chosen(put_back, on_total, on_read)):
            transactions.commit(partial(self._send, transactions, together))
        return self._outcome

    def _chosen(
        self, put_back: dict[str, ReturnedLetter], on_total: Callable[[int], None] | None, on_read: Callable[[int], None]
    ) -> Iterator[Letter]:
        self._partitions = partitions_of(self._settings, "dead-letters")
        if self._how.again:
            every = letters(self._settings, put_back)
            self._superseded = frozenset(each.said.return_of for each in every if isinstance(each, Letter) and each.said.return_of)
        for letter in letters(self._settings, put_back, on_total=on_total, on_read=on_read):
            if isinstance(letter, Illegible):
                self._outcome.left[ILLEGIBLE] += 1
            elif self._wanted.takes(letter, self._codec):
                if (why := self._left(letter)) is None:
                    self._count(letter)
                    yield letter
                else:
                    self._outcome.left[why] += 1

    def _left(self, letter: Letter) -> str | None:
        """Why a letter that is wanted is left alone, None if it is not."""
        if letter.said.topic not in INPUTS:
            return NO_INPUT
        if letter.said.partition >= self._partitions:
            return NO_PARTITION
        if self._how.by_key and letter.said.key is None:
            return NO_KEY
        if letter.state is not State.WAITING and (not self._how.again or letter.place in self._superseded):
            return BEFORE if letter.state is State.RETURNED else AGAIN_REFUSED
        return BEYOND if self._how.limit is not None and self._outcome.chosen.total() >= self._how.limit else None

    def _count(self, letter: Letter) -> None:
        topic = letter.said.topic
        self._outcome.chosen[topic, letter.said.reason.value] += 1
        if (refusal := refusal_now(letter, self._codec, self._partitions, by_key=self._how.by_key)) is not None:
            self._outcome.refused_again[topic, refusal.reason.value] += 1

    def _send(self, transactions: Transactions, together: Iterable[Letter]) -> None:
        """What one transaction holds."""
        now_ms = self._clock()
        for letter in together:
            said, to = letter.said, HASHED if self._how.by_key else letter.said.partition
            transactions.produce(said.topic, said.key, said.payload, to, dead_letters.headers_to_return(said, letter.place))
            record = ReturnedLetter(
                partition=letter.partition,
                offset=letter.offset,
                refused_at=letter.refused_at_ms,
                topic=said.topic,
                to_partition=None if to == HASHED else to,
                returned_at=now_ms,
                times=letter.times + 1,
            )
            transactions.produce("dead-letters-returned", letter.place.encode(), self._codec.encode(record))


def refusal_now(letter: Letter, codec: Codec, partitions: int, *, by_key: bool = False) -> RecordRejected | None:
    """Why a worker of this version would refuse the record again, as far as its schema, limits and key say."""
    said = letter.said
    try:
        record = codec.decode(said.topic, said.payload)
        if isinstance(record, Event):
            key = intake.check_key(said.key, record)
            if not by_key:
                intake.check_partition(key, said.partition, partitions)
    except RecordRejected as refusal:
        return refusal
    return None


def _batches(chosen: Iterable[Letter]) -> Iterator[list[Letter]]:
    """Letters for one transaction at a time."""
    batch: list[Letter] = []
    size = 0
    for letter in chosen:
        batch.append(letter)
        size += len(letter.said.payload or b"")
        if len(batch) == LETTERS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
