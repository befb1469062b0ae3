"""What `policies/orders-rfm.yaml` says of an order history, worked out the long way: an oracle that shares no code with the engine.

For every customer it looks at every instant at which anything can change (each order, each end of a window, each step of recency) and
counts all orders again. Plain integers throughout: the weights and steps of this policy make tenths of a point exactly.
The figures are written here a second time on purpose.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

DAY = 24 * 60 * 60 * 1000
WINDOW = 365 * DAY
RECENCY = [(30 * DAY, 100), (90 * DAY, 75), (180 * DAY, 50), (365 * DAY, 25)]  # younger than -> points, else 0
FREQUENCY = [(1, 0), (2, 25), (4, 50), (8, 75)]  # fewer than -> points, else 100
MONETARY = [(300_00, 0), (800_00, 25), (2000_00, 50), (5000_00, 75)]  # less than, in fen -> points, else 100
LADDER = [("S", 80), ("A", 60), ("B", 40), ("C", 0)]


class Sale(NamedTuple):
    """One paid order, before 2026. `at` in epoch milliseconds."""

    account: str
    at: int
    cents: int

    @property
    def fen(self) -> int:
        """At 8.3 yuan a dollar, each order rounded by itself."""
        return (self.cents * 83 + 5) // 10


class Change(NamedTuple):
    """A tier that changed: `since` is the last order before it, `by_order` whether that order made it or time did."""

    account: str
    sequence: int
    before: str
    after: str
    at: int
    score_micro: int
    by_order: bool
    since: int


def changes(sales: Iterable[Sale], until: int) -> dict[str, list[Change]]:
    """The changes of every customer up to `until`, included. Sales are given in the order in which they happened."""
    by_account: defaultdict[str, list[Sale]] = defaultdict(list)
    for sale in sales:
        by_account[sale.account].append(sale)
    return {account: list(_life(account, its, until)) for account, its in by_account.items()}


def _life(account: str, sales: Sequence[Sale], until: int) -> Iterator[Change]:
    tier, sequence = "C", 0
    for number, sale in enumerate(sales, 1):
        known = sales[:number]
        following = sales[number].at if number < len(sales) else until
        looks = [sale.at, *sorted(instant for instant in _instants(known) if sale.at < instant <= following)]
        for place, at in enumerate(looks):
            score = _score(known, at)
            after = next(name for name, least in LADDER if score >= least * 1_000_000)
            if after != tier:
                sequence += 1
                yield Change(account, sequence, tier, after, at, score, by_order=place == 0, since=sale.at)
                tier = after


def _instants(known: Sequence[Sale]) -> set[int]:
    """When time alone may change something: an order leaves the windows, or the last one gets older than a step."""
    last = max(sale.at for sale in known)
    return {sale.at + WINDOW for sale in known} | {last + younger for younger, _ in RECENCY}


def _score(known: Sequence[Sale], at: int) -> int:
    """In millionths of a point."""
    recent = [sale for sale in known if sale.at <= at < sale.at + WINDOW]
    age = at - max(sale.at for sale in known)
    recency = _points(RECENCY, age, 0)
    frequency = _points(FREQUENCY, len(recent), 100)
    monetary = _points(MONETARY, sum(sale.fen for sale in recent), 100)
    return 400_000 * recency + 300_000 * frequency + 300_000 * monetary


def _points(steps: Sequence[tuple[int, int]], number: int, rest: int) -> int:
    return next((points for below, points in steps if number < below), rest)
