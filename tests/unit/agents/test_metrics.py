"""Laws of counting: what a scrape shows is what the lanes counted, in seconds, under names that do not change."""

import re
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.counters import LAG_BOUNDS_MS, Histogram, LaneCounters
from agents.metric_catalogue import LABELS
from agents.metrics import LaneCollector
from schemas.codec import Codec
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from schemas.records import Event, Interaction, Mode
from streams.account import Output
from streams.batches import RecordBatch
from streams.cycle import fold_cycle
from streams.forward.forwarder import FEWEST, HANDED
from streams.intake import RawRecord
from streams.partition import Partition
from tests.builders import DAY, NOON, SECOND, command, interaction, prediction, profile, transition
from tests.folding import TOPIC_OF, Folding, policy_of, shipped
from tests.properties.test_forward_laws import busy_log

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(by_number: dict[int, LaneCounters]) -> Samples:
    registry = CollectorRegistry()
    registry.register(LaneCollector(by_number))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def record(topic: str, appended_at_ms: int) -> RawRecord:
    return RawRecord(topic, 0, 0, appended_at_ms, b"a", b"x")


def labelled(seen: Samples, name: str) -> list[tuple[dict[str, str], float]]:
    """Every sample of a name."""
    return [(dict(labels), number) for (found, labels), number in seen.items() if found == name]


def letter(topic: str) -> DeadLetter:
    return DeadLetter(
        topic=topic, partition=0, offset=0, appended_at_ms=0, schema_id=None, reason=Reason.NOT_FINITE, message="", key=None, payload=None
    )


def test_a_scrape_adds_up_the_partitions() -> None:
    one, other = LaneCounters(), LaneCounters()
    one.count_events(RecordBatch.of([record("orders", 1_000), record("orders", 1_090)]), committed_at_ms=1_100)
    other.count_events(RecordBatch.of([record("orders", 900), record("risks", 1_100)]), committed_at_ms=1_000)
    up = Output("tier-transitions", b"acme", transition(scheme="sabc"))
    one.count_results([up, up], [letter("orders")], [(b"ra", b"x")] * 3)
    other.count_results([up], [], [(b"rb", b"x")] * 4)
    one.commit_ms.observe(12.5)
    seen = samples({0: one, 1: other})
    orders = frozenset({("topic", "orders")})
    assert seen["tierstream_events_total", orders] == 3
    assert seen["tierstream_scoring_lag_seconds_count", orders] == 3
    assert seen["tierstream_scoring_lag_seconds_sum", orders] == 0.21
    assert seen["tierstream_scoring_lag_seconds_bucket", orders | {("le", "0.01")}] == 1
    assert seen["tierstream_scoring_lag_seconds_bucket", orders | {("le", "0.1")}] == 3
    assert seen["tierstream_scoring_lag_seconds_sum", frozenset({("topic", "risks")})] == 0
    kind = frozenset({("scheme", "sabc"), ("direction", "UP"), ("cause", "INTERACTION")})
    assert seen["tierstream_transitions_total", kind] == 3
    assert seen["tierstream_outputs_total", frozenset({("topic", "tier-transitions")})] == 3
    assert seen["tierstream_dead_letters_total", orders | {("reason", "NOT_FINITE")}] == 1
    assert seen["tierstream_changelog_records_total", frozenset()] == 7
    assert seen["tierstream_commits_total", frozenset()] == 1
    assert seen["tierstream_commit_seconds_sum", frozenset()] == 0.0125


LADDER = [{"name": "C"}, {"name": "B", "enter_at": 40}, {"name": "A", "enter_at": 80}]
WATCHED = policy_of(
    schemes={"s": {"kind": "score", "tiers": LADDER}},
    clocks={
        "silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "60d", "then": {"A": "demote", "B": "demote", "C": "recycle"}},
        "owner_update": {"resets_on": {"actor": "OWNER"}, "after": {"A": "30d"}, "then": "recycle"},
    },
)


def passing(counters: LaneCounters, f: Folding, tick_ms: int, decided_at_ms: int, mode: Mode = "LIVE") -> None:
    """Time passes in a unit of work of its own."""
    folded = fold_cycle(f.partition, RecordBatch.of([]), Codec(), mode=mode, decided_at_ms=decided_at_ms, tick_ms=tick_ms)
    counters.count_work(folded)
    counters.count_results(folded.outputs, folded.dead, folded.changes)


