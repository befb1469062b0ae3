"""Laws of a lane, on a log in memory. The same lane runs on the real broker in tests/integration."""

from contextlib import nullcontext

import pytest

from agents.counters import LaneCounters
from agents.inbox import HELD_BYTES
from agents.lane import Duty, Lane, TickOffer
from agents.partition_log import AbortRequired, Fatal, Fenced, Retriable
from schemas import dead_letters
from schemas.changelog import PROGRESS_PREFIX, progress_of, topic_of
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.records import FoldOrder
from streams.account import Output
from streams.batches import RecordBatch
from streams.cycle import Folded
from tests.builders import transition
from tests.memory_broker import CHANGELOG, MemoryBroker
from tests.memory_log import MemoryLog
from tests.tallying import Tally, tallying_lane

TOPICS = ("interactions", "orders")


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(TOPICS)


def recovered(broker: MemoryBroker, **duty: object) -> tuple[Lane, Tally, MemoryLog]:
    log = MemoryLog(broker)
    lane, tally = tallying_lane(log, TOPICS, **duty)
    lane.recover()
    return lane, tally, log


def orders(broker: MemoryBroker) -> list[FoldOrder]:
    return [Codec().decode_as(FoldOrder, record.payload) for record in broker.committed("fold-order")]


def ranges(broker: MemoryBroker) -> list[list[tuple[str, int, int]]]:
    return [[(r.topic, r.from_offset, r.to_offset) for r in order.ranges] for order in orders(broker)]


def progress(broker: MemoryBroker) -> dict[str, int]:
    written = [r for r in broker.committed(CHANGELOG) if r.key and r.key.startswith(PROGRESS_PREFIX)]
    return {topic_of(r.key or b""): progress_of(r.payload or b"").next_offset for r in written}


def test_inputs_are_folded_by_append_time_and_rank(broker: MemoryBroker) -> None:
    broker.append("orders", "a", at_ms=5)
    broker.append("interactions", "a", at_ms=5)
    broker.append("interactions", "a", at_ms=3, offset=7)
    broker.append("orders", "a", at_ms=9)
    lane, tally, _ = recovered(broker)
    assert lane.step(0)
    assert tally.folded == [("interactions", 0), ("interactions", 7), ("orders", 0), ("orders", 1)]


