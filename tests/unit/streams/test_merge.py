"""Laws of the order in which several inputs are folded."""

from streams.intake import RawRecord
from streams.merge import Merge, merged

TOPICS = ("interactions", "orders", "risks")


def at(topic: str, offset: int, appended_at_ms: int) -> RawRecord:
    return RawRecord(topic, 0, offset, appended_at_ms, b"k", b"p")


def order(records: list[RawRecord]) -> list[tuple[str, int]]:
    return [(record.topic, record.offset) for record in records]


def filled(*records: RawRecord, ended: tuple[str, ...] = ()) -> Merge:
    merge = Merge(TOPICS)
    for record in records:
        merge.offer(record)
    for topic in ended:
        merge.at_end(topic)
    return merge


def test_the_earlier_append_time_goes_first_and_equal_ones_by_rank() -> None:
    merge = filled(at("risks", 0, 5), at("interactions", 0, 5), at("orders", 0, 4), ended=TOPICS)
    assert order(merge.take(10)) == [("orders", 0), ("interactions", 0), ("risks", 0)]


def test_nothing_goes_while_an_input_may_still_have_something_earlier() -> None:
    merge = filled(at("interactions", 0, 1), at("orders", 0, 2))
    assert merge.starving() == ["risks"]
    assert merge.take(10) == []
    merge.at_end("risks")
    assert order(merge.take(10)) == [("interactions", 0)]


def test_an_input_that_runs_dry_stops_the_others_until_it_reports_its_end() -> None:
    merge = filled(at("interactions", 0, 1), at("orders", 0, 2), at("orders", 1, 3), ended=("risks",))
    assert order(merge.take(10)) == [("interactions", 0)]
    merge.at_end("interactions")
    assert order(merge.take(10)) == [("orders", 0), ("orders", 1)]


def test_a_new_record_takes_the_end_back() -> None:
    merge = filled(at("orders", 0, 2), ended=TOPICS)
    merge.offer(at("interactions", 0, 1))
    merge.offer(at("orders", 1, 3))
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
    assert merge.take(9) == []


def test_recorded_ranges_give_the_order_again() -> None:
    ranges = {"orders": [at("orders", 3, 2), at("orders", 4, 9)], "interactions": [at("interactions", 7, 2)]}
    assert order(merged(ranges, TOPICS)) == [("interactions", 7), ("orders", 3), ("orders", 4)]
