"""Workers that leave something out, to see what it costs: `python -m benchmarks.variants VARIANT`, settings as for `tierstream worker`.

plain-acks      the same records, acknowledged by the broker one batch after another, without transactions
uncounted       counts nothing: no events, lags, outputs, commit times, no accounts by tier; asks for no ends of inputs

They exist only here: the product has no switch for either.
"""

import sys
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaException

from agents import clients, lagging, lane, lanes
from agents.cli import main
from agents.counters import Histogram, LaneCounters
from agents.kafka_log import KafkaLog
from agents.partition_log import Retriable
from agents.settings import Settings

_CALL_S = 10.0
_NEVER_MS, _A_DAY_S = 1 << 60, 86_400.0


class PlainLog(KafkaLog):
    """A log whose units of work are not transactions.

    Its producer lingers as that of a source does: in a transaction the first records wait until the broker has taken the partition in, so
    they go out in large batches; here, without lingering, the first would go out alone. `commit` ends the lingering.
    """

    def __init__(self, settings: Settings, *arguments: Any) -> None:
        super().__init__(settings, *arguments)
        self._producer = clients.idempotent_producer(settings)

    def open(self) -> None:
        """Nobody is fenced."""
        self._producer.list_topics(timeout=_CALL_S)

    def begin(self) -> None:
        """Nothing to open."""

    def commit(self) -> None:
        """Until the broker has acknowledged everything that was sent."""
        if self._producer.flush(_CALL_S):
            raise Retriable("not everything was acknowledged yet")

    def abort(self) -> None:
        """What was sent is sent."""
        raise KafkaException("a plain producer cannot take anything back")


class _Deaf(Histogram):
    def observe(self, amount: float) -> None:
        _ = amount

    def observe_all(self, amounts: Any) -> None:
        _ = amounts


def _not_counted(*_: Any) -> None:
    """Neither how many nor how late."""


class Uncounted(LaneCounters):
    """Counters that do not count: whatever is called `count_...` does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.commit_ms = _Deaf(self.commit_ms.bounds)


for _name in [name for name in vars(LaneCounters) if name.startswith("count_")]:
    setattr(Uncounted, _name, _not_counted)


def _plain_acks() -> None:
    lanes.KafkaLog = PlainLog  # type: ignore[misc]


def _uncounted() -> None:
    lanes.LaneCounters = Uncounted  # type: ignore[misc]
    lane.COUNT_TIERS_EVERY_MS = _NEVER_MS
    lane.Lane.folded_to = lambda _: {}  # type: ignore[method-assign]
    lagging.LOOK_EVERY_S = _A_DAY_S


VARIANTS: dict[str, Callable[[], None]] = {"plain-acks": _plain_acks, "uncounted": _uncounted}

if __name__ == "__main__":
    VARIANTS[sys.argv[1]]()
    sys.argv = ["tierstream", "worker"]
    main()