def in_a() -> Folding:
    f = Folding(WATCHED)
    f.fold(profile(owner_id="sdr-1"), interaction(), prediction(score=90.0))
    f.keep()
    return f


def test_time_is_counted_as_it_passes_and_how_late_it_was_decided() -> None:
    counters, f = LaneCounters(), in_a()
    counters.state = "running"
    assert labelled(samples({2: counters}), "tierstream_last_tick_timestamp_seconds") == []
    passing(counters, f, NOON + DAY, NOON + DAY + SECOND)
    passing(counters, f, NOON + 30 * DAY, NOON + 30 * DAY + 700)
    passing(counters, f, NOON + 60 * DAY, NOON + 60 * DAY + 2_500)
    seen, alone = samples({2: counters}), frozenset[tuple[str, str]]()
    assert seen["tierstream_ticks_total", alone] == 3
    assert seen["tierstream_accounts_moved_by_time_total", alone] == 2
    assert labelled(seen, "tierstream_last_tick_timestamp_seconds") == [({"partition": "2"}, (NOON + 60 * DAY) / 1000)]
    assert labelled(seen, "tierstream_actions_total") == [({"kind": "RECYCLED", "rule": "owner_update"}, 1)]
    assert labelled(seen, "tierstream_transitions_total") == [({"scheme": "s", "direction": "DOWN", "cause": "SILENCE"}, 1)]
    late = {labels["cause"]: number for labels, number in labelled(seen, "tierstream_deadline_lateness_seconds_sum")}
    assert late == {"CLOCK": 0.7, "SILENCE": 2.5}
    counters.state = "stopped"
    assert labelled(samples({2: counters}), "tierstream_last_tick_timestamp_seconds") == [], "another worker has its time now"


def test_history_is_never_late() -> None:
    counters, f = LaneCounters(), in_a()
    passing(counters, f, NOON + 60 * DAY, NOON + 900 * DAY, mode="BACKFILL")
    seen = samples({0: counters})
    assert labelled(seen, "tierstream_deadline_lateness_seconds_sum") == []
    assert labelled(seen, "tierstream_transitions_total") == [({"scheme": "s", "direction": "DOWN", "cause": "SILENCE"}, 1)]


def test_hot_leads_are_counted_by_the_tier_they_came_to_and_what_made_them_hot() -> None:
    counters, f = LaneCounters(), Folding(shipped("sabc"))
    f.fold(*(interaction(kind="DOWNLOAD", at=NOON + number) for number in range(3)))
    counters.count_results(f.outputs, [], [])
    assert labelled(samples({0: counters}), "tierstream_hot_leads_total") == [
        ({"scheme": "sabc", "tier": "B", "trigger": "downloads_14d at least 3"}, 1)
    ]
    assert counters.moved_by_time == counters.ticks == 0


def test_what_compiled_code_leaves_to_python_is_counted_by_why() -> None:
    counters, partition, codec = LaneCounters(), Partition(0, None, "test", shipped("sabc-live")), Codec()

    def take(*records: Event, **more: Any) -> None:
        raws = [
            RawRecord(TOPIC_OF[type(each)], 0, n, each.occurred_at, each.account_id.encode(), codec.encode(each))
            for n, each in enumerate(records)
        ]
        raws = [raw._replace(**more) for raw in raws]
        counters.count_work(fold_cycle(partition, RecordBatch.of(raws), codec, mode="LIVE", decided_at_ms=NOON))

    def visits(count: int, who: str = "acme") -> list[Event]:
        return [interaction(account_id=who, event_id=f"{who} {n}", at=NOON + n) for n in range(count)]

    take(*visits(FEWEST - 1, "few"))
    take(*visits(40), profile())
    take(*visits(20, "junk"), payload=b"junk")
    take(*[each for each in busy_log(7, 2_000, 60) if isinstance(each, Interaction)])
    handed = {labels["why"]: number for labels, number in labelled(samples({0: counters}), "tierstream_handed_over_total")}
    assert (handed["FEW"], handed["UNREADABLE"]) == (FEWEST - 1, 20)
    assert sum(handed.values()) < 1_000
    assert set(handed) <= set(HANDED)


def test_every_reason_for_leaving_a_record_to_python_is_in_the_catalogue() -> None:
    assert set(re.findall(r"\b[A-Z_]{3,}\b", LABELS["why"])) == set(HANDED)


