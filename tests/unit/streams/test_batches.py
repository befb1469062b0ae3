"""Laws of columns: a batch is the records it was made of, however it is looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.batches import Chunk, RecordBatch, laid_out, picked, size_of
from streams.intake import RawRecord

PIECES = st.none() | st.binary(max_size=5)
RECORDS = st.lists(
    st.builds(
        RawRecord, st.sampled_from(["interactions", "orders", "risks"]), st.just(3), st.integers(0, 2**62), st.integers(0, 2**62),
        PIECES, PIECES,
        st.just(()) | st.lists(st.tuples(st.text(max_size=3), PIECES), max_size=2).map(tuple),
    )
)  # fmt: skip


@given(RECORDS, st.integers(-5, 5), st.integers(-5, 5))
def test_a_batch_is_the_sequence_of_its_records(records: list[RawRecord], begin: int, end: int) -> None:
    batch = RecordBatch.of(records)
    assert (len(batch), list(batch), [batch[place] for place in range(len(batch))]) == (len(records), records, records)
    assert list(batch[begin:end]) == records[begin:end]
    assert all(type(number) is int for raw in batch for number in raw[1:4])
    with pytest.raises(IndexError):
        batch[len(records)]


@given(RECORDS)
def test_a_batch_knows_each_topics_records_and_the_last_of_them(records: list[RawRecord]) -> None:
    batch = RecordBatch.of(records)
    assert batch.last_offsets() == {record.topic: record.offset for record in records}
    for topic in ("interactions", "ticks"):
        assert batch.of_topic(topic).tolist() == [record.topic == topic for record in records]


@given(st.lists(RECORDS), st.integers(0, 9), st.integers(0, 9))
def test_chunks_join_and_part_without_a_trace(parts: list[list[RawRecord]], begin: int, size: int) -> None:
    chunk = Chunk.joined([Chunk.of(part) for part in parts])
    records = [record for part in parts for record in part]
    for some, wanted in ((chunk, records), (chunk.part(begin, begin + size), records[begin : begin + size])):
        assert some.size == len(wanted)
        assert list(zip(some.offset.tolist(), some.appended_at_ms.tolist(), some.keys, some.payloads, strict=True)) == [
            (record.offset, record.appended_at_ms, record.key, record.payload) for record in wanted
        ]


@given(st.lists(PIECES))
def test_pieces_laid_out_are_found_between_their_starts(pieces: list[bytes | None]) -> None:
    buffer, starts = laid_out(pieces)
    assert size_of(pieces) == len(buffer)
    assert [buffer[starts[place] : starts[place + 1]].tobytes() for place in range(len(pieces))] == [piece or b"" for piece in pieces]
    assert (len(starts), starts[-1]) == (len(pieces) + 1, len(buffer))


@pytest.mark.parametrize("places", [[], [1], [2, 0], [0, 0, 2]])
def test_picked_pieces_stand_in_the_order_of_the_places(places: list[int]) -> None:
    assert picked([b"a", None, b"c"], np.array(places, np.int64)) == [[b"a", None, b"c"][place] for place in places]
