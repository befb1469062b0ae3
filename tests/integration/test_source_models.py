"""The models of the source documents on a real broker: fixtures 1, 9, 13 (without the pyramid) and 14 under one worker.

The worker, a process of its own, grades by all of the policies at once. What it publishes of four stories is what the same records give
in memory, and the tiers are those of the fixtures.
"""

from pathlib import Path

import yaml

from agents import clients
from agents.embedded.broker import Broker
from agents.reading import committed_records
from agents.settings import Settings
from schemas.codec import Codec
from schemas.records import Event, TierTransition
from streams.policy import load_policy_text
from tests.builders import DAY, NOON, interaction, order, profile, stage_change, tick
from tests.composing import together
from tests.folding import TOPIC_OF, Folding
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish

MILLION = 100_000_000
NOVEMBER, YEAR = NOON - 60 * DAY, 365 * DAY
POLICY = together("tracks", "mcr", "channel", "lifecycle", "orders-rfm", "saas", "project", leave_out=("by_kind",))
TOPICS = ("profiles", "orders", "interactions", "opportunities")
"""One after the other, so that the order of appending is known."""
CODEC = Codec()


def stories() -> list[Event]:
    """Company A, 云翔, a seasonal buyer, a channel partner, and one whose log has three meanings."""
    log: list[Event] = [
        profile("company a", industry_rank=1, annual_budget_minor=2 * MILLION, need="urgent", decision_level="middle", track="price"),
        profile("云翔", industry_rank=1, annual_budget_minor=1 * MILLION, track="lighthouse"),
        profile(
            "partner", industry_rank=1, territory="national", industry="manufacturing", size="large",
            registered_capital_minor=12 * MILLION, staffing=50,
        ),
        order("partner", amount_minor=9 * MILLION, order_id="p"),
        profile("three", billing_cycle="year", renewal_rate=0.95),
        order("november", at=NOVEMBER - YEAR, order_id="n1"),
        order("november", at=NOVEMBER, order_id="n2"),
    ]  # fmt: skip
    log += [order("three", amount_minor=300_000, recurring=True, at=NOON + n * DAY, order_id=f"r{n}") for n in range(8)]
    log += [interaction("three", "FEATURE_USE", at=NOON + n * DAY) for n in range(20)]
    log += [order("three", amount_minor=50_000_000, project=True, at=NOON + 20 * DAY, order_id="project")]
    log += [interaction("three", "MEETING", at=NOON + 20 * DAY), stage_change("three", at=NOON + 20 * DAY)]
    return [record for topic in TOPICS for record in log if TOPIC_OF[type(record)] == topic]


def told(settings: Settings) -> list[TierTransition]:
    return [CODEC.decode_as(TierTransition, raw.payload) for raw in committed_records(settings, "tier-transitions")]


def essence(each: TierTransition) -> tuple[object, ...]:
    ledger = [(line.line, line.micro) for line in each.contributions]
    return each.account_id, each.scheme, each.sequence, each.from_tier, each.to_tier, each.effective_at, each.score_after_micro, ledger


def test_the_models_of_the_documents_grade_on_a_real_broker_as_in_memory(kafka: Broker, prefix: str, tmp_path: Path) -> None:
    text = yaml.safe_dump(POLICY, allow_unicode=True, sort_keys=False)
    file = tmp_path / "together.yaml"
    file.write_text(text, encoding="utf-8")
    memory = Folding(load_policy_text(text), mode="BACKFILL")
    memory.fold(*(log := stories()))
    at_once = {(each.account_id, each.scheme): each.to_tier for each in memory.published}
    memory.tick(NOON + YEAR + DAY)
    settings = deployment(kafka.bootstrap, prefix, policy=str(file), partitions=1, clock="records")
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.await_lanes(1)
        for topic in TOPICS:
            publish(settings, topic, [record for record in log if TOPIC_OF[type(record)] == topic])
        eventually(lambda: len(told(settings)) >= len(at_once), 60, "every story told")
        passes(settings, NOON + YEAR + DAY)
        eventually(lambda: len(told(settings)) >= len(memory.published), 60, "time has passed")
        assert worker.stop() == 0
    published = {(each.account_id, each.scheme): each.to_tier for each in told(settings)}
    assert {story: tier for story, tier in at_once.items() if story in FIXTURES} == FIXTURES
    assert published["november", "lifecycle"] == "lost"
    assert sorted(map(essence, told(settings))) == sorted(map(essence, memory.published))


FIXTURES = {
    ("company a", "grade"): "B",  # 000-11
    ("云翔", "grade"): "S",  # 000-12
    ("november", "lifecycle"): "active",  # 004-04: so far
    ("partner", "influence_volume"): "S",  # 003-09
    ("partner", "current_potential"): "1",  # 003-11
    ("partner", "channel"): "first",  # 003-07
    ("three", "value"): "S",  # 002-31: trade
    ("three", "subscription"): "high",
    ("three", "project"): "B",
}


def passes(settings: Settings, at_ms: int) -> None:
    """A tick for the one partition."""
    producer = clients.idempotent_producer(settings)
    producer.produce(settings.topic_name("ticks"), value=CODEC.encode(tick(at_ms)), partition=0)
    assert producer.flush(30) == 0
