"""Records to and from JSON values, for files of JSON lines and for people.

Rules: fields have the names of the record; an instant is ISO 8601 with a zone or epoch milliseconds; money is an integer
in minor units; null and absent are the same; nothing is guessed, and a value is refused with all its problems at once.
In records within a record (outputs only) instants are epoch milliseconds.
"""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from schemas.errors import Reason, RecordRejected
from schemas.instants import from_iso
from schemas.limits import LIMITS, MAX_TEXT_BYTES, Instant, QuickChecks, breaches, quick_checks, shown, shown_of
from schemas.shapes import alternatives, field_types, is_nullable
from schemas.topics import TOPICS

_WORDS: dict[Any, str] = {str: "text", int: "an integer", float: "a number", bool: "true or false"}


class _Plan(NamedTuple):
    """What reading one record's JSON needs to know. `required` and `nullable` share the fields without default."""

    record_type: type[msgspec.Struct]
    names: frozenset[str]
    instants: tuple[str, ...]
    required: tuple[str, ...]
    nullable: tuple[str, ...]
    checks: QuickChecks


def from_json(topic: str, value: Mapping[str, Any], text_bytes: int | None = None) -> msgspec.Struct:
    """The record that a JSON value of a topic (logical name) says. Raises RecordRejected with every problem of the value.

    `text_bytes`: how many bytes of JSON the value was read from, which bounds every string in it; None: it is not known.
    """
    plan = _plan(topic)
    if not isinstance(value, Mapping):
        raise RecordRejected(Reason.UNDECODABLE, f"value must be an object, got {shown(value)}")
    try:
        record = msgspec.convert(_with_instants(plan, value), plan.record_type)
    except (msgspec.ValidationError, ValueError):
        raise _refusal(plan, value) from None
    if not plan.names.issuperset(value) or not _keeps_limits(plan, record, text_bytes):
        raise _refusal(plan, value)
    return record


def _keeps_limits(plan: _Plan, record: msgspec.Struct, text_bytes: int | None) -> bool:
    if text_bytes is not None and text_bytes <= MAX_TEXT_BYTES and all(fits(getattr(record, name)) for name, fits in plan.checks):
        return True
    return not any(breaches(msgspec.structs.asdict(record)))


def to_json(record: msgspec.Struct) -> dict[str, Any]:
    """The record as a JSON value with all its fields; instants are epoch milliseconds."""
    value: dict[str, Any] = msgspec.to_builtins(record)
    return value


@cache
def _plan(topic: str) -> _Plan:
    known = TOPICS.get(topic)
    if known is None or known.record is None:
        names = [held.name for held in TOPICS.values() if held.record is not None]
        near = _nearest(topic, names) or f"; topics are {', '.join(names)}"
        raise RecordRejected(Reason.WRONG_RECORD, f"topic must be one that carries records, got {shown(topic)}{near}")
    fields = msgspec.structs.fields(known.record)
    required = [field for field in fields if field.required]
    return _Plan(
        record_type=known.record,
        names=frozenset(field.name for field in fields),
        instants=tuple(field.name for field in fields if isinstance(LIMITS.get(field.name), Instant)),
        required=tuple(field.name for field in required if not is_nullable(field.type)),
        nullable=tuple(field.name for field in required if is_nullable(field.type)),
        checks=quick_checks(known.record),
    )


def _with_instants(plan: _Plan, value: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with times as epoch milliseconds and nulls only where there is no default. Raises ValueError."""
    read: dict[str, Any] = dict.fromkeys(plan.nullable)
    read.update((name, held) for name, held in value.items() if held is not None)
    for name in plan.instants:
        if isinstance(read.get(name), str):
            read[name] = from_iso(read[name])
    return read


def _refusal(plan: _Plan, value: Mapping[str, Any]) -> RecordRejected:
    """Everything wrong with a value that is known to be wrong: first its shape, then the limits of what has the right shape."""
    found = dict(_shape_problems(plan, value))
    sound = {name: held for name, held in value.items() if name not in found and name in plan.names}
    broken = list(breaches(_with_instants(plan, sound)))
    problems = [*found.values(), *(breach.message for breach in broken)]
    reason = Reason.UNDECODABLE if found else broken[0].reason
    return RecordRejected(reason, f"{plan.record_type.__name__}: {'; '.join(problems)}")


def _shape_problems(plan: _Plan, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields with what is wrong with their presence or type."""
    known = field_types(plan.record_type)
    for name in value:
        if name not in known:
            yield name, f"{shown(name)} is not a field{_nearest(name, list(known))}"
    for name in plan.required:
        if value.get(name) is None:
            yield name, f"{name} is missing"
    for name, held in value.items():
        if name in known and held is not None:
            fault = _type_fault(plan, name, known[name], held)
            if fault:
                yield name, f"{name} {fault}"


def _type_fault(plan: _Plan, name: str, field_type: Any, held: object) -> str | None:
    if name in plan.instants and isinstance(held, str):
        try:
            from_iso(held)
        except ValueError as fault:
            return str(fault)
        return None
    try:
        msgspec.convert(held, field_type)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter of text that is none, compared with symbols
        wanted = "an ISO 8601 time with a zone or epoch milliseconds" if name in plan.instants else _wanted(name, field_type)
        return f"must be {wanted}, got {shown_of(name, held)}"
    return None


def _wanted(name: str, field_type: Any) -> str:
    """The type of a field in words."""
    words = [_word(kind) for kind in alternatives(field_type) if kind is not type(None)]
    unit = " in minor units (12.50 is 1250)" if name.endswith("_minor") else ""
    return " or ".join(words) + unit


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is list:
        return f"a list, each {_wanted('', get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"an object, each value {_wanted('', get_args(kind)[1])}"
    return _WORDS.get(kind, "an object")


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.55)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
