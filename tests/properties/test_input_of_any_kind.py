"""Input of any kind: whatever lies in a topic or a file is folded or refused with a reason, and nothing else happens.

100,000 payloads in a CI run, the same ones each time; with HYPOTHESIS_PROFILE=soak millions, and others each time. What fails names its
seed: `SEED=n` repeats it alone.
"""

import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random, SystemRandom

import pytest
from hypothesis import settings

from agents.ingesting import RefusedLine
from agents.json_lines import logged_event
from agents.order_files import read_orders
from agents.order_lines import Reading
from schemas.errors import Reason, RecordRejected, SettingsError
from schemas.topics import INPUTS
from streams.cycle import Folded, fold_cycle
from streams.partition import Partition
from streams.policy import CompiledPolicy
from streams.replay import FileReplay, LoggedEvent, Refused
from tests.builders import NOON
from tests.folding import shipped
from tests.mutations import CODEC, HERE, PARTITION, PARTITIONS, csv_lines, json_line, raw_batch

SOAK = settings.default.max_examples > 1_000
ROUNDS = 60 if SOAK else 1
FIRST_SEED = int(os.environ.get("SEED", SystemRandom().randrange(2**40) if SOAK else 20_261_122))
SEEDS = range(FIRST_SEED, FIRST_SEED + (1 if "SEED" in os.environ else ROUNDS))
BATCH = 4_000
POLICIES = ("sabc-live", "orders-rfm", "demo")
WRITTEN = 30_000
"""Payloads for each policy and seed; those of topics that no policy reads, lines of JSON and of CSV make it 100,000."""


def refused_by(read: Callable[[], object]) -> RecordRejected | None:
    """The refusal, None if there was none. Any other error escapes."""
    try:
        read()
    except RecordRejected as refusal:
        return refusal
    return None


def folded_once(folded: Folded, count: int) -> bool:
    """Each record has either a fate or a dead letter."""
    return len(folded.dead) + folded.fates.total() == count


def fold_all(policy: CompiledPolicy, seed: int) -> Counter[Reason]:
    """Batches with ticks between; the last record of each batch is quarantined. The reasons, counted."""
    chance, partition = Random(seed), Partition(PARTITION, PARTITIONS, "any", policy)
    reasons: Counter[Reason] = Counter()
    for offset in range(0, WRITTEN, BATCH):
        batch = raw_batch((*policy.inputs, "ticks"), min(BATCH, WRITTEN - offset), chance, offset)
        last = batch[len(batch) - 1]
        folded = fold_cycle(
            partition, batch, CODEC, mode="LIVE", decided_at_ms=NOON, quarantined=frozenset({(last.topic, last.offset)}),
            tick_ms=last.appended_at_ms,
        )  # fmt: skip
        assert folded_once(folded, len(batch)), f"SEED={seed}"
        reasons.update(letter.reason for letter in folded.dead)
    for account in HERE:
        partition.view(account)
    return reasons


def test_every_payload_is_folded_or_dead_lettered_and_every_reason_appears() -> None:
    for seed in SEEDS:
        reasons: Counter[Reason] = Counter()
        for name in POLICIES:
            reasons += fold_all(shipped(name), seed)
        assert set(reasons) == set(Reason), f"SEED={seed}: {set(Reason) - set(reasons)} did not appear"
        assert WRITTEN * len(POLICIES) / 3 < reasons.total() < WRITTEN * len(POLICIES) * 0.95, f"SEED={seed}"


def test_compiled_code_refuses_what_python_refuses_and_says_the_same_of_the_rest() -> None:
    """The columns and the codec side by side, on the same payloads."""
    for seed in SEEDS:
        both = []
        for forward in (True, False):
            partition = Partition(PARTITION, PARTITIONS, "any", shipped("sabc-live"), forward=forward)
            batch = raw_batch(("interactions", "predictions"), BATCH, Random(seed))
            both.append(fold_cycle(partition, batch, CODEC, mode="LIVE", decided_at_ms=NOON, tick_ms=NOON + BATCH * 1_000))
        one, other = both
        assert (one.dead, one.outputs, dict(one.changes), one.fates) == (other.dead, other.outputs, dict(other.changes), other.fates), (
            f"SEED={seed}"
        )


@pytest.mark.parametrize("topic", INPUTS)
def test_a_topic_that_no_policy_reads_yet_is_decoded_or_refused_too(topic: str) -> None:
    for seed in SEEDS:
        taken = refused = 0
        for raw in raw_batch((topic,), 400, Random(seed)):
            refusal = refused_by(partial(CODEC.decode, topic, raw.payload))
            taken, refused = taken + (refusal is None), refused + (refusal is not None)
            assert refusal is None or 0 < len(str(refusal)) < 500, f"SEED={seed}"
        assert min(taken, refused) > 20, f"SEED={seed}"


def test_every_line_of_json_is_folded_or_refused() -> None:
    for seed in SEEDS:
        chance, replay = Random(seed), FileReplay("any", shipped("sabc-live"))
        events: list[LoggedEvent] = []
        refused = Counter[Reason]()
        for _ in range(5_000):
            read = partial(logged_event, json_line(tuple(INPUTS), chance))
            if (refusal := refused_by(read)) is None:
                events.append(read())
            else:
                assert 0 < len(str(refusal)) < 3_000, f"SEED={seed}"
                refused[refusal.reason] += 1
        assert min(len(events), refused.total()) > 500, f"SEED={seed}"
        said = [said for _, said in replay.fold_all(events)]
        folded, read = replay._tally.fates.total(), sum(replay.reads(event.topic) for event in events)
        assert folded + sum(isinstance(each, Refused) for each in said) == read > 500, f"SEED={seed}"
        assert len(said) > 100, f"SEED={seed}"


def test_every_line_of_an_order_file_is_an_order_or_refused(tmp_path: Path) -> None:
    for seed in SEEDS:
        refused: list[RefusedLine] = []
        path = tmp_path / "orders.csv"
        path.write_bytes(csv_lines(2_000, Random(seed)))
        found = read_orders(path, Reading({}), refused.append)
        assert found.refused == len(refused), f"SEED={seed}"
        assert len(found.orders) > 200, f"SEED={seed}"
        assert found.refused > 200, f"SEED={seed}"


def test_a_file_that_is_no_order_file_is_one_sentence(tmp_path: Path) -> None:
    chance, path = Random(FIRST_SEED), tmp_path / "noise.csv"
    for _ in range(50 * len(SEEDS)):
        path.write_bytes(chance.randbytes(chance.randrange(300)))
        with pytest.raises(SettingsError, match="must have exactly one column"):
            read_orders(path, Reading({}), lambda _: None)
