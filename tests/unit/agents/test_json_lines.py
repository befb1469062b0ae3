"""A line is one record, or one refusal that names everything wrong with it."""

import json

import pytest

from agents.json_lines import line_of, logged_event
from schemas.errors import Reason, RecordRejected
from tests.builders import NOON, interaction, tick

GOOD = {"topic": "interactions", "value": {"event_id": "e", "account_id": "acme", "occurred_at": "2024-01-10T12:00:00Z", "kind": "VISIT"}}


def line(**changed: object) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


def test_a_written_line_is_read_back() -> None:
    record = interaction(dwell_seconds=1.5)
    event = logged_event(line_of("interactions", record).encode())
    assert (event.topic, event.record, event.offset, event.appended_at_ms) == ("interactions", record, None, None)


def test_times_are_iso_or_milliseconds() -> None:
    assert logged_event(line()).record.occurred_at == NOON
    assert logged_event(line(value={**GOOD["value"], "occurred_at": NOON})).record.occurred_at == NOON  # type: ignore[dict-item]


def test_an_exported_line_says_where_it_lay() -> None:
    event = logged_event(line(partition=3, offset=7, appended_at="2024-01-10T12:00:01Z"))
    assert (event.partition, event.offset, event.appended_at_ms) == (3, 7, NOON + 1_000)


def test_a_tick_is_a_line_too() -> None:
    assert logged_event(line_of("ticks", tick()).encode()).record == tick()


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        (b"{", Reason.UNDECODABLE, "one JSON object"),
        (b"[]", Reason.UNDECODABLE, "list"),
        (b"\xff", Reason.UNDECODABLE, "one JSON object"),
        (line(topic="visits"), Reason.WRONG_RECORD, "'visits'"),
        (line(topic=["interactions"]), Reason.WRONG_RECORD, "topic must be one of"),
        (line(topic="tier-transitions"), Reason.WRONG_RECORD, "topic must be one of"),
        (line(extra=1), Reason.WRONG_RECORD, "'extra'"),
        (line(value=3), Reason.UNDECODABLE, "value must be an object"),
        (line(partition=-1), Reason.OUT_OF_RANGE, "partition"),
        (line(offset="7"), Reason.OUT_OF_RANGE, "offset"),
        (line(appended_at="yesterday"), Reason.OUT_OF_RANGE, "appended_at"),
        (line(appended_at="2024-01-10T12:00:00"), Reason.OUT_OF_RANGE, "appended_at"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_with_its_reason(text: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(RecordRejected) as refused:
        logged_event(text)
    assert refused.value.reason is reason
    assert words in str(refused.value)


def test_all_that_is_wrong_with_a_value_is_said_at_once() -> None:
    with pytest.raises(RecordRejected) as refused:
        logged_event(line(value={"event_id": "e", "occurred_at": "x", "colour": 1}))
    assert [word for word in ("account_id", "kind", "occurred_at", "colour") if word not in str(refused.value)] == []


@pytest.mark.parametrize(
    ("field", "kept", "broken"),
    [
        ("event_id", "e", ""),
        ("event_id", "e" * 65_536, "e" * 65_537),
        ("account_id", "a" * 255, "a" * 256),
        ("account_id", "张" * 85, "张" * 86),
        ("account_id", "a", "a\0b"),
        ("contact_id", "", "c" * 65_537),
        ("dwell_seconds", 0, -1),
        ("occurred_at", 0, -1),
    ],
)
def test_the_limits_of_a_field_hold_in_a_line_of_any_length(field: str, kept: object, broken: object) -> None:
    for more in ({}, {"kind": "k" * 60_000}):
        value = GOOD["value"] | more  # type: ignore[operator]
        assert getattr(logged_event(line(value=value | {field: kept})).record, field) == kept
        with pytest.raises(RecordRejected, match=field):
            logged_event(line(value=value | {field: broken}))
