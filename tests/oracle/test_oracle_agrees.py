"""The oracle and the engine come to the same, over the generator's lives with poison and over generated policies and logs."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agents.generating.lives import Lives
from agents.generating.poison import Poisoner
from agents.generating.working_hours import steady
from schemas.codec import Codec
from schemas.records import Command, Event
from streams.intake import RawRecord
from streams.partitioning import partition_for
from streams.policy import CompiledPolicy
from tests.builders import DAY, HOUR, NOON, command, tick
from tests.folding import JUDGED, TOPIC_OF, judged_by_the_oracle
from tests.oracle.judging import Left, judged
from tests.oracle.recording import APPLICATION, left_behind
from tests.oracle.wire import decoded
from tests.simulation.policies import OVERRIDDEN, document_of, policy_of
from tests.worlds import policies_with_logs

CODEC = Codec()
SEEN = {(kind, name) for kind in ("DONE", "REFUSED") for name in ("OVERRIDE", "REVOKE_OVERRIDE", "ASSIGN_OWNER")} | {("REFUSED", "CLAIM")}
BY_TIME = {"plain": set(), "fading": {"DECAY"}, "quiet": {"DECAY", "SILENCE"}}
"""What time alone does under each policy: the test must have seen it."""
DOCUMENTS = {path.stem: yaml.safe_load(path.read_text()) for path in JUDGED}


def as_yaml(policy: CompiledPolicy) -> dict[str, Any]:
    """The policy as its file would say it."""
    return dict(policy.document.model_dump(mode="json", by_alias=True, exclude_none=True))


def lived(seed: int, events: int, *, number: int = 0, partitions: int = 1, poison: float = 0.02, pace: float = 86_400.0) -> list[RawRecord]:
    """A partition's records of generated lives, appended as they happen, some of them spoilt."""
    random = Random(seed)
    lives = Lives(random, max(events // 60, 5), start_at_ms=NOON, pace=pace, run=f"seed{seed}")
    poisoner = Poisoner(random, poison, partitions, CODEC)
    offsets: dict[str, int] = defaultdict(int)
    raws = []
    for count, happening in enumerate([*lives.births(), *lives.stream(steady(NOON, 100.0, events / 100))]):
        framed = poisoner.frame(happening)
        key = framed.key
        place = framed.partition if framed.partition is not None else partition_for(key, partitions) if key is not None else number
        if place == number:
            raws.append(RawRecord(framed.topic, number, offsets[framed.topic], NOON + 10 * count, key, framed.payload))
            offsets[framed.topic] += 1
    return raws


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@pytest.mark.parametrize(("seed", "partitions", "number"), [(1, 1, 0), (2, 3, 1), (3, 3, 2)])
def test_generated_lives_with_poison_are_judged_without_anomaly(name: str, seed: int, partitions: int, number: int) -> None:
    raws = lived(seed, 4_000, number=number, partitions=partitions)
    left = left_behind(judged_by_the_oracle(name), raws, Random(seed), number=number, partitions=partitions)
    assert len(left.transitions) > 10
    assert len(left.dead_letters) > 5
    kinds = {decoded("TierTransition", payload)["cause"]["kind"] for _, payload in left.transitions}
    assert {"INTERACTION", *BY_TIME[name]} <= kinds
    assert judged(left, DOCUMENTS[name], APPLICATION, partitions) == []


def ordered(raws: list[RawRecord], seed: int, tiers: list[str]) -> list[RawRecord]:
    """The records with people's orders among them: possible ones, impossible ones, and one that comes again."""
    random, found, offset = Random(seed), list[RawRecord](), 0
    keys = sorted({raw.key for raw in raws if raw.key is not None and raw.key.startswith(b"acct-")})
    for number, raw in enumerate(raws):
        found.append(raw)
        if random.random() < 0.1:
            key, at_ms = random.choice([*keys, b"nobody"]), raw.appended_at_ms - random.choice([0, 0, 2_000])
            said = an_order(random, key.decode(), at_ms, tiers, f"order-{number - random.choice([0, 0, 0, 1])}")
            for _ in range(random.choice([1, 1, 1, 2])):
                found.append(RawRecord("commands", raw.partition, offset, raw.appended_at_ms, key, CODEC.encode(said)))
                offset += 1
    return found


def an_order(random: Random, account: str, at_ms: int, tiers: list[str], event_id: str) -> Command:
    kind = random.choice(["OVERRIDE", "OVERRIDE", "OVERRIDE", "REVOKE_OVERRIDE", "ASSIGN_OWNER", "CLAIM"])
    named: dict[str, dict[str, str]] = {
        "OVERRIDE": {"tier": random.choice([*tiers, "none such"])}, "ASSIGN_OWNER": {"owner_id": random.choice(["li", "wang", " "])},
    }  # fmt: skip
    more: dict[str, Any] = {"reason": random.choice(["pilot", "pilot", "pilot", " "]), "event_id": event_id}
    if kind == "OVERRIDE":
        more["expires_at"] = random.choice(
            [None, at_ms, *(at_ms + int(random.expovariate(1 / 5_000)) for _ in range(8)), at_ms + 3651 * DAY]
        )
        more["approved_by"] = random.choice([None, "Kim ", "lee", "lee", "lee", "lee", "lee"])
    return command(account, kind, at_ms, arguments=named.get(kind, {}) | random.choice([{}, {}, {"colour": "red"}]), **more)


def left_under_orders(name: str, seed: int) -> Left:
    """What a worker leaves of lives with orders among them, under a policy that allows overrides."""
    tiers = [tier["name"] for tier in next(iter(DOCUMENTS[name]["schemes"].values()))["tiers"]]
    return left_behind(policy_of(name + OVERRIDDEN), ordered(lived(seed, 2_000), seed, tiers), Random(seed))


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@pytest.mark.parametrize("seed", [1, 2])
def test_lives_under_orders_are_judged_without_anomaly(name: str, seed: int) -> None:
    left = left_under_orders(name, seed)
    answers = [decoded("Action", payload) for _, payload in left.actions]
    assert {(each["kind"], each["name"]) for each in answers if each["kind"] in ("DONE", "REFUSED")} >= SEEN
    causes = [decoded("TierTransition", payload)["cause"] for _, payload in left.transitions]
    assert {"commands", "interactions"} <= {cause["topic"] for cause in causes if cause["kind"] == "OVERRIDE"}  # ordered, and expired
    assert judged(left, document_of(name + OVERRIDDEN), APPLICATION, 1) == []


def test_quarantined_records_are_judged_too() -> None:
    raws = lived(5, 1_000)
    quarantined = frozenset((raw.topic, raw.offset) for raw in raws[100:110])
    left = left_behind(judged_by_the_oracle("fading"), raws, Random(5), quarantined=quarantined)
    assert judged(left, DOCUMENTS["fading"], APPLICATION, 1) == []
    assert sum(headers["tierstream.reason"] == b"QUARANTINED" for *_, headers in left.dead_letters) == 10


@given(policies_with_logs(understood=True), st.integers(0, 2**32))
def test_the_oracle_agrees_over_generated_policies_and_logs(world: tuple[CompiledPolicy, list[Event]], seed: int) -> None:
    policy, log = world
    offsets: dict[str, int] = defaultdict(int)
    raws = []
    for number, record in enumerate(log):
        topic = TOPIC_OF[type(record)]
        appended_at_ms = NOON + 6 * DAY + number // 3
        raws.append(RawRecord(topic, 0, offsets[topic], appended_at_ms, record.account_id.encode(), CODEC.encode(record)))
        offsets[topic] += 1
    left = left_behind(policy, raws, Random(seed), most=8)
    assert judged(left, as_yaml(policy), APPLICATION, 1) == []


@given(policies_with_logs(understood=True), st.integers(0, 2**32))
def test_the_oracle_agrees_where_records_and_ticks_arrive_as_they_happen(world: tuple[CompiledPolicy, list[Event]], seed: int) -> None:
    """Appended a moment after they occurred, late ones at once; with the lane's own ticks, or for history with those of the topic."""
    policy, log = world
    random, offsets, now_ms = Random(seed), defaultdict[str, int](int), 0
    history = random.random() < 0.5
    raws = []
    for record in log:
        topic, now_ms = TOPIC_OF[type(record)], max(now_ms + 1, record.occurred_at + random.randint(0, 3 * HOUR))
        raws.append(RawRecord(topic, 0, offsets[topic], now_ms, record.account_id.encode(), CODEC.encode(record)))
        offsets[topic] += 1
        if history and random.random() < 0.3:
            raws.append(RawRecord("ticks", 0, offsets["ticks"], now_ms, b"0", CODEC.encode(tick(now_ms - random.randint(0, HOUR)))))
            offsets["ticks"] += 1
    how: dict[str, Any] = {"mode": "BACKFILL", "ticking": 0, "afterwards": 0} if history else {}
    left = left_behind(policy, raws, random, most=8, **how)
    assert judged(left, as_yaml(policy), APPLICATION, 1) == []
