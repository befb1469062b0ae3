"""Time on a real broker: an account falls silent and is demoted with no event arriving; and lag is not silence."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.clocks import wall_clock
from agents.embedded.broker import Broker
from agents.reading import committed_records
from agents.replaying import COMPARED
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import FoldOrder, TierTransition
from tests.builders import SECOND, interaction, prediction
from tests.folding import SMALL
from tests.oracle.reading import Deployment
from tests.waiting import eventually
from tests.workers import ROOT, Worker, deployment, environment, publish

SILENT_MS = 3 * SECOND
POLICY: dict[str, Any] = SMALL | {
    "policy": "watchful",
    "clocks": {"silence": {"resets_on": {"actor": "CUSTOMER"}, "after": "3s", "then": {"A": "demote", "B": "demote", "C": "recycle"}}},
}
CODEC = Codec()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "watchful.yaml"
    file.write_text(yaml.safe_dump(POLICY, sort_keys=False))
    return file


def transitions(settings: Settings) -> list[TierTransition]:
    return [CODEC.decode_as(TierTransition, raw.payload) for raw in committed_records(settings, "tier-transitions")]


def orders(settings: Settings) -> list[FoldOrder]:
    return [CODEC.decode_as(FoldOrder, raw.payload) for raw in committed_records(settings, "fold-order")]


def judged_whole(settings: Settings, policy: Path) -> None:
    """The oracle and `replay --live` find in the log what was published."""
    where = Deployment(settings.bootstrap_servers, settings.topic_prefix, settings.application_id, settings.partitions)
    assert where.judged(POLICY)[0] == []
    command = [sys.executable, "-m", "agents.cli", "replay", "--policy", str(policy), "--live", "--json"]
    replayed = subprocess.run(command, env=environment(settings), text=True, capture_output=True, cwd=ROOT, timeout=120)
    assert replayed.returncode == 0, replayed.stderr + replayed.stdout
    published = {topic: len(list(committed_records(settings, topic))) for topic in COMPARED}
    assert json.loads(replayed.stdout)["outputs"] == published


def test_a_silent_account_is_demoted_at_its_exact_moment_with_no_event_arriving(
    kafka: Broker, prefix: str, policy: Path, tmp_path: Path
) -> None:
    settings = deployment(kafka.bootstrap, prefix, policy=str(policy), partitions=2, tick_every_s=0.2)
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(2)
        seen_ms = wall_clock()
        publish(settings, "predictions", [prediction("acme", 90.0, at=seen_ms)])
        publish(settings, "interactions", [interaction("acme", at=seen_ms)])
        eventually(lambda: len(transitions(settings)) == 3, 40, "up, and down twice by silence")
        its_metrics_say_so(worker, settings)
        assert worker.stop() == 0
    told = transitions(settings)[:3]
    moves = [(each.cause.kind, each.to_tier, each.effective_at - seen_ms) for each in told]
    assert moves == [("PREDICTION", "A", 0), ("SILENCE", "B", SILENT_MS), ("SILENCE", "C", 2 * SILENT_MS)]
    ticks = [order.tick for order in orders(settings) if order.tick is not None]
    assert any(tick.at >= seen_ms + SILENT_MS for tick in ticks)
    judged_whole(settings, policy)


def its_metrics_say_so(worker: Worker, settings: Settings) -> None:
    """The worker counts after the commit that we have read already."""
    eventually(lambda: worker.metric("tierstream_transitions_total", scheme="abc", direction="DOWN", cause="SILENCE") == 2)
    assert worker.metric("tierstream_transitions_total", direction="UP", cause="PREDICTION") == 1
    eventually(lambda: worker.metric("tierstream_actions_total", kind="RECYCLED", rule="silence") == 1, 60, "silent for long in C")
    eventually(lambda: worker.metric("tierstream_deadline_lateness_seconds_count", cause="SILENCE") == 3, what="each of the three is timed")
    assert worker.metric("tierstream_deadline_lateness_seconds_sum") >= 3 * settings.tick_delay_ms / 1000
    assert worker.metric("tierstream_accounts_moved_by_time_total") >= 2
    assert worker.metric("tierstream_ticks_total") >= 3
    last_s = [worker.metric("tierstream_last_tick_timestamp_seconds", partition=str(n)) for n in range(2)]
    ages_s = [wall_clock() / 1000 - each for each in last_s]
    assert all(settings.tick_delay_ms / 1000 <= age < 90 for age in ages_s), f"an empty partition has a tick a minute, got {ages_s}"


def test_lag_is_not_silence(kafka: Broker, prefix: str, policy: Path, tmp_path: Path) -> None:
    """A worker that finds minutes of visits to fold lets no time pass before the last of them."""
    settings = deployment(kafka.bootstrap, prefix, policy=str(policy), partitions=1, tick_every_s=0.05, batch_records=2)
    began_ms = wall_clock()
    visits = [interaction("acme", at=began_ms - 400 * SECOND + number * SECOND) for number in range(400)]
    publish(settings, "predictions", [prediction("acme", 90.0, at=began_ms - 400 * SECOND)])
    publish(settings, "interactions", visits)
    with Worker(settings, tmp_path / "worker.log") as worker:
        eventually(lambda: any(each.cause.kind == "SILENCE" for each in transitions(settings)), 60, "silence after the last visit")
        assert worker.stop() == 0
    (up, silent, *_) = transitions(settings)
    assert (up.to_tier, up.cause.kind) == ("A", "PREDICTION")
    assert (silent.to_tier, silent.cause.kind, silent.effective_at) == ("B", "SILENCE", visits[-1].occurred_at + SILENT_MS)
    folded = orders(settings)
    first = next(place for place, order in enumerate(folded) if order.tick is not None)
    assert sum(part.to_offset - part.from_offset for order in folded[: first + 1] for part in order.ranges) == 401
    ticks = [order.tick for order in folded if order.tick is not None]
    assert all(one.at < two.at and two.previous == one.at for one, two in pairwise(ticks))
    judged_whole(settings, policy)
