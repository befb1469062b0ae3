"""What the codec refuses, and why; and that records written yesterday or tomorrow are read today."""

import copy
import struct
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas import catalogue, records
from schemas.catalogue import Schema, SchemaCatalogue
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from tests import builders as make

CODEC = Codec()
NAN, INF = float("nan"), float("inf")


def refused(topic: str, payload: bytes | None, codec: Codec = CODEC) -> RecordRejected:
    with pytest.raises(RecordRejected) as refusal:
        codec.decode(topic, payload)
    return refusal.value


def zigzag(number: int) -> bytes:
    """An Avro long."""
    rest, out = ((number << 1) ^ (number >> 63)) & (2**64 - 1), bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes(out) + bytes((rest,))


def framed(record: str, body: bytes) -> bytes:
    return b"\0" + catalogue.shipped().followed(record).id.to_bytes(4, "big") + body


@pytest.mark.parametrize("payload", [None, b"", b"\0", b"\0\0\0\1", b"\1\0\0\0\1rest", b'{"event_id": "e-1"}'])
def test_a_payload_without_framing_is_undecodable(payload: bytes | None) -> None:
    refusal = refused("interactions", payload)
    assert (refusal.reason, refusal.schema_id) == (Reason.UNDECODABLE, None)


@pytest.mark.parametrize("schema_id", [0, 999, 2**32 - 1])
def test_a_schema_id_outside_the_catalogue_is_unknown(schema_id: int) -> None:
    refusal = refused("interactions", b"\0" + schema_id.to_bytes(4, "big") + b"body")
    assert (refusal.reason, refusal.schema_id) == (Reason.UNKNOWN_SCHEMA, schema_id)
    assert str(schema_id) in str(refusal)


def test_a_record_of_another_topic_is_the_wrong_record() -> None:
    refusal = refused("orders", CODEC.encode(make.interaction()))
    assert refusal.reason is Reason.WRONG_RECORD
    assert refusal.schema_id == catalogue.shipped().followed("Interaction").id
    assert "must be Order, got Interaction" in str(refusal)


def test_an_output_is_no_input() -> None:
    assert refused("interactions", CODEC.encode(make.transition())).reason is Reason.WRONG_RECORD


def test_text_that_is_not_utf8_is_undecodable() -> None:
    payload = CODEC.encode(make.interaction(event_id="event-here"))
    refusal = refused("interactions", payload.replace(b"event-here", b"event-\xff\xfe\xfd\xfc"))
    assert refusal.reason is Reason.UNDECODABLE
    assert refusal.schema_id is not None


@pytest.mark.parametrize("claimed", [2**31 - 1, 2**40, 2**62, 2**63 - 1, -1, -5, -(2**63)])
@pytest.mark.parametrize("record", ["Interaction", "AccountProfile"])
def test_a_claimed_length_takes_no_memory(record: str, claimed: int) -> None:
    """The claim is made for a string, and for the blocks of a map and of a list."""
    text_claim = framed(record, zigzag(claimed) + b"abc")
    blocks = CODEC.encode(make.profile())[:-2]
    tracemalloc.start()
    try:
        with pytest.raises(RecordRejected):
            CODEC.decode_as(getattr(records, record), text_claim)
        refused("profiles", blocks + zigzag(claimed) + b"abc")
        refused("profiles", blocks + b"\0" + zigzag(claimed) + b"abc")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_equal_payloads_are_refused_in_equal_words() -> None:
    payload = CODEC.encode(make.prediction())[:-3]
    assert {str(refused("predictions", payload)) for _ in range(20)} == {str(refused("predictions", payload))}
    assert "0x" not in str(refused("predictions", payload))


def test_an_endless_varint_is_refused() -> None:
    assert refused("interactions", framed("Interaction", b"\xff" * 10_000)).reason is Reason.UNDECODABLE


def test_an_enum_or_union_index_past_its_end_is_undecodable() -> None:
    start = zigzag(1) + b"e" + zigzag(1) + b"a" + zigzag(1) + b"k" + zigzag(make.NOON)
    assert refused("interactions", framed("Interaction", start + zigzag(3) + b"\0" * 5)).reason is Reason.UNDECODABLE
    assert refused("interactions", framed("Interaction", start + zigzag(0) + zigzag(2) + b"\0" * 4)).reason is Reason.UNDECODABLE