def test_one_transaction_holds_rows_order_dead_letters_and_progress(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    broker.append("interactions", "b", at_ms=2, payload=b"refuse")
    lane, _, log = recovered(broker)
    lane.step(0)
    assert log.calls.count("commit") == 1
    assert progress(broker) == {"interactions": 2, "orders": 0}
    assert ranges(broker) == [[("interactions", 0, 2)]]
    (letter,) = broker.committed("dead-letters")
    assert dead_letters.from_headers(letter.headers, letter.key, letter.payload).offset == 1


def test_ranges_join_without_gaps_so_that_markers_between_records_are_covered(broker: MemoryBroker) -> None:
    lane, _, _ = recovered(broker)
    for offset in (0, 4, 9):
        broker.append("interactions", "a", at_ms=offset, offset=offset)
        lane.step(0)
    assert ranges(broker) == [[("interactions", 0, 1)], [("interactions", 1, 5)], [("interactions", 5, 10)]]
    assert progress(broker)["interactions"] == 10


def test_nothing_is_written_while_the_order_is_open(broker: MemoryBroker) -> None:
    broker.silent.add("orders")
    broker.append("interactions", "a", at_ms=1)
    lane, _, log = recovered(broker)
    assert not lane.step(0)
    assert "begin" not in log.calls
    broker.silent.clear()
    assert lane.step(0)


def test_the_next_owner_goes_on_where_the_last_commit_ended(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    first, _, _ = recovered(broker)
    first.step(0)
    broker.append("interactions", "a", at_ms=2)
    second, tally, _ = recovered(broker)
    second.step(0)
    assert tally.folded == [("interactions", 1)]
    assert tally.counts == {"a": 2}
    with pytest.raises(Fenced):
        first.step(0)
    assert tally.counts == {"a": 2}


def test_an_aborted_transaction_is_sent_again_with_the_same_content(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    lane, tally, log = recovered(broker)
    log.fail("commit", Retriable("once"), AbortRequired("twice"))
    log.fail("send", AbortRequired("first"))
    assert lane.step(0)
    assert log.calls.count("abort") == 2
    assert tally.folded == [("interactions", 0)]
    assert ranges(broker) == [[("interactions", 0, 1)]]
    assert lane.counters.aborts == 2
    assert lane.counters.commits == 1


def test_aborts_in_a_row_end_the_lane(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    lane, _, log = recovered(broker)
    log.fail("commit", *(AbortRequired("again") for _ in range(6)))
    with pytest.raises(Fatal, match="5 transactions"):
        lane.step(0)
    assert not broker.committed("fold-order")


def test_records_below_the_position_are_dropped_and_counted(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    lane, tally, log = recovered(broker)
    lane.step(0)
    log.start({"interactions": 0, "orders": 0})
    broker.append("interactions", "a", at_ms=2)
    lane.step(0)
    assert tally.counts == {"a": 2}
    assert lane.counters.replayed == 1


def test_an_input_far_ahead_of_a_silent_one_is_held_until_it_drains(broker: MemoryBroker) -> None:
    broker.silent.add("orders")
    for number in range(100):
        broker.append("interactions", "a", at_ms=number)
    lane, tally, log = recovered(broker, batch_records=10)
    for _ in range(20):
        lane.step(0)
    assert lane.waiting() == 30
    assert log.held == {"interactions"}
    broker.silent.clear()
    while tally.counts["a"] < 100:
        lane.step(0)
    assert not log.held
    assert [offset for _, offset in tally.folded] == list(range(100))


def test_large_records_are_read_only_as_far_as_they_fit_and_none_waits_for_one_that_is_held(broker: MemoryBroker) -> None:
    large = bytes(4_000_000)
    for number in range(20):
        broker.append("interactions", "a", at_ms=number, payload=large)
        broker.append("orders", "b", at_ms=number, payload=large)
    lane, tally, log = recovered(broker, batch_records=4)
    most = 0
    while len(tally.folded) < 40:
        lane.gather(0)
        most = max(most, lane.waiting())
        lane.cycle()
    assert most * len(large) <= 2 * HELD_BYTES + 2 * 4 * len(large), "and one more fetch of each input"
    lane.step(0)
    assert not log.held


def test_a_silent_input_holds_only_what_fits_of_large_records(broker: MemoryBroker) -> None:
    broker.silent.add("orders")
    for number in range(30):
        broker.append("interactions", "a", at_ms=number, payload=bytes(4_000_000))
    lane, tally, log = recovered(broker, batch_records=4)
    for _ in range(20):
        lane.step(0)
    assert lane.waiting() == 12
    assert log.held == {"interactions"}
    broker.silent.clear()
    while tally.counts["a"] < 30:
        lane.step(0)
    lane.step(0)
    assert not log.held


def test_a_quarantined_record_is_named_in_the_fold_order(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    broker.append("interactions", "a", at_ms=2)
    lane, _, _ = recovered(broker, quarantined=frozenset({("interactions", 1), ("interactions", 99)}))
    lane.step(0)
    assert [(record.topic, record.offset) for record in orders(broker)[0].quarantined] == [("interactions", 1)]


def test_another_policy_than_the_one_in_force_is_refused(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    recovered(broker)[0].step(0)
    with pytest.raises(SettingsError, match=r"digest-1, got digest-2: start without --policy to go on .* or under another application id"):
        recovered(broker, policy_digest="digest-2")


def test_a_topic_that_was_made_again_is_refused_even_if_nothing_of_it_was_folded(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=1)
    recovered(broker)[0].step(0)
    broker.ids["orders"] = "another"
    with pytest.raises(SettingsError, match="topic orders was deleted and made again"):
        recovered(broker)


def test_lag_is_from_append_to_commit(broker: MemoryBroker) -> None:
    broker.append("interactions", "a", at_ms=9_988)
    lane, _, _ = recovered(broker)
    lane.step(0)
    lag = lane.counters.lag_ms["interactions"]
    assert lag.total == 12
    assert lag.counts[lag.bounds.index(20)] == 1


def ticks(broker: MemoryBroker) -> list[tuple[int, int | None]]:
    return [(order.tick.at, order.tick.previous) for order in orders(broker) if order.tick is not None]


def test_a_tick_waits_until_every_input_is_folded_to_the_ends_asked_for(broker: MemoryBroker) -> None:
    """Lag is not silence."""
    for number in range(5):
        broker.append("interactions", "a", at_ms=number)
    lane, tally, log = recovered(broker, batch_records=2)
    lane.tick_offer = TickOffer(1_000, log.ends())
    for folded in (2, 4):
        assert lane.step(0)
        assert (len(tally.folded), tally.ticks) == (folded, [])
    assert lane.step(0)
    assert (len(tally.folded), tally.ticks, lane.tick_offer) == (5, [1_000], None)
    assert ticks(broker) == [(1_000, None)]
    assert orders(broker)[-1].ranges != []


def test_a_tick_alone_is_a_transaction_of_its_own_and_names_the_one_before(broker: MemoryBroker) -> None:
    lane, tally, _ = recovered(broker)
    for at_ms in (1_000, 2_000, 1_500, 2_000):
        lane.offer_tick(at_ms, heartbeat_ms=-1_000)
        lane.step(0)
    assert tally.ticks == [1_000, 2_000], "an older tick, or the same again, is not folded"
    assert lane.tick_offer is None, "nor does it stay on offer, in the way of all that come"
    assert ticks(broker) == [(1_000, None), (2_000, 1_000)]
    assert ranges(broker) == [[], []]


def test_a_tick_waits_for_what_was_appended_before_the_asking_and_was_not_read_yet(broker: MemoryBroker) -> None:
    lane, tally, log = recovered(broker)
    broker.append("orders", "a", at_ms=1)
    broker.silent.add("orders")
    lane.tick_offer = TickOffer(1_000, log.ends())
    assert not lane.step(0)
    assert tally.ticks == []
    broker.silent.clear()
    assert lane.step(0)
    assert (tally.folded, tally.ticks) == ([("orders", 0)], [1_000])


def test_who_stands_in_which_tier_is_counted_after_a_restore_and_then_at_most_twice_a_minute_where_something_was_published(
    broker: MemoryBroker,
) -> None:
    tally, counters, now_ms = Tally(), LaneCounters(), [10_000]

    def publishing(records: RecordBatch, decided_at_ms: int, tick_ms: int | None, decided_to: int | None) -> Folded:
        return tally.fold(records, decided_at_ms, tick_ms, decided_to)._replace(outputs=[Output("tier-transitions", b"a", transition())])

    lane = Lane(
        MemoryLog(broker), tally, publishing, Codec().encode_all, Duty(TOPICS, "digest-1", "test", "LIVE", 1_000),
        clock=lambda: now_ms[0], baton=nullcontext(), counters=counters,
    )  # fmt: skip
    lane.recover()
    seen = []
    for account, at_ms in (("a", 10_000), ("b", 10_001), ("c", 39_999), (None, 40_000), ("d", 69_999), (None, 70_000), (None, 200_000)):
        now_ms[0] = at_ms
        if account is not None:
            broker.append("interactions", account, at_ms=at_ms)
        lane.step(0)
        seen.append(counters.population["counted", "seen"])
    assert seen == [1, 1, 1, 3, 3, 4, 4]


def test_a_restore_says_how_much_of_the_changelog_is_left(broker: MemoryBroker) -> None:
    lane, _, _ = recovered(broker)
    for number in range(60):
        broker.append("interactions", f"account-{number}", at_ms=number)
    assert lane.step(0)
    counters, left = LaneCounters(), list[int | None]()
    other, _ = tallying_lane(MemoryLog(broker), TOPICS, counters=counters)
    other.recover(lambda: bool(left.append(counters.restore_left)))
    assert len(left) > 2
    assert left == sorted(left, key=lambda count: -(count or 0))
    assert (left[0], counters.restore_left) == (broker.partition(CHANGELOG, 0).end, None)
