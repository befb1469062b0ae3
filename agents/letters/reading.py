"""The letters of `dead-letters` with what became of each: is it waiting, was its record put back, was that refused again.

Rules: a letter is known by its place, `PARTITION:OFFSET` of `dead-letters`; what was put back is what the committed records of
`dead-letters-returned` say of the letter with that place and that append time; a record that was put back names the letter it comes
from in a header, so when it is refused again its new letter stands for the old one.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from agents.reading import committed_messages, committed_records
from agents.settings import Settings
from schemas import dead_letters
from schemas.codec import Codec
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason, RecordRejected
from schemas.records import Event, ReturnedLetter


class State(StrEnum):
    """What became of a letter."""

    WAITING = "waiting"
    RETURNED = "returned"
    REFUSED_AGAIN = "refused again"


class Letter(NamedTuple):
    """One letter at its place. `times`: how often its record was put back."""

    partition: int
    offset: int
    refused_at_ms: int
    said: DeadLetter
    times: int

    @property
    def place(self) -> str:
        """What operators and headers call it."""
        return place_of(self.partition, self.offset)

    @property
    def state(self) -> State:
        """What became of it."""
        if self.times:
            return State.RETURNED
        return State.WAITING if self.said.return_of is None else State.REFUSED_AGAIN


class Illegible(NamedTuple):
    """A record of `dead-letters` that no worker has written."""

    place: str
    fault: str


class Wanted(NamedTuple):
    """Which letters: those that fit all that is said. Empty or None: any. Times are those of the refusal, [since, until)."""

    places: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    partitions: frozenset[int] = frozenset()
    reasons: frozenset[Reason] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    account: str | None = None

    def takes(self, letter: Letter, codec: Codec) -> bool:
        """Whether this is one of them."""
        return (
            (not self.places or letter.place in self.places)
            and (not self.topics or letter.said.topic in self.topics)
            and (not self.partitions or letter.said.partition in self.partitions)
            and (not self.reasons or letter.said.reason in self.reasons)
            and (self.since_ms is None or letter.refused_at_ms >= self.since_ms)
            and (self.until_ms is None or letter.refused_at_ms < self.until_ms)
            and (self.account is None or _is_of(letter.said, self.account, codec))
        )


def _is_of(letter: DeadLetter, account: str, codec: Codec) -> bool:
    """By its key, or where that is wrong, by the account that the record names."""
    if letter.key == account.encode():
        return True
    try:
        record = codec.decode(letter.topic, letter.payload)
    except (RecordRejected, KeyError):
        return False
    return isinstance(record, Event) and record.account_id == account


def place_of(partition: int, offset: int) -> str:
    """A letter's place as people write it."""
    return f"{partition}:{offset}"


def returned(settings: Settings, codec: Codec) -> dict[str, ReturnedLetter]:
    """What was put back, by place."""
    found: dict[str, ReturnedLetter] = {}
    for raw in committed_records(settings, "dead-letters-returned"):
        if raw.payload is not None:
            record = codec.decode_as(ReturnedLetter, raw.payload)
            found[place_of(record.partition, record.offset)] = record
    return found


def letters(
    settings: Settings,
    put_back: Mapping[str, ReturnedLetter],
    *,
    on_total: Callable[[int], None] | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Iterator[Letter | Illegible]:
    """Every committed letter, in order within each partition."""
    for message in committed_messages(settings, "dead-letters", on_total=on_total):
        on_read(1)
        yield _letter(message, put_back)


def _letter(message: Any, put_back: Mapping[str, ReturnedLetter]) -> Letter | Illegible:
    partition, offset, (_, refused_at_ms) = message.partition(), message.offset(), message.timestamp()
    place = place_of(partition, offset)
    try:
        said = dead_letters.from_headers(message.headers() or (), message.key(), message.value())
    except ValueError as fault:
        return Illegible(place, str(fault))
    before = put_back.get(place)
    times = before.times if before is not None and before.refused_at == refused_at_ms else 0
    return Letter(partition, offset, refused_at_ms, said, times)
