"""The schemas as a contract: never edited once released, always able to read what was written, said in words, true to the structs."""

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from schemas import catalogue, records
from schemas.catalogue import Entry
from schemas.limits import LIMITS, Instant
from schemas.shapes import alternatives, field_types, is_nullable
from schemas.topics import TOPICS
from tests.compatibility import incompatibilities

ENTRIES = catalogue.entries()
BY_FILE = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file)
PRIMITIVES = {str: {"string"}, int: {"long", "int"}, float: {"double"}, bool: {"boolean"}}
TIMESTAMP = {"type": "long", "logicalType": "timestamp-millis"}


def edited(entry: Entry, definition: dict[str, Any]) -> str | None:
    """What to say if a file is no longer what the catalogue says it is."""
    found = catalogue.digest(definition)
    if found == entry.sha256:
        return None
    cure = "a released schema is never edited: add its next version" if entry.released else f"a draft changed: write {found}"
    return f"{entry.file} must have the digest of the catalogue, got {found}; {cure}"


def broken_histories(versions: list[dict[str, Any]]) -> list[str]:
    """Where a version of a record could not read one of the earlier versions."""
    return [
        f"version {later + 1} reading version {earlier + 1}: {fault}"
        for later in range(len(versions))
        for earlier in range(later)
        for fault in incompatibilities(versions[earlier], versions[later])
    ]


def untrue(record_type: type[msgspec.Struct], schema: dict[str, Any]) -> Iterator[str]:
    """Where a struct and its schema differ in names, nullability or types."""
    types = field_types(record_type)
    written = {field["name"]: field for field in schema["fields"]}
    if types.keys() != written.keys():
        yield f"{record_type.__name__}: fields differ: {sorted(types.keys() ^ written.keys())}"
    for name in types.keys() & written.keys():
        yield from _differing(f"{record_type.__name__}.{name}", types[name], written[name]["type"])
        if is_nullable(types[name]) and written[name].get("default", "none") is not None:
            yield f"{record_type.__name__}.{name}: nullable and its default is not null"


def _differing(place: str, held: Any, schema: Any) -> Iterator[str]:
    if isinstance(schema, list) and "null" in schema:
        if schema[0] != "null" or len(schema) != 2 or not is_nullable(held):
            yield f"{place}: null must come first, before one type, and only where the struct has None"
        inner = [kind for kind in alternatives(held) if kind is not type(None)]
        yield from _differing(place, inner[0], schema[1])
    elif is_nullable(held):
        yield f"{place}: nullable in the struct alone"
    elif isinstance(schema, list):
        if set(schema) != {next(iter(PRIMITIVES[kind])) for kind in get_args(held)}:
            yield f"{place}: {held} is not {schema}"
    elif get_origin(held) is list:
        yield from _differing(f"{place}[]", get_args(held)[0], schema["items"])
    elif get_origin(held) is dict:
        yield from _differing(f"{place}{{}}", get_args(held)[1], schema["values"])
    elif get_origin(held) is Literal:
        if list(get_args(held)) != schema["symbols"]:
            yield f"{place}: symbols differ: {sorted(set(get_args(held)) ^ set(schema['symbols']))}"
    elif issubclass(held, msgspec.Struct):
        yield from untrue(held, schema) if schema["name"] == held.__name__ else [f"{place}: {held.__name__} is not {schema['name']}"]
    elif (schema["type"] if isinstance(schema, dict) else schema) not in PRIMITIVES[held]:
        yield f"{place}: {held} is not {schema}"


def undocumented(node: Any, place: str = "") -> Iterator[str]:
    """Records, enums and fields that say nothing about themselves."""
    if isinstance(node, list):
        for inner in node:
            yield from undocumented(inner, place)
    elif isinstance(node, dict):
        where = f"{place}.{node['name']}" if "name" in node else place
        if "name" in node and len(node.get("doc", "")) < 8:
            yield where
        for inner in (node.get("type"), node.get("items"), node.get("values"), node.get("fields", [])):
            yield from undocumented(inner, where)


def newest() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for entry in sorted(ENTRIES, key=lambda entry: entry.version):
        found[entry.record] = catalogue.definition_of(entry)
    return found


@BY_FILE
def test_a_released_schema_is_never_edited(entry: Entry) -> None:
    assert edited(entry, catalogue.definition_of(entry)) is None


def test_an_edit_of_a_released_schema_is_seen() -> None:
    definition = catalogue.definition_of(ENTRIES[0])
    definition["fields"][0]["doc"] += "!"
    assert "add its next version" in (edited(ENTRIES[0], definition) or "")


def test_the_catalogue_and_the_folder_name_the_same_files() -> None:
    folder = {file.name for file in resources.files("schemas").joinpath("avro").iterdir() if file.name.endswith(".avsc")}
    assert {entry.file for entry in ENTRIES} == folder
    assert len(ENTRIES) == len(folder)


def test_ids_are_never_used_again() -> None:
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    with pytest.raises(ValueError, match="must be unique, got 1 twice"):
        catalogue.SchemaCatalogue([*catalogue.shipped().all(), catalogue.shipped().all()[0]])


def test_versions_of_a_record_count_from_one_and_ids_grow_with_them() -> None:
    versions: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in ENTRIES:
        versions[entry.record].append((entry.version, entry.id))
    for held in versions.values():
        assert [version for version, _ in sorted(held)] == list(range(1, len(held) + 1))
        assert [number for _, number in sorted(held)] == sorted(number for _, number in held)


