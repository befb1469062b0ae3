"""Dead letters and CloudEvents: what stands in Kafka headers comes back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import cloud_events, dead_letters
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from schemas.instants import from_iso, to_iso

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
LONGS = st.integers(0, 2**63 - 1)
LETTERS = st.builds(
    DeadLetter,
    topic=TEXTS,
    partition=st.integers(0, 2**31 - 1),
    offset=LONGS,
    appended_at_ms=LONGS,
    schema_id=st.none() | st.integers(0, 2**32 - 1),
    reason=st.sampled_from(Reason),
    message=TEXTS,
    key=st.none() | st.binary(max_size=20),
    payload=st.none() | st.binary(max_size=20),
    headers=st.lists(
        st.tuples(
            TEXTS | st.sampled_from([dead_letters.TOPIC, dead_letters.REASON, dead_letters.RETURN]), st.none() | st.binary(max_size=9)
        ),
        max_size=4,
    ).map(tuple),
)
LETTER = DeadLetter(
    topic="orders", partition=3, offset=41, appended_at_ms=1_700_000_000_000, schema_id=2, reason=Reason.OUT_OF_RANGE,
    message="Order.amount_minor must be at least 0 in minor units, got -1", key=b"acme", payload=b"\0\0\0\0\2...",
)  # fmt: skip


@given(LETTERS)
def test_a_dead_letter_comes_back(letter: DeadLetter) -> None:
    assert dead_letters.from_headers(dead_letters.headers(letter, "sabc"), letter.key, letter.payload) == letter


def test_the_headers_are_those_of_kafka_connect_and_ours() -> None:
    assert dict(dead_letters.headers(LETTER, "sabc")) == {
        "__connect.errors.topic": b"orders",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"41",
        "__connect.errors.connector.name": b"sabc",
        "__connect.errors.task.id": b"3",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.class.name": b"tierstream",
        "__connect.errors.exception.class.name": b"RecordRejected",
        "__connect.errors.exception.message": b"Order.amount_minor must be at least 0 in minor units, got -1",
        "tierstream.reason": b"OUT_OF_RANGE",
        "tierstream.schema_id": b"2",
        "tierstream.appended_at": b"1700000000000",
        "ce_specversion": b"1.0",
        "ce_type": b"tierstream.dead-letter.v1",
        "ce_source": b"/tierstream/sabc",
        "ce_id": b"orders/3/41",
        "ce_subject": b"acme",
        "ce_time": b"2023-11-14T22:13:20.000Z",
    }


def test_a_refusal_is_an_event_though_the_record_was_one_itself_and_its_key_cannot_be_read() -> None:
    own = (("ce_id", b"theirs"), ("ce_subject", b"theirs"), ("content-type", b"application/json"))
    written = dead_letters.headers(msgspec.structs.replace(LETTER, headers=own, appended_at_ms=2**62), "sabc")
    attributes = cloud_events.attributes([(name, text) for name, text in written if text is not None])
    assert (attributes["id"], attributes["subject"], "time" in attributes) == ("orders/3/41", "acme", False)
    assert dict(written)["content-type"] == b"application/json"
    illegible = dict(dead_letters.headers(msgspec.structs.replace(LETTER, key=b"\xff"), "sabc"))
    assert "ce_subject" not in illegible


def test_the_records_own_headers_stay_as_they_were_even_those_named_like_ours() -> None:
    own = (("trace", b"\xff"), ("nothing", None), (dead_letters.TOPIC, b"of a queue before ours"), ("trace", b"again"))
    letter = msgspec.structs.replace(LETTER, headers=own)
    written = dead_letters.headers(letter, "sabc")
    assert tuple(written[: len(own)]) == own
    assert dead_letters.from_headers(written, LETTER.key, LETTER.payload) == letter
    assert dead_letters.headers_to_return(letter, "1:7") == [*own, ("tierstream.return_of", b"1:7")]


def test_a_record_put_back_twice_names_the_last_letter_only() -> None:
    returned = msgspec.structs.replace(LETTER, headers=tuple(dead_letters.headers_to_return(LETTER, "1:7")))
    assert (LETTER.return_of, returned.return_of) == (None, "1:7")
    assert dead_letters.headers_to_return(returned, "1:9") == [("tierstream.return_of", b"1:9")]


def test_missing_headers_are_named() -> None:
    ours = dead_letters.headers(LETTER, "sabc")
    lacking = [(name, text) for name, text in ours if name != dead_letters.REASON]
    with pytest.raises(ValueError, match=r"lacks the header tierstream\.reason"):
        dead_letters.from_headers(lacking, None, None)


def test_the_attributes_of_a_cloud_event_come_back() -> None:
    headers = cloud_events.headers("tierstream.tier_transition", "/tierstream/sabc", "id-1", "户", 1_704_888_000_123)
    assert dict(headers)["content-type"] == b"application/avro"
    assert cloud_events.attributes([*headers, ("other", b"\xff")]) == {
        "specversion": "1.0",
        "type": "tierstream.tier_transition",
        "source": "/tierstream/sabc",
        "id": "id-1",
        "subject": "户",
        "time": "2024-01-10T12:00:00.123Z",
    }


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_an_instant_comes_back_to_the_millisecond(at_ms: int) -> None:
    assert from_iso(to_iso(at_ms)) == at_ms


@given(TEXTS | st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](Z|[+-][0-2][0-9]:[0-5][0-9])?)?\Z"))
def test_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        at_ms = from_iso(text)
    except ValueError as fault:
        told = str(fault)
    else:
        told = f"must be an integer, got {at_ms}"
    assert told.startswith("must ")
