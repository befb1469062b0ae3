"""What another application has folded, in its order, for somebody who reads other inputs under another policy.

Rules: its transactions are taken one by one, each with its tick; an input that it never read is put between by append time, as the merge
would have done; a range begins where the one before it ended here. The ends are those at the time of asking.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agents.reading import committed_records
from agents.registry import codec_for
from agents.replaying import InputRanges
from agents.settings import Settings
from schemas.records import FoldedRange, FoldOrder
from streams.batches import Chunk


class Survey(NamedTuple):
    """What `fold-order` of one partition says as a whole: its end, records ahead, and where each input was first folded from."""

    end: int
    records: int
    first: Mapping[str, int]


class Turn(NamedTuple):
    """One transaction to be folded again: what to fold, where it ends in each input, and where the next one lies."""

    order: FoldOrder
    chunks: Mapping[str, Chunk]
    ranges: list[FoldedRange]
    next_offset: int


class Source:
    """One partition of what the application `settings` names has folded."""

    def __init__(self, settings: Settings, number: int) -> None:
        self._settings, self.number, self._codec = settings, number, codec_for(settings)

    def survey(self, since: int) -> Survey:
        """All of it; the records are those that lie ahead of this offset."""
        first: dict[str, int] = {}
        end = records = 0
        for offset, order in self._orders(0):
            end = offset + 1
            for folded in order.ranges:
                first.setdefault(folded.topic, folded.from_offset)
                records += (folded.to_offset - folded.from_offset) * (offset >= since)
        return Survey(end, records, first)

    def turns(self, since: int, survey: Survey, topics: Sequence[str], positions: Mapping[str, int]) -> Iterator[Turn]:
        """From this offset of `fold-order` to the survey's end, with the inputs that are wanted, read on from `positions`."""
        known = [topic for topic in topics if topic in survey.first]
        others = [topic for topic in topics if topic not in survey.first and topic != "ticks"]
        inputs = {topic: InputRanges(self._settings, topic, self.number, positions[topic]) for topic in (*known, *others)}
        at, latest_ms = dict(positions), 0
        for offset, order in self._orders(since):
            if offset >= survey.end:
                return
            ends = {folded.topic: folded.to_offset for folded in order.ranges if folded.topic in inputs}
            chunks = {topic: inputs[topic].range(at[topic], end) for topic, end in ends.items() if end > at[topic]}
            latest_ms = max(latest_ms, _latest_ms(chunks.values()), order.tick.at if order.tick is not None else 0)
            chunks |= {topic: inputs[topic].appended_by(latest_ms) for topic in others}
            ends |= {topic: int(chunks[topic].offset[-1]) + 1 for topic in others if chunks[topic].size}
            ranges = [FoldedRange(topic=topic, from_offset=at[topic], to_offset=ends[topic]) for topic in topics if topic in ends]
            yield Turn(order, chunks, [each for each in ranges if each.to_offset > each.from_offset], offset + 1)
            at |= {each.topic: max(each.to_offset, at[each.topic]) for each in ranges}

    def _orders(self, since: int) -> Iterator[tuple[int, FoldOrder]]:
        for raw in committed_records(self._settings, "fold-order", partitions=[self.number], since=since):
            yield raw.offset, self._codec.decode_as(FoldOrder, raw.payload)


def _latest_ms(chunks: Iterable[Chunk]) -> int:
    return max((int(np.max(chunk.appended_at_ms)) for chunk in chunks if chunk.size), default=0)
