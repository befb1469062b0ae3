"""Laws of a published transition: identity, cause, times, ledger."""

from typing import Any

import msgspec
import pytest

from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from streams.intake import RawRecord
from tests.builders import DAY, NOON, interaction, prediction, profile
from tests.folding import Folding, judged_by_the_oracle, measured, policy_of, shipped


def test_a_transition_says_where_its_record_lies() -> None:
    f = Folding(policy_of(), number=3)
    f.fold(prediction(score=10.0), prediction(score=85.0, event_id="hot", at=NOON + 7))
    cause = f.published[0].cause
    assert (cause.kind, cause.topic, cause.partition, cause.offset) == ("PREDICTION", "predictions", 3, 1)
    assert (cause.event_id, cause.occurred_at) == ("hot", NOON + 7)


def test_a_late_record_that_moves_a_tier_is_said_to_be_late_and_effective_at_the_accounts_clock() -> None:
    f = Folding(measured({"from": "interactions", "points": {"DOWNLOAD": 60}}))
    f.fold(interaction(kind="CALL", at=NOON + DAY), interaction(kind="DOWNLOAD", at=NOON))
    (late,) = f.published
    assert (late.cause.kind, late.cause.occurred_at, late.effective_at) == ("LATE", NOON, NOON + DAY)


def test_effective_at_never_decreases_along_a_chain() -> None:
    f = Folding(measured({"from": "interactions", "points": {"UP": 60, "DOWN": -60}}))
    f.fold(*(interaction(kind=kind, at=NOON + at) for kind, at in [("UP", 5), ("DOWN", 3), ("UP", 9), ("DOWN", 1)]))
    assert [t.effective_at for t in f.published] == [NOON + 5, NOON + 5, NOON + 9, NOON + 9]


def test_lag_is_from_append_to_decision() -> None:
    f = Folding(policy_of())
    record = prediction(score=90.0)
    step = f.partition.fold(f.placed(record, NOON + 40), record, "BACKFILL", NOON + 100)
    published: Any = step.outputs[0].record
    assert (published.lag_ms, published.decided_at, published.mode) == (60, NOON + 100, "BACKFILL")


def test_the_id_follows_from_the_chain_and_from_the_record_that_created_the_account() -> None:
    def first(**more: Any) -> Any:
        f = Folding(policy_of(), **more)
        f.fold(prediction(score=90.0, event_id="e"))
        return f.published[0]

    assert first().transition_id == first().transition_id
    assert first().generation == "predictions:0:0"
    assert first(number=1).transition_id != first().transition_id


def test_the_ledger_names_what_happened_and_how_often() -> None:
    f = Folding(judged_by_the_oracle("plain"))
    f.fold(profile(industry="finance", size="large", region="core", qualifications=["a", "b", "c", "d"]))
    f.fold(*(interaction(kind="DOWNLOAD") for _ in range(3)), *(interaction(kind="PRICE_INQUIRY") for _ in range(3)))
    transition = f.published[-1]
    lines = {(line.dimension, line.line): (line.micro, line.count) for line in transition.contributions}
    assert lines["behaviour", "DOWNLOAD"] == (4_800_000, 3)
    assert lines["behaviour", "PRICE_INQUIRY"] == (14_400_000, 3)
    assert lines["attributes", "industry"] == (10_800_000, None)
    assert lines["ai", "fallback"] == (15_000_000, None)
    assert sum(line.micro for line in transition.contributions) == transition.score_after_micro


def test_dimensions_are_shown_before_and_after() -> None:
    f = Folding(policy_of())
    f.fold(prediction(score=70.0), prediction(score=30.0, at=NOON + 1))
    assert [[(d.name, d.before_micro, d.after_micro, d.weighted_micro) for d in t.dimensions] for t in f.published] == [
        [("ai", 0, 70_000_000, 70_000_000)],
        [("ai", 70_000_000, 30_000_000, 30_000_000)],
    ]


# -- what may not enter ------------------------------------------------------------------------------------------------


def rejected(f: Folding, raw: RawRecord, record: Any) -> Reason:
    with pytest.raises(RecordRejected) as refusal:
        f.step(raw, record)
    return refusal.value.reason


@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, Reason.MISSING_KEY), (b"\xff\xfe", Reason.FOREIGN_KEY), (b"other", Reason.KEY_MISMATCH), (b"", Reason.KEY_MISMATCH)],
)
def test_a_key_must_be_the_account(key: bytes | None, reason: Reason) -> None:
    f = Folding(policy_of())
    record = prediction(score=90.0)
    assert rejected(f, f.placed(record)._replace(key=key), record) is reason
    assert (len(f.partition), f.keep()) == (0, [])


def test_a_record_may_be_ahead_of_its_append_time_by_so_much_and_no_more() -> None:
    f = Folding(policy_of(max_ahead="5m"))
    record = prediction(score=90.0)
    assert rejected(f, f.placed(record, NOON - 300_001), record) is Reason.TOO_FAR_AHEAD
    f.step(f.placed(record, NOON - 300_000), record)
    assert f.tier() == "A"


def test_a_key_in_the_wrong_partition_is_refused_on_first_sight_and_names_the_setting() -> None:
    f = Folding(policy_of(), partitions=8, number=0)
    record = prediction("acme")
    with pytest.raises(RecordRejected, match="murmur2_random") as refusal:
        f.step(f.placed(record), record)
    assert refusal.value.reason is Reason.WRONG_PARTITION
    assert len(f.partition) == 0


def test_outputs_can_be_written() -> None:
    f = Folding(shipped("demo"))
    f.fold(profile(industry="finance", size="large", region="core", qualifications=["a"]), prediction(score=100.0, at=NOON + 1))
    f.fold(*(interaction(kind="PRICE_INQUIRY", at=NOON + 2) for _ in range(5)))
    assert f.published
    for transition in f.published:
        assert Codec().decode_as(type(transition), Codec().encode(transition)) == transition
        assert msgspec.json.encode(transition)
