"""Erasing an account on a real broker: all forget it, whenever the worker dies, and the log still proves itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.clocks import wall_clock
from agents.counters import LaneCounters
from agents.embedded.broker import Broker
from agents.lane import Lane
from agents.lanes import lane_maker
from agents.partition_log import Fenced
from agents.reading import committed_messages
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import AccountTiers, Action
from streams.policy import load_policy
from tests.builders import HOUR, command, prediction, profile
from tests.integration.commands import Commands
from tests.waiting import eventually
from tests.workers import ROOT, deployment, publish

POLICY = ROOT / "tests" / "policies" / "plain.yaml"
NOW_MS = wall_clock() - HOUR


@pytest.fixture
def settings(kafka: Broker, prefix: str) -> Settings:
    return deployment(kafka.bootstrap, prefix, partitions=1)


@pytest.fixture
def scored(settings: Settings) -> Iterator[Lane]:
    """A lane that has scored two accounts."""
    publish(settings, "profiles", [profile(account, NOW_MS, industry="finance", phone="13800") for account in ("acme", "other")])
    publish(settings, "predictions", [prediction(account, 90.0, NOW_MS) for account in ("acme", "other")])
    lane = lane_of(settings)
    step_until(lane, 4)
    yield lane
    lane.log.close()


def lane_of(settings: Settings) -> Lane:
    """A worker's own lane, restored."""
    lane = lane_maker(settings, load_policy(POLICY), wall_clock, frozenset())(0, LaneCounters())
    lane.recover()
    return lane


def step_until(lane: Lane, events: int) -> None:
    def folded() -> bool:
        lane.step(0.2)
        return sum(lane.counters.events.values()) >= events

    eventually(folded, 60, f"{events} records folded")


def said(settings: Settings, topic: str) -> list[tuple[bytes, bytes | None]]:
    return [(message.key(), message.value()) for message in committed_messages(settings, topic)]


def erase(settings: Settings, event_id: str = "erase-1", account: str = "acme") -> None:
    publish(settings, "commands", [command(account, "ERASE", NOW_MS + 1, event_id=event_id)])


def test_an_erased_account_is_gone_from_view_changelog_and_account_tiers_and_the_answer_is_on_actions(
    settings: Settings, scored: Lane, tmp_path: Path
) -> None:
    erase(settings)
    erase(settings)
    erase(settings, "erase-2", "nobody")
    step_until(scored, 7)
    assert scored.rows.view("acme") is None
    assert scored.counters.accounts == 1
    newest = dict(said(settings, "accounts-changelog"))
    assert (newest[b"racme"], newest[b"dacme"]) == (None, None)
    assert dict(said(settings, "account-tiers"))[b"acme"] is None
    codec = Codec()
    told = [codec.decode_as(Action, payload) for _, payload in said(settings, "actions")]
    assert [(each.account_id, each.kind, each.name) for each in told] == [("acme", "DONE", "ERASE"), ("nobody", "REFUSED", "ERASE")]
    assert told[1].reason == "there is no such account"
    publish(settings, "predictions", [prediction("acme", 70.0, NOW_MS + 2)])
    step_until(scored, 8)
    tiers = [codec.decode_as(AccountTiers, payload) for key, payload in said(settings, "account-tiers") if key == b"acme" and payload]
    assert [each.revision for each in tiers[-1:]] == [1]
    assert len({each.generation for each in tiers}) == 2
    the_log_proves_itself(settings, tmp_path)


def the_log_proves_itself(settings: Settings, folder: Path) -> None:
    """audit, replay --live, export and a replay of the export all take the erasure as what it is."""
    tierstream = Commands(settings.bootstrap_servers, settings.topic_prefix, partitions=1)
    assert tierstream.json("audit")["fine"]
    assert tierstream.json("replay", "--live", "--policy", str(POLICY))["fine"]
    log = folder / "log.jsonl"
    assert tierstream.json("export", "--out", str(log))["written"]["commands"] == 3
    replayed = tierstream.run("replay", "--policy", str(POLICY), str(log))
    assert replayed.returncode == 0, replayed.stderr
    assert {"topic": "account-tiers", "key": "acme", "value": None} in map(json.loads, replayed.stdout.splitlines())


def test_an_erasure_that_a_zombie_folds_is_carried_out_by_its_heir(settings: Settings, scored: Lane) -> None:
    erase(settings)
    heir = lane_of(settings)
    with pytest.raises(Fenced):
        step_until(scored, 5)
    assert (scored.rows.view("acme"), said(settings, "actions")) == (None, []), "the zombie has forgotten it and told nobody"
    assert heir.rows.view("acme") is not None
    step_until(heir, 1)
    the_erasure_stays(settings, heir)


def test_a_worker_that_dies_after_the_commit_leaves_an_heir_that_knows_nothing_of_the_account(settings: Settings, scored: Lane) -> None:
    erase(settings)
    step_until(scored, 5)
    the_erasure_stays(settings, lane_of(settings))  # the dead one's clients are not closed, as after SIGKILL


def the_erasure_stays(settings: Settings, heir: Lane) -> None:
    """This lane, which goes on, and the next one know the other account only; the command is answered once."""
    before = sum(heir.counters.events.values())
    publish(settings, "predictions", [prediction("other", 10.0, NOW_MS + 2)])
    step_until(heir, before + 1)
    heir.log.close()
    last = lane_of(settings)
    for lane in (heir, last):
        assert lane.rows.view("acme") is None
        assert lane.rows.view("other") is not None
        assert len(lane.rows) == 1
    last.log.close()
    assert len(said(settings, "actions")) == 1
