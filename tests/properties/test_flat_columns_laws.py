"""Fields read as columns against the codec: what is told is what the codec takes, and nothing is told of what it refuses."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue, records
from schemas.codec import Codec
from schemas.errors import RecordRejected
from schemas.flat_columns import FlatReader
from schemas.pieces import Pieces
from tests.mutations import mutant
from tests.properties.test_codec_laws import CODEC, LATER, PROJECTING, later_versions
from tests.strategies import event

ASKED: dict[Any, tuple[str, ...]] = {
    records.Order: ("account_id", "order_id", "status", "occurred_at", "amount_minor", "currency", "campaign_id"),
    records.Interaction: ("account_id", "occurred_at", "event_id", "kind", "actor", "channel", "campaign_id"),
    records.Prediction: ("model", "score", "account_id"),
}
SHIPPED = catalogue.shipped()
PROJECTED = catalogue.SchemaCatalogue([*SHIPPED.all(), *later_versions()], reading={each.record: each.version for each in SHIPPED.all()})
BOTH = ((SHIPPED, CODEC, CODEC), (PROJECTED, PROJECTING, LATER))
"""Catalogue, who reads and who writes: today's records, and those of a later writer."""
some_records = st.sampled_from(sorted(ASKED, key=str)).flatmap(lambda kind: st.lists(event(kind), min_size=1, max_size=8))


def fields(record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in ASKED[type(record)])


def taken(codec: Codec, kind: Any, payload: bytes | None) -> tuple[Any, ...] | None:
    try:
        return fields(codec.decode_as(kind, payload))
    except RecordRejected:
        return None


def told(shipped: catalogue.SchemaCatalogue, kind: Any, payloads: Sequence[bytes | None]) -> list[tuple[Any, ...] | None]:
    return FlatReader(shipped, kind.__name__, ASKED[kind]).read(Pieces.of(payloads))


def is_wide(record: Any) -> bool:
    """Whether it has a whole number of more than 63 bits, which is left to the codec."""
    return any(isinstance(number, int) and not -(2**62) <= number < 2**62 for number in msgspec.structs.astuple(record))


@given(some_records)
def test_whatever_the_codec_writes_is_told(written: list[Any]) -> None:
    for shipped, _, writer in BOTH:
        said = told(shipped, type(written[0]), [writer.encode(record) for record in written])
        assert said == [None if is_wide(record) else fields(record) for record in written]


@settings(max_examples=60)
@given(some_records, st.integers(0, 2**32))
def test_what_is_told_of_a_mutated_payload_is_what_the_codec_takes(written: list[Any], seed: int) -> None:
    chance, kind = random.Random(seed), type(written[0])
    for shipped, reader, writer in BOTH:
        spoilt = [None, b"", *(mutant(writer.encode(chance.choice(written)), chance) for _ in range(60))]
        for payload, said in zip(spoilt, told(shipped, kind, spoilt), strict=True):
            assert said is None or said == taken(reader, kind, payload), payload


def test_a_sound_record_between_spoilt_ones_stands_in_its_place() -> None:
    record = records.Prediction(event_id="e", account_id="acme", occurred_at=1, model="conversion", score=7.5)
    assert told(SHIPPED, records.Prediction, [b"\0", CODEC.encode(record), None]) == [None, ("conversion", 7.5, "acme"), None]


def test_a_field_that_no_such_record_has_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        FlatReader(SHIPPED, "Order", ("colour",))
