"""How long a lane lets the broker be after a commit, before it reads for the next transaction.

A commit is answered before the transaction has ended: the coordinator still has a marker written into each partition that took part. It
refuses whoever begins again meanwhile (CONCURRENT_TRANSACTIONS), and librdkafka asks again only 20 ms later, which no option changes.
Rules: an event that comes to an idle lane never waits; nor does anything where so much was read that reading and folding take as long.
"""

import time
from collections.abc import Callable
from typing import Final

from agents.patience import Wait

REST_S: Final = 0.015
"""Eight lanes beside their broker on two busy cores were refused in 28 of 100 transactions without it, in 18 with 6 ms, in 7 with 10."""
MANY: Final = 1_000
"""So many records at least that were read at once are a load, under which nobody rests."""


class Rest:
    """Told of each commit and each fetch of one lane. `stopwatch`: seconds since whenever."""

    def __init__(self, wait: Wait = time.sleep, stopwatch: Callable[[], float] = time.perf_counter) -> None:
        self._wait, self._stopwatch = wait, stopwatch
        self._until_s = stopwatch()
        self._fetched = 0

    def committed(self) -> None:
        """The broker has answered a commit just now."""
        self._until_s = self._stopwatch() + REST_S

    def fetched(self, records: int) -> None:
        """So many records came with the last fetch."""
        self._fetched = records

    def take(self, most_s: float) -> None:
        """What is left of the rest, at most so long: before a fetch, so that what arrives meanwhile comes with it."""
        left_s = min(self._until_s - self._stopwatch(), most_s)
        if left_s > 0 and self._fetched < MANY:
            self._wait(left_s)
