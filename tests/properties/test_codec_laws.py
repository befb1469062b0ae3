"""Laws of the codec over every record: what goes in comes out, and nothing but RecordRejected escapes."""

import copy
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue
from schemas.catalogue import Schema, SchemaCatalogue
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from schemas.limits import breaches
from schemas.topics import INPUTS, TOPICS
from tests.mutations import mutant
from tests.strategies import INPUT_RECORDS, any_record, event

CODEC = Codec()
TOPIC_OF = {topic.record: topic.name for topic in TOPICS.values() if topic.record is not None}
STEP = 1_000  # from a schema's id to that of its later version
MUTANTS_OF_ONE = 40
REFUSALS = {Reason.UNDECODABLE, Reason.UNKNOWN_SCHEMA, Reason.WRONG_RECORD, Reason.OUT_OF_RANGE, Reason.NOT_FINITE}


def later_versions() -> list[Schema]:
    """A later version of every record: fields in another order, enums with one symbol more."""
    return [
        Schema(id=schema.id + STEP, record=schema.record, version=schema.version + 1, definition=_turned(schema.definition))
        for schema in catalogue.shipped().all()
    ]


def _turned(definition: Any) -> Any:
    turned = copy.deepcopy(definition)
    turned["fields"].reverse()
    for field in turned["fields"]:
        for branch in field["type"] if isinstance(field["type"], list) else [field["type"]]:
            if isinstance(branch, dict) and branch.get("type") == "enum":
                branch["symbols"].insert(0, "NEVER_HEARD_OF")
    return turned


TODAY = {schema.record: schema.version for schema in catalogue.shipped().all()}
LATER = Codec(SchemaCatalogue([*catalogue.shipped().all(), *later_versions()]))
PROJECTING = Codec(SchemaCatalogue([*catalogue.shipped().all(), *later_versions()], reading=TODAY))


def judged(codec: Codec, record_type: type[msgspec.Struct], payload: bytes | None) -> RecordRejected | None:
    """The refusal of a payload, or None if it was taken; whatever is taken breaks no limit. Any other error escapes."""
    try:
        record = codec.decode_as(record_type, payload)
    except RecordRejected as refusal:
        return refusal
    assert not list(breaches(msgspec.structs.asdict(record)))
    return None


@given(any_record())
def test_a_record_comes_back_as_it_was_written(record: msgspec.Struct) -> None:
    assert CODEC.decode_as(type(record), CODEC.encode(record)) == record


@pytest.mark.parametrize("record_type", INPUT_RECORDS)
@settings(max_examples=30)
@given(st.data())
def test_an_input_comes_back_from_its_topic(record_type: type[msgspec.Struct], data: st.DataObject) -> None:
    record = data.draw(event(record_type))
    assert CODEC.decode(TOPIC_OF[record_type], CODEC.encode(record)) == record


@settings(max_examples=60)
@given(any_record())
def test_a_truncated_payload_is_refused_at_every_length(record: msgspec.Struct) -> None:
    payload = CODEC.encode(record)
    for length in range(len(payload)):
        refusal = judged(CODEC, type(record), payload[:length])
        assert refusal is not None
        assert refusal.reason is Reason.UNDECODABLE
        assert refusal.schema_id == (None if length < 5 else int.from_bytes(payload[1:5], "big"))


@given(any_record(), st.binary(min_size=1, max_size=20))
def test_trailing_bytes_are_refused(record: msgspec.Struct, tail: bytes) -> None:
    with pytest.raises(RecordRejected, match="must end with its last field"):
        CODEC.decode_as(type(record), CODEC.encode(record) + tail)


@settings(max_examples=500)
@given(st.binary(max_size=64))
def test_random_bytes_are_refused_or_legal_and_nothing_else_happens(noise: bytes) -> None:
    for topic in INPUTS.values():
        assert topic.record is not None
        schema_id = catalogue.shipped().followed(topic.record.__name__).id
        for payload in (noise, b"\0" + schema_id.to_bytes(4, "big") + noise):
            refusal = judged(CODEC, topic.record, payload)
            assert refusal is None or refusal.reason in REFUSALS
        judged(PROJECTING, topic.record, b"\0" + (schema_id + STEP).to_bytes(4, "big") + noise)


@settings(max_examples=250)
@given(any_record(), st.integers(0, 2**32))
def test_a_mutated_payload_is_refused_or_legal_and_nothing_else_happens(record: msgspec.Struct, seed: int) -> None:
    """250 records, 40 mutants each of today's payload and of a later version's, read through a projection: 20,000 in all."""
    chance, today, later = random.Random(seed), CODEC.encode(record), LATER.encode(record)
    assert PROJECTING.decode_as(type(record), later) == record
    for _ in range(MUTANTS_OF_ONE):
        for codec, original in ((CODEC, today), (PROJECTING, later)):
            refusal = judged(codec, type(record), mutant(original, chance))
            assert refusal is None or refusal.reason in REFUSALS
            assert refusal is None or len(str(refusal)) < 400