Illegal = tuple[str, msgspec.Struct, Reason, str]

ILLEGAL: list[Illegal] = [
    ("predictions", make.prediction(score=NAN), Reason.NOT_FINITE, "score"),
    ("predictions", make.prediction(score=INF), Reason.NOT_FINITE, "score"),
    ("predictions", make.prediction(score=-INF), Reason.NOT_FINITE, "score"),
    ("predictions", make.prediction(score=-0.001), Reason.OUT_OF_RANGE, "score"),
    ("predictions", make.prediction(score=100.001), Reason.OUT_OF_RANGE, "score"),
    ("predictions", make.prediction(model=""), Reason.OUT_OF_RANGE, "model"),
    ("interactions", make.interaction(dwell_seconds=NAN), Reason.NOT_FINITE, "dwell_seconds"),
    ("interactions", make.interaction(dwell_seconds=-1.0), Reason.OUT_OF_RANGE, "dwell_seconds"),
    ("interactions", make.interaction(kind=""), Reason.OUT_OF_RANGE, "kind"),
    ("interactions", make.interaction(at=-1), Reason.OUT_OF_RANGE, "occurred_at"),
    ("interactions", make.interaction(at=7_258_118_400_000), Reason.OUT_OF_RANGE, "occurred_at"),
    ("interactions", make.interaction(account_id=""), Reason.OUT_OF_RANGE, "account_id"),
    ("interactions", make.interaction(account_id="a\0b"), Reason.OUT_OF_RANGE, "account_id"),
    ("interactions", make.interaction(account_id="a" * 256), Reason.OUT_OF_RANGE, "account_id"),
    ("interactions", make.interaction(account_id="户" * 86), Reason.OUT_OF_RANGE, "account_id"),
    ("interactions", make.interaction(asset="a" * 65_537), Reason.OUT_OF_RANGE, "asset"),
    ("interactions", make.interaction(asset="户" * 21_846), Reason.OUT_OF_RANGE, "asset"),
    ("orders", make.order(amount_minor=-1), Reason.OUT_OF_RANGE, "amount_minor"),
    ("orders", make.order(cost_minor=-1), Reason.OUT_OF_RANGE, "cost_minor"),
    ("orders", make.order(currency="EURO"), Reason.OUT_OF_RANGE, "currency"),
    ("invoices", make.invoice(due_at=-1), Reason.OUT_OF_RANGE, "due_at"),
    ("invoices", make.invoice(paid_at=2**62), Reason.OUT_OF_RANGE, "paid_at"),
    ("tickets", make.ticket(satisfaction=0), Reason.OUT_OF_RANGE, "satisfaction"),
    ("tickets", make.ticket(satisfaction=6), Reason.OUT_OF_RANGE, "satisfaction"),
    ("profiles", make.profile(custom={"fit": NAN}), Reason.NOT_FINITE, "fit"),
    ("profiles", make.profile(custom={"fine": "x", "fit": INF}), Reason.NOT_FINITE, "fit"),
    ("profiles", make.profile(custom={"a" * 65_537: True}), Reason.OUT_OF_RANGE, "custom key"),
    ("profiles", make.profile(cleared=["a" * 65_537]), Reason.OUT_OF_RANGE, "cleared[0]"),
    ("profiles", make.profile(renewal_rate=1.5), Reason.OUT_OF_RANGE, "renewal_rate"),
    ("profiles", make.profile(renewal_rate=NAN), Reason.NOT_FINITE, "renewal_rate"),
    ("commands", make.command(arguments={"tier": "a" * 65_537}), Reason.OUT_OF_RANGE, "tier"),
    ("ticks", make.tick(-1), Reason.OUT_OF_RANGE, "at"),
]


