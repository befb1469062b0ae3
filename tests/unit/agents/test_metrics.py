"""Laws of counting: what a scrape shows is what the lanes counted, in seconds, under names that do not change."""

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.counters import LAG_BOUNDS_MS, Histogram, LaneCounters, OutputKind
from agents.metrics import LaneCollector
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from streams.batches import RecordBatch
from streams.intake import RawRecord


def samples(by_number: dict[int, LaneCounters]) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    registry = CollectorRegistry()
    registry.register(LaneCollector(by_number))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def record(topic: str, appended_at_ms: int) -> RawRecord:
    return RawRecord(topic, 0, 0, appended_at_ms, b"a", b"x")


def letter(topic: str) -> DeadLetter:
    return DeadLetter(
        topic=topic, partition=0, offset=0, appended_at_ms=0, schema_id=None, reason=Reason.NOT_FINITE, message="", key=None, payload=None
    )


def test_a_scrape_adds_up_the_partitions() -> None:
    one, other = LaneCounters(), LaneCounters()
    one.count_events(RecordBatch.of([record("orders", 1_000), record("orders", 1_090)]), committed_at_ms=1_100)
    other.count_events(RecordBatch.of([record("orders", 900), record("risks", 1_100)]), committed_at_ms=1_000)
    up = OutputKind(("tier-transitions", "sabc", "UP", "ORDER"))
    one.count_results([up, up], [letter("orders")], changes=3)
    other.count_results([up], [], changes=4)
    one.commit_ms.observe(12.5)
    seen = samples({0: one, 1: other})
    orders = frozenset({("topic", "orders")})
    assert seen["tierstream_events_total", orders] == 3
    assert seen["tierstream_scoring_lag_seconds_count", orders] == 3
    assert seen["tierstream_scoring_lag_seconds_sum", orders] == 0.21
    assert seen["tierstream_scoring_lag_seconds_bucket", orders | {("le", "0.01")}] == 1
    assert seen["tierstream_scoring_lag_seconds_bucket", orders | {("le", "0.1")}] == 3
    assert seen["tierstream_scoring_lag_seconds_sum", frozenset({("topic", "risks")})] == 0
    kind = frozenset({("topic", "tier-transitions"), ("scheme", "sabc"), ("direction", "UP"), ("cause", "ORDER")})
    assert seen["tierstream_outputs_total", kind] == 3
    assert seen["tierstream_dead_letters_total", orders | {("reason", "NOT_FINITE")}] == 1
    assert seen["tierstream_changelog_records_total", frozenset()] == 7
    assert seen["tierstream_commits_total", frozenset()] == 1
    assert seen["tierstream_commit_seconds_sum", frozenset()] == 0.0125


def test_a_lane_is_in_exactly_one_state() -> None:
    counters = LaneCounters()
    counters.state = "restoring"
    states = {labels: number for (name, labels), number in samples({4: counters}).items() if name == "tierstream_lane_state"}
    assert [dict(labels)["state"] for labels, number in states.items() if number == 1] == ["restoring"]
    assert {dict(labels)["partition"] for labels in states} == {"4"}


def test_a_process_without_lanes_shows_zeros_and_does_not_fail() -> None:
    assert samples({})["tierstream_commits_total", frozenset()] == 0


def test_counting_at_once_is_counting_one_by_one() -> None:
    amounts = [0, 5, 6, 59_999, 60_000, 60_001, 10**9, 10, 11]
    at_once, one_by_one = Histogram(LAG_BOUNDS_MS), Histogram(LAG_BOUNDS_MS)
    at_once.observe_all(np.array(amounts))
    for amount in amounts:
        one_by_one.observe(amount)
    assert (at_once.counts, at_once.total) == (one_by_one.counts, one_by_one.total)
