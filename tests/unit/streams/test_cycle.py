"""Laws of a cycle: refused records become dead letters with their coordinates, the fold goes on, a bug stops it."""

import pytest

from schemas.codec import Codec
from schemas.errors import Reason
from schemas.records import AccountTiers, Event
from streams.account import Fate
from streams.batches import RecordBatch
from streams.cycle import Folded, FoldFailed, Quarantine, fold_cycle
from streams.intake import RawRecord
from streams.partition import Partition
from tests.builders import NOON, interaction, prediction
from tests.folding import TOPIC_OF, policy_of

CODEC = Codec()


def raw(record: Event, offset: int = 0, **more: object) -> RawRecord:
    at = RawRecord(TOPIC_OF[type(record)], 0, offset, NOON, record.account_id.encode(), CODEC.encode(record))
    return at._replace(**more)  # type: ignore[arg-type]


def cycle(*records: RawRecord, quarantined: Quarantine = frozenset()) -> tuple[Partition, Folded]:
    partition = Partition(0, None, "test", policy_of())
    return partition, fold_cycle(partition, RecordBatch.of(records), CODEC, mode="LIVE", decided_at_ms=NOON, quarantined=quarantined)


def test_a_refused_record_is_a_dead_letter_and_the_fold_goes_on() -> None:
    good = prediction(score=90.0)
    _, folded = cycle(
        raw(prediction(), 0, payload=b"junk"), raw(interaction(), 1, topic="predictions"), raw(good, 2), raw(prediction(), 3, key=None)
    )
    assert [(dead.offset, dead.reason) for dead in folded.dead] == [
        (0, Reason.UNDECODABLE), (1, Reason.WRONG_RECORD), (3, Reason.MISSING_KEY),
    ]  # fmt: skip
    assert [output.topic for output in folded.outputs] == ["tier-transitions", "account-tiers"]
    assert folded.fates == {("predictions", Fate.FOLDED): 1}


def test_a_dead_letter_holds_the_record_as_it_came_and_where_it_lay() -> None:
    _, folded = cycle(raw(prediction(), 7, key=b"other", appended_at_ms=NOON + 5))
    (dead,) = folded.dead
    assert (dead.topic, dead.partition, dead.offset, dead.appended_at_ms) == ("predictions", 0, 7, NOON + 5)
    assert dead.key == b"other"
    assert dead.payload is not None
    assert "'other' is not the record's account_id 'acme'" in dead.message


def test_only_refused_records_change_nothing() -> None:
    partition, folded = cycle(raw(prediction(), 0, payload=None), raw(prediction(), 1, appended_at_ms=0))
    assert [dead.reason for dead in folded.dead] == [Reason.UNDECODABLE, Reason.TOO_FAR_AHEAD]
    assert (folded.changes, folded.outputs, len(partition)) == ([], [], 0)


def test_a_quarantined_record_is_not_even_read() -> None:
    _, folded = cycle(raw(prediction(score=90.0), 4), raw(prediction(score=10.0), 5), quarantined=frozenset({("predictions", 4)}))
    assert [(dead.offset, dead.reason, dead.schema_id) for dead in folded.dead] == [(4, Reason.QUARANTINED, None)]
    (entry,) = folded.outputs
    assert isinstance(entry.record, AccountTiers)
    assert entry.record.standings[0].score_micro == 10_000_000


class Broken:
    """A decoder with a bug: not a fake of ours, a fault put in on purpose."""

    def decode(self, topic: str, payload: bytes | None) -> Event:  # noqa: ARG002
        raise ZeroDivisionError("bug")


def test_an_error_nobody_expected_stops_the_fold_and_names_the_record() -> None:
    with pytest.raises(FoldFailed, match="predictions:0:3") as failure:
        fold_cycle(
            Partition(0, None, "test", policy_of()), RecordBatch.of([raw(prediction(), 3)]), Broken(), mode="LIVE", decided_at_ms=NOON
        )
    assert (failure.value.topic, failure.value.partition, failure.value.offset) == ("predictions", 0, 3)
    assert isinstance(failure.value.__cause__, ZeroDivisionError)
