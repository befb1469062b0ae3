"""What a variant leaves out, it leaves out whole; otherwise a promise would look cheaper than it is."""

import numpy as np

from agents.counters import LaneCounters
from benchmarks.variants import Uncounted
from streams.batches import RecordBatch
from streams.intake import RawRecord
from tests.builders import NOON


def counted(counters: LaneCounters) -> dict[str, object]:
    """What the counters hold after some records, a commit and a change were counted."""
    records = RecordBatch.of([RawRecord("interactions", 0, 0, NOON, b"acct-1", b"x")])
    counters.count_events(records, NOON)
    counters.count_results([], [], [(b"r", b"x")])
    counters.commit_ms.observe(3)
    counters.commit_ms.observe_all(np.array([3, 4]))
    return {"events": counters.events.total(), "changes": counters.changes, "commits": counters.commits}


def test_the_worker_that_counts_nothing_counts_nothing() -> None:
    assert counted(LaneCounters()) == {"events": 1, "changes": 1, "commits": 3}
    assert counted(Uncounted()) == {"events": 0, "changes": 0, "commits": 0}