@pytest.mark.parametrize(("topic", "record", "reason", "place"), ILLEGAL)
def test_a_value_out_of_its_limits_is_refused_by_name(topic: str, record: msgspec.Struct, reason: Reason, place: str) -> None:
    payload = CODEC.encode(record)
    refusal = refused(topic, payload)
    assert refusal.reason is reason
    assert place in str(refusal)
    assert refusal.schema_id == int.from_bytes(payload[1:5], "big")
    assert len(str(refusal)) < 400


LEGAL: list[tuple[str, msgspec.Struct]] = [
    ("predictions", make.prediction(score=0.0)),
    ("predictions", make.prediction(score=100.0)),
    ("interactions", make.interaction(dwell_seconds=0.0, at=0)),
    ("interactions", make.interaction(dwell_seconds=sys.float_info.max, at=7_258_118_399_999)),
    ("interactions", make.interaction(account_id="户" * 85)),
    ("interactions", make.interaction(account_id="a" * 255, asset="a" * 65_536, channel="", campaign_id="\0")),
    ("orders", make.order(amount_minor=0, cost_minor=2**63 - 1)),
    ("tickets", make.ticket(satisfaction=1)),
    ("tickets", make.ticket(satisfaction=5)),
    ("profiles", make.profile(custom={"a": True, "b": -1.5, "c": "", "": "户"}, cooperation_since=-1, qualifications=[])),
    ("profiles", make.profile(cleared=["a" * 65_536, "b" * 65_536])),
]


@pytest.mark.parametrize(("topic", "record"), LEGAL)
def test_a_value_at_its_limit_is_taken(topic: str, record: msgspec.Struct) -> None:
    assert CODEC.decode(topic, CODEC.encode(record)) == record


def test_instants_are_integers() -> None:
    decoded = CODEC.decode_as(records.Invoice, CODEC.encode(make.invoice(paid_at=make.NOON)))
    assert [type(at) for at in (decoded.occurred_at, decoded.due_at, decoded.paid_at)] == [int, int, int]


def test_whole_numbers_booleans_and_text_of_custom_fields_keep_their_type() -> None:
    custom: dict[str, Any] = {"yes": True, "one": 1.0, "text": "1"}
    read = CODEC.decode_as(records.AccountProfile, CODEC.encode(make.profile(custom=custom))).custom
    assert {name: type(held) for name, held in read.items()} == {"yes": bool, "one": float, "text": str}


def test_the_framing_is_confluents() -> None:
    payload = CODEC.encode(make.tick(1))
    assert struct.unpack(">bI", payload[:5]) == (0, catalogue.shipped().followed("Tick").id)
    assert payload[5:] == zigzag(1)


def test_index_counted_from_the_end_is_taken_as_fastavro_takes_it() -> None:
    """Pinned, so that whoever writes another decoder knows: what Avro leaves undefined, fastavro decides."""
    start = zigzag(1) + b"e" + zigzag(1) + b"a" + zigzag(1) + b"k" + zigzag(make.NOON)
    read = CODEC.decode_as(records.Interaction, framed("Interaction", start + zigzag(-1) + b"\0" * 5))
    assert read.actor == "SYSTEM"


# Evolution: the next version of Interaction gains `device`, loses `asset`, and knows one more actor.

FIRST = next(schema for schema in catalogue.shipped().all() if schema.record == "Interaction")


def second() -> Schema:
    definition: dict[str, Any] = copy.deepcopy(dict(FIRST.definition))
    fields = [field for field in definition["fields"] if field["name"] != "asset"]
    next(field for field in fields if field["name"] == "actor")["type"]["symbols"].append("PARTNER")
    device = {"name": "device", "type": "string", "default": "unknown", "doc": "What it was done with."}
    definition["fields"] = [fields[0], device, *fields[1:]]
    return Schema(id=FIRST.id + 1_000, record="Interaction", version=2, definition=definition)


