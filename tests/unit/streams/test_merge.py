"""Laws of the order in which several inputs are folded."""

from collections import deque
from collections.abc import Iterable
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from streams.batches import Chunk
from streams.intake import RawRecord
from streams.merge import Merge, merged

TOPICS = ("interactions", "orders", "risks")


def at(topic: str, offset: int, appended_at_ms: int) -> RawRecord:
    return RawRecord(topic, 0, offset, appended_at_ms, b"k%d" % offset, b"p%d" % offset)


def order(records: Iterable[RawRecord]) -> list[tuple[str, int]]:
    return [(record.topic, record.offset) for record in records]


def filled(*records: RawRecord, ended: tuple[str, ...] = ()) -> Merge:
    merge = Merge(TOPICS)
    for record in records:
        merge.offer(record.topic, Chunk.of([record]))
    for topic in ended:
        merge.at_end(topic)
    return merge


def test_the_earlier_append_time_goes_first_and_equal_ones_by_rank() -> None:
    merge = filled(at("risks", 0, 5), at("interactions", 0, 5), at("orders", 0, 4), ended=TOPICS)
    assert order(merge.take(10)) == [("orders", 0), ("interactions", 0), ("risks", 0)]


def test_nothing_goes_while_an_input_may_still_have_something_earlier() -> None:
    merge = filled(at("interactions", 0, 1), at("orders", 0, 2))
    assert merge.starving() == ["risks"]
    assert order(merge.take(10)) == []
    merge.at_end("risks")
    assert order(merge.take(10)) == [("interactions", 0)]


def test_an_input_that_runs_dry_stops_the_others_until_it_reports_its_end() -> None:
    merge = filled(at("interactions", 0, 1), at("orders", 0, 2), at("orders", 1, 3), ended=("risks",))
    assert order(merge.take(10)) == [("interactions", 0)]
    merge.at_end("interactions")
    assert order(merge.take(10)) == [("orders", 0), ("orders", 1)]


def test_every_record_keeps_its_own_headers() -> None:
    def headed(raw: RawRecord) -> RawRecord:
        return raw._replace(headers=((f"{raw.topic}-{raw.offset}", b"x"),))

    records = [at("risks", 0, 1), headed(at("orders", 0, 2)), at("interactions", 0, 3), headed(at("orders", 1, 4)), at("orders", 2, 5)]
    assert list(filled(*records, ended=TOPICS).take(10)) == records
    together = Merge(TOPICS)
    for topic in TOPICS:
        together.offer(topic, Chunk.of([raw for raw in records if raw.topic == topic]))
        together.at_end(topic)
    assert [*together.take(2), *together.take(9)] == records


def test_a_new_record_takes_the_end_back() -> None:
    merge = filled(at("orders", 0, 2), ended=TOPICS)
    merge.offer("interactions", Chunk.of([at("interactions", 0, 1)]))
    merge.offer("orders", Chunk.of([at("orders", 1, 3)]))
    assert order(merge.take(10)) == [("interactions", 0)]


def test_within_an_input_the_order_of_offsets_stands_even_if_append_times_go_back() -> None:
    merge = filled(at("orders", 0, 9), at("orders", 1, 1), at("interactions", 0, 5), ended=TOPICS)
    assert order(merge.take(10)) == [("interactions", 0), ("orders", 0), ("orders", 1)]


def test_a_limit_leaves_the_rest_for_the_next_time() -> None:
    records = [at("orders", n, n) for n in range(5)]
    merge = filled(*records, ended=TOPICS)
    assert order(merge.take(2)) == [("orders", 0), ("orders", 1)]
    assert merge.buffered("orders") == 3
    assert order(merge.take(9)) == [("orders", 2), ("orders", 3), ("orders", 4)]
    assert order(merge.take(9)) == []


def test_recorded_ranges_give_the_order_again() -> None:
    ranges = {"orders": Chunk.of([at("orders", 3, 2), at("orders", 4, 9)]), "interactions": Chunk.of([at("interactions", 7, 2)])}
    assert order(merged(ranges, TOPICS)) == [("interactions", 7), ("orders", 3), ("orders", 4)]


class ByHead:
    """The rule itself, record by record: what `Merge` must equal."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[RawRecord]] = {topic: deque() for topic in TOPICS}
        self._ended: set[str] = set()

    def offer(self, topic: str, records: list[RawRecord]) -> None:
        self._waiting[topic].extend(records)
        if records:
            self._ended.discard(topic)

    def at_end(self, topic: str) -> None:
        self._ended.add(topic)

    def take(self, limit: int) -> list[RawRecord]:
        taken: list[RawRecord] = []
        while len(taken) < limit and all(self._waiting[topic] or topic in self._ended for topic in TOPICS):
            heads = [(waiting[0].appended_at_ms, TOPICS.index(topic), topic) for topic, waiting in self._waiting.items() if waiting]
            if not heads:
                break
            taken.append(self._waiting[min(heads)[2]].popleft())
        return taken


APPENDED_AT_MS = st.lists(st.integers(0, 6), max_size=12)
"""Few different times, so that many are equal; in no order, because CreateTime topics and broken clocks have none."""
ENDS = st.sets(st.sampled_from(TOPICS))


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from(TOPICS), APPENDED_AT_MS), ENDS, st.integers(0, 9) | st.just(100)), max_size=8))
def test_the_order_is_that_of_the_least_head_whatever_comes_when_and_however_much_is_taken(
    rounds: list[tuple[dict[str, list[int]], set[str], int]],
) -> None:
    merge, by_head, offsets = Merge(TOPICS), ByHead(), count()
    for arriving, ended, limit in [*rounds, ({}, set(TOPICS), 1_000)]:
        for topic, times in arriving.items():
            records = [at(topic, next(offsets), at_ms) for at_ms in times]
            by_head.offer(topic, records)
            merge.offer(topic, Chunk.of(records))
        for topic in ended:
            by_head.at_end(topic)
            merge.at_end(topic)
        assert list(merge.take(limit)) == by_head.take(limit)
    assert [merge.buffered(topic) for topic in TOPICS] == [0, 0, 0]
