"""Laws of columns: a batch is the records it was made of, however it is looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.gathering import gathered
from schemas.headers import packed, unpacked
from schemas.pairs import Pairs
from schemas.pieces import Pieces, begins_of
from streams.batches import Chunk, RecordBatch
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


@given(st.lists(PIECES), st.integers(-5, 5), st.integers(-5, 5))
def test_pieces_are_the_sequence_that_they_were_made_of(pieces: list[bytes | None], begin: int, end: int) -> None:
    made = Pieces.of(pieces)
    assert (list(made), [made[place] for place in range(len(made))], made.size) == (
        pieces,
        pieces,
        sum(len(each or b"") for each in pieces),
    )
    assert list(made[begin:end]) == pieces[begin:end]
    assert Pieces.of(made) is made
    assert list(Pieces.nothing(len(pieces))) == [None] * len(pieces)


@given(st.lists(PIECES, min_size=1), st.data())
def test_pieces_picked_gathered_and_trimmed_stand_in_the_order_of_the_places(pieces: list[bytes | None], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(pieces) - 1)))
    some, wanted = Pieces.of(pieces).picked(np.array(places, np.int64)), [pieces[place] for place in places]
    assert list(some) == list(some.trimmed()) == wanted
    whole, begins = gathered(some), begins_of(some.sizes)
    assert [whole[begin : begin + size].tobytes() for begin, size in zip(begins, np.maximum(some.sizes, 0), strict=True)] == [
        piece or b"" for piece in wanted
    ]
    assert len(whole) == some.size
    assert [some.buffer[begin:end].tobytes() for begin, end in zip(some.begins, some.ends, strict=True)] == [each or b"" for each in wanted]


@given(st.lists(st.lists(PIECES), min_size=1))
def test_joined_pieces_copy_no_more_than_they_span(parts: list[list[bytes | None]]) -> None:
    before = Pieces.of([b"x" * 1_000, *(piece for part in parts for piece in part), b"y" * 1_000])
    cut, begin = [], 1
    for part in parts:
        cut.append(before[begin : begin + len(part)])
        begin += len(part)
    joined = Pieces.joined(cut)
    assert list(joined) == [piece for part in parts for piece in part]
    assert len(joined.buffer) == joined.size


@given(st.lists(st.tuples(st.text(max_size=3), PIECES), max_size=3).map(tuple))
def test_packed_headers_come_back(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    assert unpacked(packed(headers)) == headers


@given(st.lists(st.tuples(st.binary(max_size=3), PIECES)), st.sampled_from([b"\0", b"ab"]))
def test_pairs_are_the_sequence_that_they_were_made_of(pairs: list[tuple[bytes, bytes | None]], prefix: bytes) -> None:
    made = Pairs.of(pairs)
    assert (list(made), [made[place] for place in range(len(made))], list(made[1:])) == (pairs, pairs, pairs[1:])
    assert dict(made) == dict(pairs)
    found = made.starting(prefix)
    assert list(made.picked(found)) == [pair for pair in pairs if pair[0].startswith(prefix)]
    assert list(made.without(found)) == [pair for pair in pairs if not pair[0].startswith(prefix)]
