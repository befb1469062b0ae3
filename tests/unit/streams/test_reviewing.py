"""A policy that nobody has reviewed for more than 183 days is announced, once. Fixture 15 of the facts."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.records import Action
from streams.partition import Partition
from streams.replay import FileReplay, LoggedEvent
from tests.builders import DAY, SECOND, tick
from tests.folding import Folding, policy_of, restored, shipped

SHANGHAI = ZoneInfo("Asia/Shanghai")
DUE_MS = round(datetime(2027, 5, 4, tzinfo=SHANGHAI).timestamp() * 1000)
"""The policies are reviewed on 2026-11-01; 3 May 2027 is the 183rd day after it."""


def told(partition: Partition, at_ms: int, mode: Any = "LIVE") -> list[Any]:
    return [output.record for output in partition.fold_tick(at_ms, mode, at_ms)]


def test_001_21_fixture_15_a_rule_set_without_a_review_for_183_days_is_silent_on_the_184th_it_is_a_warning_once() -> None:
    replay = FileReplay("test", shipped("sabc"))
    ticks = [DUE_MS - 1, DUE_MS + 10 * SECOND, DUE_MS + DAY]
    said = [replay.fold(LoggedEvent("ticks", tick(at_ms))) for at_ms in ticks]
    assert [len(each) for each in said if isinstance(each, list)] == [0, 1, 0]
    (output,) = said[1]
    action = output.record
    assert isinstance(action, Action)
    assert (action.kind, action.name, action.due_at, action.account_id) == ("POLICY_REVIEW_DUE", "policy_review", DUE_MS, "policy/sabc")
    assert action.reason == "policy sabc was reviewed on 2026-11-01, more than 183 days ago: a review is due"
    assert output.key == b"policy/sabc"


def test_if_it_is_past_already_the_first_tick_says_so_and_no_restart_says_it_again() -> None:
    f = Folding(shipped("sabc"))
    first = told(f.partition, DUE_MS + 100 * DAY)
    assert [action.kind for action in first] == ["POLICY_REVIEW_DUE"]
    f.keep()
    assert told(restored(f.changelog, f.policy), DUE_MS + 101 * DAY) == []


def test_one_partition_says_it_for_the_application_and_only_live() -> None:
    assert told(Partition(1, 2, "test", shipped("sabc")), DUE_MS) == []
    assert told(Partition(0, 2, "test", shipped("sabc")), DUE_MS, "BACKFILL") == []
    assert len(told(Partition(0, 2, "test", shipped("sabc")), DUE_MS)) == 1


def test_a_review_starts_the_clock_anew() -> None:
    partition = Partition(0, None, "test", policy_of(reviewed_on="2027-05-01", timezone="Asia/Shanghai"))
    assert told(partition, DUE_MS + 100 * DAY) == []
    (action,) = told(partition, DUE_MS + 182 * DAY)
    assert "2027-05-01" in action.reason
