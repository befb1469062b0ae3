"""What every engine must publish, recomputed in plain Python from the records as they lie in the topic.

Rules: nothing here is shared with an engine or with the programs of the peers, not even a constant; a change is known by its account
and its number in the account's chain; the score beside a change is held to two micro-points where points caused it (what time caused is
dated by tierstream to its very instant, and by the peers to the next event).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.peers.load import number_of
from schemas.records import Interaction

_WORTH = {"VISIT": 1, "DOWNLOAD": 4, "PRICE_INQUIRY": 12, "EVENT_CHECKIN": 20}
_WEEK_MS = 604_800_000
_TOP_MICRO = 100_000_000
_TOLERANCE_MICRO = 2


class Change(NamedTuple):
    """A change of tier as an engine publishes it."""

    account: str
    sequence: int
    from_tier: str
    to_tier: str
    score_micro: int

    @property
    def key(self) -> tuple[str, int]:
        """Which change of which account."""
        return self.account, self.sequence


class Event(NamedTuple):
    """An interaction and where it lies."""

    partition: int
    offset: int
    record: Interaction


class Due(NamedTuple):
    """A change that must come, and the place of the record that brings it."""

    change: Change
    partition: int
    offset: int


class Expected(NamedTuple):
    """`due` in the input's order; `later`: what time alone does to accounts after their last record, which an engine may publish too.

    By partition: `warm_to`, the offset after its last record of the warm-up, and `ends`, the one after its last record.
    """

    due: dict[tuple[str, int], Due]
    later: dict[tuple[str, int], tuple[str, str]]
    warm_to: list[int]
    ends: list[int]

    @property
    def total(self) -> int:
        """All records of the input."""
        return sum(self.ends)


class _Account:
    """One account's score as of its clock, and its chain."""

    def __init__(self, at_ms: int) -> None:
        self.score, self.clock_ms = 0.0, at_ms
        self.tier, self.sequence = "C", 0

    def takes(self, event: Interaction) -> list[Change]:
        """Time up to the event first, then its points."""
        late_ms = self.clock_ms - event.occurred_at
        changes = []
        if late_ms <= 0:
            self.score *= 0.5 ** (-late_ms / _WEEK_MS)
            self.clock_ms = event.occurred_at
            changes = [self._moved(tier, event) for tier in self._fall()]
        self.score += _WORTH[event.kind] * 0.5 ** (max(late_ms, 0) / _WEEK_MS)
        if (tier := self._risen()) != self.tier:
            changes.append(self._moved(tier, event))
        return changes

    def _fall(self) -> Iterable[str]:
        if self.tier == "A" and self.micro() < 75_000_000:
            yield "B"
        if self.tier == "B" and self.micro() < 55_000_000:
            yield "C"

    def _risen(self) -> str:
        if self.tier == "A" or self.micro() >= 80_000_000:
            return "A"
        return "B" if self.micro() >= 60_000_000 else self.tier

    def _moved(self, tier: str, event: Interaction) -> Change:
        self.sequence += 1
        before, self.tier = self.tier, tier
        return Change(event.account_id, self.sequence, before, tier, min(self.micro(), _TOP_MICRO))

    def micro(self) -> int:
        return round(self.score * 1_000_000)

    def falls_later(self) -> Iterable[tuple[int, tuple[str, str]]]:
        """By number in the chain, what silence will do to it."""
        steps = {"A": [("A", "B"), ("B", "C")], "B": [("B", "C")], "C": []}[self.tier]
        return enumerate(steps, self.sequence + 1)


def expected(events: Iterable[Event], partitions: int, warm_up: int) -> Expected:
    """From events in order within each partition; the first `warm_up`, by number, are the warm-up."""
    accounts: dict[str, _Account] = {}
    due: dict[tuple[str, int], Due] = {}
    warm_to, ends = [0] * partitions, [0] * partitions
    for partition, offset, event in events:
        ends[partition] = offset + 1
        if number_of(event.event_id) < warm_up:
            warm_to[partition] = offset + 1
        account = accounts.get(event.account_id) or accounts.setdefault(event.account_id, _Account(event.occurred_at))
        due |= {change.key: Due(change, partition, offset) for change in account.takes(event)}
    later = {(name, number): step for name, account in accounts.items() for number, step in account.falls_later()}
    return Expected(due, later, warm_to, ends)


def check(published: Sequence[Change], wanted: Expected, read_to: Mapping[int, int]) -> None:
    """Raises RuntimeError unless `published` is right, without a repetition, and complete below `read_to` (offset by partition)."""
    found = {change.key: change for change in published}
    if len(found) < len(published):
        raise RuntimeError(f"{len(published) - len(found)} of {len(published)} changes were published twice")
    for change in published:
        _check_one(change, wanted)
    missing = [due.change for key, due in wanted.due.items() if key not in found and due.offset < read_to.get(due.partition, 0)]
    if missing:
        raise RuntimeError(f"{len(missing)} changes are missing, the first: {missing[0]}")


def _check_one(change: Change, wanted: Expected) -> None:
    due = wanted.due.get(change.key)
    if due is None:
        if wanted.later.get(change.key) != (change.from_tier, change.to_tier):
            raise RuntimeError(f"this change must not be: {change}")
        return
    right = due.change
    rises = right.to_tier < right.from_tier
    if (change.from_tier, change.to_tier) != (right.from_tier, right.to_tier) or (
        rises and abs(min(change.score_micro, _TOP_MICRO) - right.score_micro) > _TOLERANCE_MICRO
    ):
        raise RuntimeError(f"a change must be {right}, is {change}")
