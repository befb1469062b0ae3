"""Interactions as columns: which payloads are fit, what stands in the columns, and which writers have a program."""

import copy
import struct
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import msgspec
import numpy as np
import pytest

from schemas import catalogue
from schemas.catalogue import Schema, SchemaCatalogue
from schemas.codec import Codec
from schemas.interaction_columns import InteractionDecoder
from tests import builders as make
from tests.columns import columns_of, expected, rows, taken

CODEC, DECODER = Codec(), InteractionDecoder(catalogue.shipped())
FIRST = catalogue.shipped().followed("Interaction")
FRAME = b"\0" + FIRST.id.to_bytes(4, "big")
START = b"\2e\2a\2k\x80\xa0\xb3\xe9\xc3\x5e"  # event, account, kind, an instant


def test_columns_say_what_was_written() -> None:
    record = make.interaction("acme", "CALL", event_id="e-1", actor="OWNER", contact_id="lin", dwell_seconds=1.5, asset="demo")
    buffer, columns = columns_of(DECODER, [None, CODEC.encode(record)])
    assert columns.fit.tolist() == [0, 1]
    assert (columns.event_begin[1], columns.event_size[1]) == (buffer.index(b"e-1"), 3)
    assert (columns.account_begin[1], columns.account_size[1]) == (buffer.index(b"acme"), 4)
    assert (columns.kind_begin[1], columns.kind_size[1]) == (buffer.index(b"CALL"), 4)
    assert (columns.contact_begin[1], columns.contact_size[1]) == (buffer.index(b"lin"), 3)
    assert (columns.occurred_at_ms[1], columns.actor[1], columns.dwell_seconds[1]) == (make.NOON, 1, 1.5)


def test_the_types_of_the_columns_are_these() -> None:
    _, columns = columns_of(DECODER, [CODEC.encode(make.interaction())])
    u1, i4, i8, f8 = np.uint8, np.int32, np.int64, np.float64
    assert [column.dtype for column in columns] == [u1, i8, i4, i8, i4, i8, i4, i8, u1, i8, i4, i8, i4, f8]
    assert all(column.flags.c_contiguous and len(column) == 1 for column in columns)


def test_what_is_unknown_is_minus_one_and_zero() -> None:
    _, columns = columns_of(DECODER, [CODEC.encode(make.interaction())])
    assert (columns.fit[0], columns.contact_size[0], columns.dwell_seconds[0]) == (1, -1, 0.0)
    assert columns_of(DECODER, [CODEC.encode(make.interaction(contact_id=""))])[1].contact_size[0] == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"contact_id": "联系人-王", "asset": "白皮书", "channel": "企业微信", "campaign_id": "双十一"},
        {"account_id": "户" * 85},
        {"account_id": "a" * 255, "asset": "a" * 65_536, "channel": "", "campaign_id": "\0"},
        {"dwell_seconds": sys.float_info.max, "at": 7_258_118_399_999},
        {"dwell_seconds": 0.0, "at": 0},
        {"dwell_seconds": -0.0},
        {"dwell_seconds": 5e-324},
        {"event_id": "\0", "kind": "\U0010ffff"},
    ],
)
def test_what_is_legal_is_fit(fields: dict[str, Any]) -> None:
    record = make.interaction(**fields)
    assert rows(DECODER, [CODEC.encode(record)]) == [expected(record)]


@pytest.mark.parametrize(
    "fields",
    [
        {"event_id": ""},
        {"account_id": ""},
        {"account_id": "a\0b"},
        {"account_id": "a" * 256},
        {"account_id": "户" * 86},
        {"kind": ""},
        {"occurred_at": -1},
        {"occurred_at": 7_258_118_400_000},
        {"occurred_at": 2**63 - 1},
        {"dwell_seconds": -5e-324},
        {"dwell_seconds": float("nan")},
        {"dwell_seconds": float("inf")},
        {"contact_id": "a" * 65_537},
        {"asset": "a" * 65_537},
    ],
)
def test_what_is_beyond_a_limit_is_unfit(fields: dict[str, Any]) -> None:
    payload = CODEC.encode(msgspec.structs.replace(make.interaction(), **fields))
    assert taken(CODEC, payload) is None
    assert rows(DECODER, [payload]) == [None]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0",
        FRAME,
        b"\1" + FRAME[1:] + START + b"\0\0\0\0\0\0",
        b"\0" + (999).to_bytes(4, "big") + START + b"\0\0\0\0\0\0",
        CODEC.encode(make.order()),
        CODEC.encode(make.interaction()) + b"\0",
        CODEC.encode(make.interaction())[:-1],
        FRAME + b"\xff" * 1_000,
        FRAME + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7fabc",
        FRAME + b"\5abc",
        FRAME + START + b"\6" + b"\0" * 5,
        FRAME + START + b"\0\4" + b"\0" * 4,
        FRAME + START + b"\0\2\2\xff" + b"\0" * 4,
        FRAME + START + b"\0\0\2" + struct.pack("<d", 1.0)[:-1],
    ],
)
def test_what_is_broken_is_unfit(payload: bytes) -> None:
    assert taken(CODEC, payload) is None
    assert rows(DECODER, [payload]) == [None]


@pytest.mark.parametrize(
    "payload",
    [
        FRAME + START + b"\1" + b"\0" * 5,
        FRAME + START + b"\0\1" + b"\0" * 4,
        FRAME + b"\x82\x80\x80\x80\x80\x80\x80\x80\x80\0e" + START[2:] + b"\0" * 6,
    ],
    ids=["an actor counted from the end", "a branch counted from the end", "a length of ten bytes"],
)
def test_what_only_fastavro_takes_is_left_to_it(payload: bytes) -> None:
    assert rows(DECODER, [payload]) == [None]


