"""Laws of replay: the same fold in memory, from a file's lines or from the live log by its fold order."""

from typing import Any

from schemas.codec import Codec
from schemas.records import FoldedRange, FoldOrder, QuarantinedRecord, TierTransition
from streams.batches import Chunk, RecordBatch
from streams.cycle import fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from streams.replay import FileReplay, LoggedEvent, Refused, refolded
from tests.builders import NOON, order, prediction, risk, tick
from tests.folding import policy_of, shipped

CODEC = Codec()


def transitions(replay: FileReplay, event: LoggedEvent) -> list[TierTransition]:
    """The transitions that one line makes."""
    outputs = replay.fold(event)
    assert not isinstance(outputs, Refused)
    return [output.record for output in outputs if isinstance(output.record, TierTransition)]


def test_what_a_line_does_not_say_is_filled() -> None:
    replay = FileReplay("test", policy_of())
    assert transitions(replay, LoggedEvent("predictions", prediction(score=10.0))) == []
    (record,) = transitions(replay, LoggedEvent("predictions", prediction(score=90.0, at=NOON + 5)))
    assert (record.cause.partition, record.cause.offset, record.decided_at, record.lag_ms, record.mode) == (0, 1, NOON + 5, 0, "LIVE")


def test_what_a_line_says_of_its_place_stands_and_counting_goes_on_from_there() -> None:
    replay = FileReplay("test", policy_of(), "BACKFILL")
    replay.fold(LoggedEvent("predictions", prediction(score=10.0), 3, 41, NOON + 9))
    (record,) = transitions(replay, LoggedEvent("predictions", prediction(score=90.0, at=NOON + 1), 3, None, NOON + 9))
    assert (record.cause.offset, record.generation, record.decided_at, record.mode) == (42, "predictions:3:41", NOON + 9, "BACKFILL")


def test_topics_that_the_policy_does_not_read_give_nothing() -> None:
    replay = FileReplay("test", policy_of())
    assert replay.fold(LoggedEvent("orders", order())) == []
    assert replay.fold(LoggedEvent("ticks", tick())) == []
    assert replay.partition(0).account_ids() == []


def test_a_record_that_a_worker_would_refuse_is_refused_and_changes_nothing() -> None:
    replay = FileReplay("test", policy_of())
    refused = replay.fold(LoggedEvent("predictions", prediction(), appended_at_ms=0))
    assert isinstance(refused, Refused)
    assert "ahead of the append time" in str(refused.rejection)
    assert replay.partition(0).account_ids() == []


def test_partitions_of_a_file_have_accounts_of_their_own() -> None:
    replay = FileReplay("test", policy_of())
    for partition in (0, 1):
        replay.fold(LoggedEvent("predictions", prediction(score=90.0), partition))
    assert replay.partition(0).account_ids() == replay.partition(1).account_ids() == ["acme"]


def test_the_live_log_refolded_by_its_fold_order_gives_what_was_published() -> None:
    policy = shipped("sabc")
    records: dict[str, list[Any]] = {
        "predictions": [prediction(score=100.0, at=NOON + n) for n in range(3)],
        "risks": [risk(at=NOON), risk(status="WITHDRAWN", at=NOON + 1)],
    }
    placed = {
        topic: [RawRecord(topic, 0, n, NOON + 10 * n, b"acme", CODEC.encode(record)) for n, record in enumerate(logged)]
        for topic, logged in records.items()
    }
    quarantined = QuarantinedRecord(topic="predictions", offset=2)

    def ordered(first: int, last: int, **more: list[QuarantinedRecord]) -> tuple[FoldOrder, dict[str, Chunk]]:
        parts = {topic: Chunk.of(logged[first:last]) for topic, logged in placed.items()}
        ranges = [FoldedRange(topic=topic, from_offset=first, to_offset=last) for topic in parts]
        return FoldOrder(partition=0, ranges=ranges, tick=None, mode="LIVE", policy_digest=policy.digest, **more), parts

    log = [ordered(0, 1), ordered(1, 2), ordered(2, 3, quarantined=[quarantined])]
    again = list(refolded(Partition(0, None, "test", policy), log, CODEC))
    partition = Partition(0, None, "test", policy)
    in_order = [raw for n in range(3) for topic in ("risks", "predictions") for raw in placed[topic][n : n + 1]]
    live = fold_cycle(partition, RecordBatch.of(in_order), CODEC, mode="LIVE", decided_at_ms=0, quarantined=frozenset({("predictions", 2)}))
    assert [output for outputs in again for output in outputs] == live.outputs