def test_a_policy_that_is_folded_in_python_says_so() -> None:
    policy, codec = shipped("orders-rfm"), Codec()
    records = [interaction(event_id=f"e{n}") for n in range(20)]
    batch = RecordBatch.of([RawRecord("interactions", 0, n, NOON, b"acme", codec.encode(each)) for n, each in enumerate(records)])
    assert Partition(0, None, "test", policy).all_handed(batch) == {"UNCOMPILED": 20}


def test_accounts_that_are_due_are_counted_once_each_time() -> None:
    counters, f = LaneCounters(), in_a()
    for days in (1, 30, 60):
        passing(counters, f, NOON + days * DAY, NOON + days * DAY)
    assert samples({0: counters})["tierstream_accounts_due_total", frozenset()] >= counters.moved_by_time == 2


def test_the_population_is_every_account_in_the_tier_that_was_published() -> None:
    counters, f = LaneCounters(), Folding(shipped("sabc"))
    assert set(f.partition.population().values()) == {0}
    for number in range(30):
        f.fold(interaction(account_id=f"visitor-{number}"))
        if number % 3 == 0:
            f.fold(*(interaction(account_id=f"visitor-{number}", event_id=f"d{n}", kind="DOWNLOAD", at=NOON + n) for n in range(3)))
    counters.state, counters.population = "running", f.partition.population()
    seen = {(x["partition"], x["scheme"], x["tier"]): n for x, n in labelled(samples({3: counters}), "tierstream_tier_accounts")}
    tiers = [f.partition.view(account)["schemes"]["sabc"]["published"] for account in f.partition.account_ids()]  # type: ignore[index]
    assert seen == {("3", "sabc", tier): float(tiers.count(tier)) for tier in f.policy.schemes[0].ladder.tiers}
    assert sum(seen.values()) == 30
    assert seen["3", "sabc", "B"] == 10
    counters.state = "stopped"
    assert labelled(samples({3: counters}), "tierstream_tier_accounts") == [], "another worker has them now"


def test_the_population_knows_nothing_of_an_erased_account() -> None:
    f = Folding(shipped("sabc"))
    downloads = [interaction(account_id="last", event_id=f"d{n}", kind="DOWNLOAD", at=NOON + n) for n in range(3)]
    f.fold(*(interaction(account_id=name) for name in ("first", "second", "last")), *downloads)
    assert f.partition.population() == {("sabc", "C"): 2, ("sabc", "B"): 1, ("sabc", "A"): 0}
    f.fold(command("first", "ERASE", NOON + DAY))
    assert f.partition.population() == {("sabc", "C"): 1, ("sabc", "B"): 1, ("sabc", "A"): 0}


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


def test_a_restore_says_how_much_is_left_and_then_no_more() -> None:
    counters = LaneCounters()
    assert labelled(samples({1: counters}), "tierstream_restore_remaining_records") == []
    counters.restore_left = 300
    assert labelled(samples({1: counters}), "tierstream_restore_remaining_records") == [({"partition": "1"}, 300)]


def test_the_policy_in_force_is_named_with_the_day_of_its_review() -> None:
    counters, policy = LaneCounters(), shipped("sabc")
    counters.policy, counters.state = lambda: policy, "running"
    seen = samples({1: counters})
    labels = {"partition": "1", "policy": "sabc", "version": policy.version, "digest": policy.digest}
    assert labelled(seen, "tierstream_policy_info") == [(labels, 1)]
    ((_, reviewed_s),) = labelled(seen, "tierstream_policy_reviewed_timestamp_seconds")
    ((_, due_s),) = labelled(seen, "tierstream_policy_review_due_timestamp_seconds")
    assert due_s - reviewed_s == 184 * 86_400
    counters.state = "stopped"
    assert labelled(samples({1: counters}), "tierstream_policy_info") == []


def test_what_is_overdue_is_known_before_time_has_passed() -> None:
    f = in_a()
    assert f.partition.overdue(NOON + 29 * DAY) == 0
    assert f.partition.overdue(NOON + 90 * DAY) == 1
    passing(LaneCounters(), f, NOON + 90 * DAY, NOON + 90 * DAY)
    assert f.partition.overdue(NOON + 90 * DAY) == 0


def test_the_last_append_that_was_folded_is_known_by_topic() -> None:
    counters = LaneCounters()
    counters.count_events(RecordBatch.of([record("orders", 1_000), record("risks", 900), record("orders", 1_090)]), committed_at_ms=1_100)
    assert counters.appended_ms == {"orders": 1_090, "risks": 900}
    assert 1_000 in LAG_BOUNDS_MS, "what is promised within a second can be counted"