def test_the_payload_before_says_nothing_of_the_next() -> None:
    full = CODEC.encode(make.interaction(contact_id="c", dwell_seconds=2.0, actor="SYSTEM"))
    plain = make.interaction()
    assert rows(DECODER, [full, full[:-1], CODEC.encode(plain), None, full])[2] == expected(plain)


def test_places_outside_the_buffer_are_unfit() -> None:
    payload = CODEC.encode(make.interaction())
    buffer = np.frombuffer(payload, np.uint8)
    for begin, end in ([-9, len(payload)], [0, len(payload) + 1], [9, 0], [2**62, 2**62 + 99], [-(2**63), 2**63 - 1]):
        assert DECODER.decode(buffer, np.array([begin]), np.array([end])).fit.tolist() == [0]


def test_nothing_in_nothing_out() -> None:
    assert all(len(column) == 0 for column in columns_of(DECODER, [])[1])


REFUSED_BY_BOTH = {"another name", "without a kind"}


# Other writers. Each changes the first schema and says whether its records, written plainly, are fit.


def other(change: Callable[[dict[str, Any]], object], *, newer: bool = True) -> SchemaCatalogue:
    """A catalogue of today's schema and of a changed one; the reader follows today's unless `newer` is False."""
    definition = copy.deepcopy(dict(FIRST.definition))
    change(definition)
    second = Schema(id=1_001, record="Interaction", version=2, definition=definition)
    return SchemaCatalogue([FIRST, second], reading={"Interaction": 1 if newer else 2})


def field(definition: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in definition["fields"] if each["name"] == name)
    return found


def without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda definition: definition.update(fields=[each for each in definition["fields"] if each["name"] not in names])


def added(kind: Any, default: Any) -> Callable[[dict[str, Any]], object]:
    return lambda definition: definition["fields"].insert(1, {"name": "more", "type": kind, "default": default})


def typed(name: str, kind: Any) -> Callable[[dict[str, Any]], object]:
    return lambda definition: field(definition, name).update(type=kind)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], bool]] = {
    "another order": (lambda definition: definition["fields"].reverse(), True),
    "fields that were never written": (without("asset", "channel", "actor", "contact_id", "dwell_seconds"), True),
    "an actor that nobody knows": (lambda each: field(each, "actor")["type"]["symbols"].insert(0, "PARTNER"), True),
    "null comes last": (typed("contact_id", ["string", "null"]), True),
    "always a contact": (lambda each: field(each, "contact_id").update(type="string", default="lin"), True),
    "never a contact": (typed("contact_id", "null"), True),
    "an actor, perhaps": (lambda each: typed("actor", ["null", field(each, "actor")["type"]])(each), True),
    "a text more": (added("string", "户"), True),
    "a choice more": (added(["null", "long", "boolean", "double", "string"], None), True),
    "a number more": (added("double", 1.5), True),
    "bytes more": (added("bytes", "x"), False),
    "a list more": (added({"type": "array", "items": "string"}, []), False),
    "a narrower instant": (typed("occurred_at", "int"), False),
    "a narrower dwell": (typed("dwell_seconds", ["null", "float"]), True),  # of those without a dwell
    "another name": (lambda definition: definition.update(name="Deed"), False),
    "without a kind": (without("kind"), False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_writers_records_are_fit_or_left_to_fastavro(name: str) -> None:
    change, is_fit = CHANGES[name]
    schemas = other(change)
    definition = fastavro.parse_schema(copy.deepcopy(dict(schemas.all()[1].definition)))
    body = BytesIO()
    fields = {"event_id": "e", "account_id": "户", "kind": "VISIT", "occurred_at": 9}
    fastavro.schemaless_writer(body, definition, fields | ({"more": b"x"} if name == "bytes more" else {}))
    wire = b"\0" + (1_001).to_bytes(4, "big") + body.getvalue()
    assert rows(InteractionDecoder(schemas), [wire]) == [taken(Codec(schemas), wire) if is_fit else None]
    if name not in REFUSED_BY_BOTH:
        assert taken(Codec(schemas), wire) is not None


@pytest.mark.parametrize("name", ["asset", "contact_id", "actor", "dwell_seconds"])
def test_a_reader_that_knows_other_names_is_left_to_fastavro(name: str) -> None:
    schemas = other(lambda definition: field(definition, name).update(aliases=["once"]), newer=False)
    assert rows(InteractionDecoder(schemas), [CODEC.encode(make.interaction())]) == [None]


def test_a_default_that_columns_cannot_hold_is_left_to_fastavro() -> None:
    def swap(definition: dict[str, Any]) -> None:
        definition["fields"] = [each for each in definition["fields"] if each["name"] != "actor"]

    lacking = other(swap).all()[1]
    owner = copy.deepcopy(dict(FIRST.definition))
    field(owner, "actor")["default"] = "OWNER"
    schemas = SchemaCatalogue([lacking, Schema(id=FIRST.id, record="Interaction", version=1, definition=owner)], reading={"Interaction": 1})
    wire = b"\0" + (1_001).to_bytes(4, "big") + START + b"\0" * 5
    assert rows(InteractionDecoder(schemas), [wire]) == [None]
    assert taken(Codec(schemas), wire) is not None


def test_a_catalogue_without_interactions_reads_none() -> None:
    schemas = SchemaCatalogue([catalogue.shipped().followed("Order")])
    assert rows(InteractionDecoder(schemas), [CODEC.encode(make.interaction())]) == [None]
