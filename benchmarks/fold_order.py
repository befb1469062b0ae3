"""How far workers have come, by what they wrote into `fold-order`: read from the broker, so that nobody need ask them."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from agents.settings import Settings
from benchmarks.peers.observing import Observer
from schemas.codec import Codec
from schemas.records import FoldOrder

_LOOK_S = 0.1


class Commit(NamedTuple):
    """What one transaction folded of one topic of a partition, and when it was readable."""

    partition: int
    topic: str
    records: int
    at_s: float


class Folding:
    """Follows an application's folding. Use it as a context, before its workers are started."""

    def __init__(self, settings: Settings) -> None:
        self.commits: list[Commit] = []
        self._observer = Observer(settings, settings.topic_name("fold-order"), settings.partitions)
        self._codec = Codec()
        self._read = 0

    def __enter__(self) -> "Folding":
        self._observer.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._observer.__exit__(*error)

    def catch_up(self) -> int:
        """How many records are folded by now."""
        fresh = self._observer.arrived[self._read :]
        self._read += len(fresh)
        for at_s, payload in fresh:
            order = self._codec.decode_as(FoldOrder, payload)
            self.commits += [Commit(order.partition, r.topic, r.to_offset - r.from_offset, at_s) for r in order.ranges]
        return folded(self.commits)

    def await_folded(self, total: int, alive: Callable[[], None], on_share: Callable[[float], None], timeout_s: float = 1_200.0) -> None:
        """Until so many records are folded; `alive` raises where nothing can be expected any more."""
        give_up_at = time.monotonic() + timeout_s
        while (done := self.catch_up()) < total:
            alive()
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{total} records must be folded within {timeout_s:g} s, {done} are")
            on_share(done / total)
            time.sleep(_LOOK_S)


def folded(commits: Iterable[Commit]) -> int:
    """All records of these commits."""
    return sum(commit.records for commit in commits)
