"""One line of a file of JSON lines: {"topic", "value"} and, in an export, where the record lay: partition, offset, appended_at.

Everything wrong with a line is one `RecordRejected` whose message lists it all; nothing is guessed.
"""

from typing import Any

import msgspec

from schemas.errors import Reason, RecordRejected
from schemas.instants import from_iso
from schemas.json_values import from_json
from schemas.records import Event, PolicyActivated, Tick
from schemas.topics import INPUTS
from streams.intake import RawRecord
from streams.replay import LoggedEvent

_FIELDS = frozenset({"topic", "value", "partition", "offset", "appended_at"})
_INPUT = (Event, PolicyActivated, Tick)
_decoder = msgspec.json.Decoder()


def logged_event(line: bytes) -> LoggedEvent:
    """The record of an input topic that a line says, with its place where the line gives one. Raises RecordRejected."""
    try:
        said = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordRejected(Reason.UNDECODABLE, f"line must be one JSON object: {error}") from error
    if not isinstance(said, dict):
        raise RecordRejected(Reason.UNDECODABLE, f"line must be a JSON object, got {type(said).__name__}")
    problems = [f"unknown key {name!r}" for name in said if name not in _FIELDS]
    topic: Any = said.get("topic")
    if not isinstance(topic, str) or topic not in INPUTS:
        problems.append(f"topic must be one of {', '.join(INPUTS)}, got {topic!r}")
    if problems:
        raise RecordRejected(Reason.WRONG_RECORD, "; ".join(problems))
    record = from_json(topic, said.get("value", {}), len(line))
    assert isinstance(record, _INPUT), "input topics carry nothing else"
    return LoggedEvent(topic, record, **_place(said))


def _place(said: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = {}
    for name in ("partition", "offset"):
        if name in said:
            if type(said[name]) is not int or said[name] < 0:
                raise RecordRejected(Reason.OUT_OF_RANGE, f"{name} must be an integer from 0, got {said[name]!r}")
            place[name] = said[name]
    if "appended_at" in said:
        appended_at = said["appended_at"]
        try:
            place["appended_at_ms"] = from_iso(appended_at) if isinstance(appended_at, str) else int(appended_at)
        except (TypeError, ValueError) as error:
            problem = f"appended_at must be ISO 8601 with a zone or epoch ms, got {appended_at!r}"
            raise RecordRejected(Reason.OUT_OF_RANGE, problem) from error
    return place


def line_of(topic: str, record: msgspec.Struct | None) -> str:
    """The line that says a record, without its line feed; null: the topic forgets its key."""
    return _written({"topic": topic, "value": record})


def said_line_of(topic: str, key: bytes, record: msgspec.Struct | None) -> str:
    """The line that says an output; one without a record deletes its key."""
    return line_of(topic, record) if record is not None else _written({"topic": topic, "key": key.decode(), "value": None})


def placed_line_of(raw: RawRecord, record: msgspec.Struct) -> str:
    """The same with the place at which the record lies."""
    place = {"partition": raw.partition, "offset": raw.offset, "appended_at": raw.appended_at_ms}
    return _written({"topic": raw.topic, "value": record} | place)


def made_tick_line_of(partition: int, tick: msgspec.Struct) -> str:
    """A tick that a lane made itself: it lies nowhere but in `fold-order`."""
    return _written({"topic": "ticks", "value": tick, "partition": partition})


def _written(line: dict[str, Any]) -> str:
    return msgspec.json.encode(line).decode()
