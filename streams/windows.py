"""Rolling windows over what happened: a record at t counts while t <= now < t + window, and ends exactly at t + window.

Entries are exact for the newest `exact`; older ones are joined by local day, and a joined day stays until its last record
leaves: it may count up to a day too long, never too short. What a window is worth depends on its entries alone, not on the
order in which they came. A window that is looked at several times (`looks`) is worth what it holds now and held then, each by its factor:
for a change less what it held then, for a weighted result so much of each year.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from math import fsum, inf
from typing import NamedTuple

from streams.dossier import Entry
from streams.kinds import Span

Entries = Sequence[Entry]


class Total(NamedTuple):
    """How entries make a number: of all that count now; bounds over whichever of them still count; how those of a day are joined."""

    of: Callable[[Entries], float]
    bounds: Callable[[Entries], Span]
    joined: Callable[[Entries], Entry]


def _summed(entries: Entries) -> float:
    return fsum(entry.amount for entry in entries)


def _sum_bounds(entries: Entries) -> Span:
    return Span(fsum(entry.amount for entry in entries if entry.amount < 0), fsum(entry.amount for entry in entries if entry.amount > 0))


def _added(entries: Entries) -> Entry:
    return Entry(entries[-1].at_ms, _summed(entries), sum(entry.times for entry in entries))


def _once(entries: Entries) -> Entry:
    return entries[-1]


def _greatest(entries: Entries) -> float:
    return max((entry.amount for entry in entries), default=0.0)


def _greatest_bounds(entries: Entries) -> Span:
    amounts = [entry.amount for entry in entries]
    return Span(min([0.0, *amounts]), max([0.0, *amounts]))


def _greatest_joined(entries: Entries) -> Entry:
    return Entry(entries[-1].at_ms, _greatest(entries), sum(entry.times for entry in entries))


def _mean(entries: Entries) -> float:
    times = sum(entry.times for entry in entries)
    return _summed(entries) / times if times else 0.0


def _mean_bounds(entries: Entries) -> Span:
    means = [entry.amount / entry.times for entry in entries]
    return Span(min([0.0, *means]), max([0.0, *means]))


SUM = Total(_summed, _sum_bounds, _added)
DAYS = Total(_summed, _sum_bounds, _once)
MAXIMUM = Total(_greatest, _greatest_bounds, _greatest_joined)
MEAN = Total(_mean, _mean_bounds, _added)


class Look(NamedTuple):
    """One look at a window: as it was so long ago, and how much that counts."""

    ago_ms: int
    factor: float


NOW = (Look(0, 1.0),)


class Frame(NamedTuple):
    """Which entries count at an instant: those of the window now and, with more looks, of the window as it was then, each by its factor.

    `while_zero` given: it is by how much of what it was then the first look has grown; that number while nothing was there.
    """

    total: Total
    window_ms: int
    looks: tuple[Look, ...] = NOW
    while_zero: float | None = None

    @property
    def kept_ms(self) -> int:
        """How long an entry matters."""
        return self.window_ms + max(look.ago_ms for look in self.looks)

    def counting(self, entries: Entries, at_ms: int) -> list[Entry]:
        """The entries inside the window that ends at `at_ms`."""
        return [entry for entry in entries if entry.at_ms <= at_ms < entry.at_ms + self.window_ms]

    def at(self, entries: Entries, at_ms: int) -> float:
        """What the window is worth."""
        seen = [self.total.of(self.counting(entries, at_ms - look.ago_ms)) for look in self.looks]
        if self.while_zero is not None:
            return seen[0] / seen[1] - 1 if seen[1] else self.while_zero
        return fsum(look.factor * worth for look, worth in zip(self.looks, seen, strict=True))

    def changes(self, entries: Entries, after_ms: int) -> list[int]:
        """The instants after `after_ms` at which that can change, in order."""
        found = {entry.at_ms + self.window_ms + look.ago_ms for entry in entries for look in self.looks}
        found |= {entry.at_ms + look.ago_ms for entry in entries for look in self.looks if look.ago_ms}
        return sorted(at_ms for at_ms in found if at_ms > after_ms)

    def bounds(self, entries: Entries, from_ms: int) -> Span:
        """Bounds of `at` at and after `from_ms`."""
        if self.while_zero is not None:
            return Span(-inf, inf)
        low, high = self.total.bounds(self.living(entries, from_ms))
        each = [sorted((look.factor * low, look.factor * high)) for look in self.looks]
        return Span(fsum(lows for lows, _ in each), fsum(highs for _, highs in each))

    def living(self, entries: Entries, at_ms: int) -> list[Entry]:
        """The entries that still matter at or after `at_ms`."""
        return [entry for entry in entries if at_ms < entry.at_ms + self.kept_ms]


def joined_by_day(entries: Entries, exact: int, joined: Callable[[Entries], Entry], local_day: Callable[[int], int]) -> list[Entry]:
    """Entries in order of time, those older than the newest `exact` joined by local day."""
    cut = max(len(entries) - exact, 0)
    days = (list(day) for _, day in groupby(entries[:cut], key=lambda entry: local_day(entry.at_ms)))
    return [*(joined(day) for day in days), *entries[cut:]]
