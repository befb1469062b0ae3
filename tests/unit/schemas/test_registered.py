"""Ids that a registry gave: what they mean, beside those of the catalogue, and what a producer's own schema may be."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from schemas import catalogue
from schemas.catalogue import FOREIGN, Schema, SchemaCatalogue
from schemas.codec import Codec
from schemas.errors import Reason, RecordRejected
from schemas.foreign import unreadable
from schemas.interaction_columns import InteractionDecoder
from schemas.records import HotLead, Interaction, Order
from tests.builders import interaction, order

SHIPPED = catalogue.shipped().all()
INTERACTION = catalogue.shipped().followed("Interaction")


def elsewhere(shift: int, **more: Any) -> SchemaCatalogue:
    """As a registry would have it that had given so many ids before."""
    registered = [Schema(id=each.id + shift, record=each.record, version=each.version, definition=each.definition) for each in SHIPPED]
    return SchemaCatalogue(SHIPPED, registered=registered, **more)


def with_colour(definition: Mapping[str, Any], **field: Any) -> dict[str, Any]:
    changed = copy.deepcopy(dict(definition))
    changed["fields"].append({"name": "colour", "type": "string"} | field)
    return changed


def framed(schema_id: int, payload: bytes) -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big") + payload[5:]


def test_records_are_written_under_the_registrys_ids_and_read_by_them_and_by_the_catalogues() -> None:
    codec, record = Codec(elsewhere(1000)), interaction()
    payload = codec.encode(record)
    assert payload == framed(1000 + INTERACTION.id, Codec().encode(record))
    assert codec.decode("interactions", payload) == codec.decode("interactions", Codec().encode(record)) == record


def test_an_id_means_the_registrys_schema_where_both_have_one_for_the_record() -> None:
    shift = catalogue.shipped().followed("HotLead").id - min(each.id for each in SHIPPED if each.record == "HotLead")
    schemas = elsewhere(shift)
    clash = catalogue.shipped().followed("HotLead").id
    assert (schemas.written("HotLead", clash) or INTERACTION).version == 1
    assert schemas.followed("HotLead").id == clash + shift
    known = {each.id for each in SHIPPED if each.record == "HotLead"} | {clash + shift}
    assert [each.id for each in schemas.of_record(HotLead.__name__)] == sorted(known)


def test_an_id_that_means_another_record_here_may_still_mean_this_one() -> None:
    codec, record = Codec(elsewhere(1)), order()
    assert codec.decode("orders", Codec().encode(record)) == record, "id 2 is the registry's Interaction and the catalogue's Order"
    far = Codec(elsewhere(1000))
    with pytest.raises(RecordRejected) as refused:
        far.decode("invoices", far.encode(record))
    assert refused.value.reason is Reason.WRONG_RECORD


def test_compiled_code_reads_the_registrys_ids() -> None:
    codec = Codec(elsewhere(1000))
    payloads = [
        codec.encode(interaction("acme", event_id="a")),
        Codec().encode(interaction("acme", event_id="b")),
        framed(77, codec.encode(interaction())),
    ]
    places = np.cumsum([0, *map(len, payloads)], dtype=np.int64)
    columns = InteractionDecoder(elsewhere(1000)).decode(np.frombuffer(b"".join(payloads), np.uint8), places[:-1], places[1:])
    assert columns.fit.tolist() == [1, 1, 0]


def test_a_schema_nobody_has_met_is_asked_for_once_and_read_into_ours() -> None:
    asked: list[int] = []

    def find(schema_id: int) -> Mapping[str, Any] | None:
        asked.append(schema_id)
        return with_colour(INTERACTION.definition) if schema_id == 5000 else None

    codec, record = Codec(elsewhere(1000, find=find)), interaction()
    own = framed(5000, Codec().encode(record)) + b"\x06red"
    assert [codec.decode("interactions", own), codec.decode("interactions", own)] == [record, record]
    assert asked == [5000]
    with pytest.raises(RecordRejected) as refused:
        codec.decode("interactions", framed(5001, own))
    assert refused.value.reason is Reason.UNKNOWN_SCHEMA


def test_a_schema_whose_instants_are_others_is_not_read() -> None:
    changed = copy.deepcopy(dict(INTERACTION.definition))
    next(field for field in changed["fields"] if field["name"] == "occurred_at")["type"]["logicalType"] = "timestamp-micros"
    assert "occurred_at must be timestamp-millis, is timestamp-micros" in (unreadable(changed, INTERACTION.definition) or "")
    codec = Codec(elsewhere(0, find=lambda _: changed))
    with pytest.raises(RecordRejected, match="cannot be read: occurred_at must be timestamp-millis") as refused:
        codec.decode("interactions", framed(5000, Codec().encode(interaction())))
    assert refused.value.reason is Reason.UNKNOWN_SCHEMA


def test_every_schema_of_ours_reads_itself_and_its_earlier_versions() -> None:
    for schema in SHIPPED:
        assert unreadable(schema.definition, catalogue.shipped().followed(schema.record).definition) is None
    assert unreadable({"type": "record", "name": "Order", "fields": [{"name": "a", "type": "none such"}]}, {}) is not None


def test_a_foreign_schema_has_a_version_that_none_of_ours_has() -> None:
    assert all(schema.version > FOREIGN for schema in SHIPPED)
    assert {Interaction.__name__, Order.__name__} <= {schema.record for schema in SHIPPED}
