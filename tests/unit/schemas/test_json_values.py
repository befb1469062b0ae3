"""JSON values: read strictly, with all their problems told at once."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Reason, RecordRejected
from schemas.json_values import from_json, to_json
from schemas.topics import TOPICS
from tests import builders as make
from tests.strategies import any_record

TOPIC_OF = {topic.record: topic.name for topic in TOPICS.values() if topic.record is not None}
VISIT: dict[str, Any] = {"event_id": "e-1", "account_id": "acme", "occurred_at": "2024-01-10T12:00:00Z", "kind": "VISIT"}


def refused(topic: str, value: Any) -> RecordRejected:
    with pytest.raises(RecordRejected) as refusal:
        from_json(topic, value)
    return refusal.value


@settings(max_examples=300)
@given(any_record())
def test_a_record_comes_back_through_json(record: msgspec.Struct) -> None:
    assert from_json(TOPIC_OF[type(record)], json.loads(json.dumps(to_json(record)))) == record


@pytest.mark.parametrize(
    "time", ["2024-01-10T12:00:00Z", "2024-01-10T20:00:00+08:00", "2024-01-10T12:00:00.0009Z", "2024-01-10 12:00+00:00", make.NOON]
)
def test_a_time_is_iso_8601_with_a_zone_or_epoch_milliseconds(time: str | int) -> None:
    assert from_json("interactions", {**VISIT, "occurred_at": time}) == make.interaction(event_id="e-1")


def test_text_that_is_no_unicode_is_refused_wherever_it_stands() -> None:
    for field in ("kind", "actor", "event_id", "occurred_at"):
        assert field in str(refused("interactions", {**VISIT, field: "\udcff"}))


def test_a_naive_time_is_refused_with_the_fix() -> None:
    message = str(refused("interactions", {**VISIT, "occurred_at": "2024-01-10T12:00:00"}))
    assert "occurred_at must say its time zone" in message
    assert "append Z for UTC, or an offset such as +08:00" in message


def test_null_and_absent_are_the_same() -> None:
    nulls = dict.fromkeys(("actor", "contact_id", "dwell_seconds", "asset", "channel", "campaign_id"))
    assert from_json("interactions", {**VISIT, **nulls}) == from_json("interactions", VISIT)
    whole = to_json(make.transition(from_tier=None))
    assert from_json("tier-transitions", {name: held for name, held in whole.items() if held is not None}) == make.transition(
        from_tier=None
    )


def test_an_unknown_field_is_refused_with_what_may_be_meant() -> None:
    message = str(refused("interactions", {**VISIT, "dwel_second": 3, "zzz": 1}))
    assert "'dwel_second' is not a field (did you mean dwell_seconds?)" in message
    assert "'zzz' is not a field;" in message + ";"


def test_money_is_an_integer_in_minor_units() -> None:
    order = {**to_json(make.order()), "amount_minor": 12.5}
    assert "amount_minor must be an integer in minor units (12.50 is 1250), got 12.5" in str(refused("orders", order))


def test_all_problems_of_a_value_are_told_at_once() -> None:
    wrong = {"account_id": "", "occurred_at": "soon", "kind": 3, "actor": "BOSS", "dwell_seconds": -1, "extra": None}
    refusal = refused("interactions", wrong)
    assert refusal.reason is Reason.UNDECODABLE
    assert str(refusal) == (
        "Interaction: 'extra' is not a field; event_id is missing; "
        "occurred_at must be a time in ISO 8601 with a zone, or epoch milliseconds, got 'soon'; kind must be text, got 3; "
        "actor must be one of CUSTOMER, OWNER, SYSTEM, got 'BOSS'; account_id must not be empty, got ''; "
        "dwell_seconds must be at least 0 seconds, got -1"
    )


@pytest.mark.parametrize(
    ("topic", "changed", "reason"),
    [
        ("interactions", {"dwell_seconds": float("nan")}, Reason.NOT_FINITE),
        ("interactions", {"dwell_seconds": True}, Reason.UNDECODABLE),
        ("interactions", {"occurred_at": 1.5}, Reason.UNDECODABLE),
        ("interactions", {"occurred_at": 10**30}, Reason.OUT_OF_RANGE),
        ("interactions", {"asset": "\ud800"}, Reason.OUT_OF_RANGE),
        ("interactions", {"account_id": "a\0"}, Reason.OUT_OF_RANGE),
        ("interactions", {"kind": ["VISIT"]}, Reason.UNDECODABLE),
    ],
)
def test_a_value_that_the_codec_would_refuse_is_refused_here(topic: str, changed: dict[str, Any], reason: Reason) -> None:
    assert refused(topic, {**VISIT, **changed}).reason is reason


def test_the_types_of_custom_fields_are_named() -> None:
    message = str(refused("profiles", {**to_json(make.profile()), "custom": {"fit": [1]}}))
    assert "custom must be an object, each value true or false or a number or text, got a value that is not shown" in message


@pytest.mark.parametrize("topic", ["intractions", "dead-letters", "", "t3-interactions"])
def test_a_topic_without_records_is_refused(topic: str) -> None:
    refusal = refused(topic, VISIT)
    assert refusal.reason is Reason.WRONG_RECORD
    assert "topic must be one that carries records" in str(refusal)


@pytest.mark.parametrize("value", [[], "x", 3, None])
def test_a_value_that_is_not_an_object_is_refused(value: object) -> None:
    assert "value must be an object" in str(refused("ticks", value))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5
)


@settings(max_examples=500)
@given(st.data())
def test_any_json_becomes_a_legal_record_or_a_refusal(data: st.DataObject) -> None:
    record = data.draw(any_record())
    value = to_json(record)
    for name in data.draw(st.sets(st.sampled_from([*sorted(value), "other"]), max_size=4)):
        value[name] = data.draw(VALUES)
    topic = TOPIC_OF[type(record)]
    try:
        read = from_json(topic, value)
    except RecordRejected as refusal:
        told = str(refusal)
        assert type(record).__name__ in told
    else:
        assert from_json(topic, to_json(read)) == read