def test_every_version_reads_all_earlier_ones() -> None:
    histories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in sorted(ENTRIES, key=lambda entry: entry.version):
        histories[entry.record].append(catalogue.definition_of(entry))
    assert {record: broken_histories(versions) for record, versions in histories.items()} == {record: [] for record in histories}


def _field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(field for field in schema["fields"] if field["name"] == name)


def _add_without_default(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "score", "type": "double"})


def _change_type(schema: dict[str, Any]) -> None:
    _field(schema, "kind")["type"] = "long"


def _lose_a_symbol(schema: dict[str, Any]) -> None:
    _field(schema, "actor")["type"]["symbols"].remove("OWNER")


def _forbid_null(schema: dict[str, Any]) -> None:
    _field(schema, "asset").update(type="string", default="")


def _change_unit(schema: dict[str, Any]) -> None:
    _field(schema, "occurred_at")["type"]["logicalType"] = "timestamp-micros"


def _rename(schema: dict[str, Any]) -> None:
    schema["name"] = "Deed"


def _narrow(schema: dict[str, Any]) -> None:
    _field(schema, "dwell_seconds")["type"] = ["null", "float"]


@pytest.mark.parametrize(
    "change",
    [_add_without_default, _change_type, _lose_a_symbol, _forbid_null, _change_unit, _rename, _narrow],
    ids=lambda change: change.__name__,
)
def test_an_incompatible_version_is_seen_even_two_versions_later(change: Callable[[dict[str, Any]], None]) -> None:
    first = newest()["Interaction"]
    changed = copy.deepcopy(first)
    change(changed)
    assert broken_histories([first, changed])
    assert any(fault.startswith("version 3 reading version 1") for fault in broken_histories([first, copy.deepcopy(first), changed]))


def _add_with_default(schema: dict[str, Any]) -> None:
    schema["fields"].append({"name": "device", "type": ["null", "string"], "default": None})


def _remove(schema: dict[str, Any]) -> None:
    schema["fields"].remove(_field(schema, "asset"))


def _gain_a_symbol(schema: dict[str, Any]) -> None:
    _field(schema, "actor")["type"]["symbols"].append("PARTNER")


def _allow_null(schema: dict[str, Any]) -> None:
    _field(schema, "kind").update(type=["null", "string"], default=None)


@pytest.mark.parametrize("change", [_add_with_default, _remove, _gain_a_symbol, _allow_null], ids=lambda change: change.__name__)
def test_a_compatible_version_passes(change: Callable[[dict[str, Any]], None]) -> None:
    first = newest()["Interaction"]
    changed = copy.deepcopy(first)
    change(changed)
    assert broken_histories([first, changed]) == []


@BY_FILE
def test_every_record_enum_and_field_says_what_it_is(entry: Entry) -> None:
    assert list(undocumented(catalogue.definition_of(entry))) == []


def test_every_record_of_a_topic_has_a_schema_that_says_the_same_as_its_struct() -> None:
    schemas = newest()
    on_the_wire = {topic.record.__name__ for topic in TOPICS.values() if topic.record is not None}
    assert schemas.keys() == on_the_wire
    for name, schema in schemas.items():
        assert list(untrue(getattr(records, name), schema)) == []


def test_a_struct_that_differs_from_its_schema_is_seen() -> None:
    schema = newest()["Order"]
    _field(schema, "cost_minor")["type"] = "long"
    _field(schema, "status")["type"]["symbols"].append("LOST")
    schema["fields"].remove(_field(schema, "project"))
    assert len(list(untrue(records.Order, schema))) == 3


def test_exactly_the_instants_are_timestamps() -> None:
    for name, schema in newest().items():
        for field in schema["fields"]:
            is_timestamp = field["type"] == TIMESTAMP or (isinstance(field["type"], list) and TIMESTAMP in field["type"])
            assert is_timestamp == isinstance(LIMITS.get(field["name"]), Instant), f"{name}.{field['name']}"


def test_every_limit_is_of_a_field() -> None:
    assert set(LIMITS) <= {name for schema in newest().values() for name in field_names(schema)}


def field_names(node: Any) -> Iterator[str]:
    """The names of a schema's fields, those of records inside it too."""
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from field_names(inner)
    if isinstance(node, dict):
        yield from (field["name"] for field in node.get("fields", ()))


def test_every_item_of_a_list_or_map_takes_room() -> None:
    """Items without bytes (null, an empty record) would let a short payload claim endless lists."""
    for name, schema in newest().items():
        text = json.dumps(schema)
        assert '"items": "null"' not in text, name
        assert '"values": "null"' not in text, name
        assert '"fields": []' not in text, name


@pytest.mark.parametrize("name", sorted(newest()))
def test_what_identifies_a_record_comes_first(name: str) -> None:
    """A decoder that needs no more than these fields need not walk past the others."""
    first = {"Interaction": ["event_id", "account_id", "kind", "occurred_at"]}
    if issubclass(getattr(records, name), records.Event):
        expected = first.get(name, ["event_id", "account_id", "occurred_at"])
        assert [field["name"] for field in newest()[name]["fields"]][: len(expected)] == expected