FIELDS: dict[str, Any] = {"event_id": "e-9", "account_id": "acme", "occurred_at": make.NOON, "kind": "VISIT"}
Next = msgspec.defstruct(
    "Interaction",
    [
        *((name, kind) for name, kind in (("event_id", str), ("account_id", str), ("occurred_at", int), ("kind", str))),
        ("actor", str, "CUSTOMER"),
        ("contact_id", str | None, None),
        ("dwell_seconds", float | None, None),
        ("channel", str | None, None),
        ("campaign_id", str | None, None),
        ("device", str, "unknown"),
    ],
    kw_only=True,
    frozen=True,
)
OLD = Codec(SchemaCatalogue([FIRST, second()], reading={"Interaction": 1}))
NEW = Codec(SchemaCatalogue([FIRST, second()]))


def test_the_next_version_reads_what_this_one_wrote() -> None:
    written = OLD.encode(records.Interaction(**FIELDS, asset="whitepaper", channel="SITE"))
    assert NEW.decode_as(Next, written) == Next(**FIELDS, channel="SITE", device="unknown")


def test_this_version_reads_what_the_next_one_writes() -> None:
    written = NEW.encode(Next(**FIELDS, channel="SITE", device="phone"))
    assert int.from_bytes(written[1:5], "big") == FIRST.id + 1_000
    assert OLD.decode_as(records.Interaction, written) == records.Interaction(**FIELDS, channel="SITE")
    assert OLD.decode("interactions", written) == records.Interaction(**FIELDS, channel="SITE")


def test_each_version_reads_its_own() -> None:
    old, new = records.Interaction(**FIELDS, asset="whitepaper"), Next(**FIELDS, device="phone", dwell_seconds=1.5)
    assert OLD.decode_as(records.Interaction, OLD.encode(old)) == old
    assert NEW.decode_as(Next, NEW.encode(new)) == new


def test_a_transition_of_before_lines_had_a_last_time_reads_without_one_and_an_old_reader_leaves_it_out() -> None:
    line = records.Contribution(dimension="behaviour", line="DOWNLOAD", micro=7, count=3, last_at=make.NOON)
    old, new = Codec(SchemaCatalogue(catalogue.shipped().all(), reading={"TierTransition": 1})), Codec()
    written = make.transition(contributions=[line])
    bare = make.transition(contributions=[msgspec.structs.replace(line, last_at=None)])
    assert new.decode_as(records.TierTransition, new.encode(written)) == written
    assert new.decode_as(records.TierTransition, old.encode(written)) == old.decode_as(records.TierTransition, new.encode(written)) == bare


def test_a_symbol_this_version_cannot_place_is_refused_not_guessed() -> None:
    refusal = refused("interactions", NEW.encode(Next(**FIELDS, actor="PARTNER")), OLD)
    assert (refusal.reason, refusal.schema_id) == (Reason.UNDECODABLE, FIRST.id + 1_000)


def test_a_later_cause_direction_and_mode_read_as_what_nobody_acts_on() -> None:
    shipped = catalogue.shipped().followed("TierTransition")
    later: dict[str, Any] = copy.deepcopy(dict(shipped.definition))
    fields = {field["name"]: field for field in later["fields"]}
    fields["direction"]["type"]["symbols"].append("SIDEWAYS")
    fields["mode"]["type"]["symbols"].append("DREAM")
    fields["cause"]["type"]["fields"][0]["type"]["symbols"].append("MOON")
    versions = [shipped, Schema(id=5_000, record="TierTransition", version=shipped.version + 1, definition=later)]
    cause: Any = make.cause()
    written = Codec(SchemaCatalogue(versions)).encode(
        make.transition(direction="SIDEWAYS", mode="DREAM", cause=msgspec.structs.replace(cause, kind="MOON"))
    )
    read = Codec(SchemaCatalogue(versions, reading={"TierTransition": shipped.version})).decode_as(records.TierTransition, written)
    assert (read.direction, read.mode, read.cause.kind) == ("OTHER", "SHADOW", "OTHER")


@pytest.mark.parametrize("cut", [lambda payload: payload[:-1], lambda payload: payload + b"\0"], ids=["short", "long"])
def test_a_projected_payload_is_taken_whole_or_not_at_all(cut: Callable[[bytes], bytes]) -> None:
    assert refused("interactions", cut(NEW.encode(Next(**FIELDS))), OLD).reason is Reason.UNDECODABLE
