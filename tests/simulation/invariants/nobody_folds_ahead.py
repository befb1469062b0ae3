"""Inputs are folded by append time: nothing is folded that could come behind a record of an input that was not at its end.

What an owner had been given of each input when it began a unit of work is known. An input that had not told its end may have more
right behind its last record, so that one is the last that may be folded, by (append time, rank). Where clocks went back, append times say
nothing.
"""

from collections.abc import Iterator

from schemas.topics import INPUTS
from tests.memory_broker import Record
from tests.simulation.evidence import Evidence


def broken(evidence: Evidence) -> Iterator[str]:
    if evidence.world.clock_went_back:
        return
    for transaction, order in zip(evidence.transactions, evidence.orders, strict=False):
        folded = [(part.topic, r) for part in order.ranges for r in evidence.range(part.topic, part.from_offset, part.to_offset)]
        if not folded:
            continue
        last_topic, last = max(folded, key=lambda each: _order(*each))
        for topic, seen in evidence.world.seen[transaction].items():
            if not seen.ended and (seen.last is None or _order(topic, seen.last) < _order(last_topic, last)):
                yield f"{last_topic}:{last.offset} of {last.at_ms} was folded while {topic} might have had an earlier record ({seen.last})"


def _order(topic: str, record: Record) -> tuple[int, int]:
    return record.at_ms, INPUTS[topic].number
