"""Every schema that ever wrote a record, by its id: what the repository knows without a registry.

Rules: an id is never used again; the file of a released schema is never edited (its digest is kept here); a record
changes by a new file with a new id and the next version, which must read all earlier ones.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

FOREIGN: Final = 0
"""The version of a schema that is none of ours: a producer's own."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one record's schema; `definition` is the Avro schema as parsed JSON."""

    id: int
    record: str
    version: int
    definition: Mapping[str, Any]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `avro/catalogue.json`. `sha256` is the digest of the file's canonical content."""

    id: int
    record: str
    version: int
    file: str
    sha256: str
    released: bool


Find = Callable[[int], Mapping[str, Any] | None]
"""Asks somebody else for the schema of an id; None: nobody has it."""


class SchemaCatalogue:
    """Schemas by id, and for each record the version that this code's struct follows.

    `registered` are schemas of ours under the ids that a registry gave them, and others that it has for our records: an id means the same
    within one record, and the registry's meaning comes before the catalogue's. A record with registered versions is written under theirs.
    """

    def __init__(
        self,
        schemas: Iterable[Schema],
        *,
        reading: Mapping[str, int] | None = None,
        registered: Iterable[Schema] = (),
        find: Find | None = None,
    ) -> None:
        """`reading`: record -> version that the structs follow, where that is not the newest one. `find`: for ids that are not here."""
        self._by_id: dict[int, Schema] = {}
        self._followed: dict[str, Schema] = {}
        self._find = find
        wanted = reading or {}
        for schema in schemas:
            if schema.id in self._by_id:
                raise ValueError(f"schema id must be unique, got {schema.id} twice")
            self._by_id[schema.id] = schema
            held = self._followed.get(schema.record)
            is_wanted = wanted.get(schema.record, schema.version) == schema.version
            if is_wanted and (held is None or held.version < schema.version):
                self._followed[schema.record] = schema
        self._written = {(schema.record, schema.id): schema for schema in self._by_id.values()}
        self._registered: set[int] = set()
        for schema in registered:
            self._registered.add(schema.id)
            self._written[schema.record, schema.id] = schema
            if (followed := self._followed.get(schema.record)) is not None and followed.version == schema.version:
                self._followed[schema.record] = schema

    def by_id(self, schema_id: int) -> Schema | None:
        """The schema of the catalogue that has this id, or None if it never had it."""
        return self._by_id.get(schema_id)

    def written(self, record: str, schema_id: int) -> Schema | None:
        """The schema in which a record was written: of that record where the id means one, else of another, None if nobody knows the id."""
        known = self._written.get((record, schema_id)) or self._asked(schema_id)
        return known or next((other for (_, number), other in list(self._written.items()) if number == schema_id), None)

    def _asked(self, schema_id: int) -> Schema | None:
        """What the registry says of an id that it was not known to have given."""
        found = self._find(schema_id) if self._find is not None and schema_id not in self._registered else None
        if found is None:
            return None
        known = Schema(id=schema_id, record=str(found.get("name")), version=FOREIGN, definition=found)
        self._written[known.record, schema_id] = known
        self._registered.add(schema_id)
        return known

    def followed(self, record: str) -> Schema:
        """The schema that a record is written in and read into. KeyError: no such record."""
        return self._followed[record]

    def of_record(self, record: str) -> list[Schema]:
        """Every schema that is known to have written this record, by id."""
        return [self._written[name, number] for name, number in sorted(self._written) if name == record]

    def all(self) -> list[Schema]:
        """Every schema of the catalogue, by id."""
        return [self._by_id[schema_id] for schema_id in sorted(self._by_id)]


def canonical(definition: Mapping[str, Any]) -> bytes:
    """The content of a schema file without its layout: what the digest is taken of. Docs count."""
    return json.dumps(definition, ensure_ascii=False, separators=(",", ":")).encode()


def digest(definition: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical content, in hex."""
    return hashlib.sha256(canonical(definition)).hexdigest()


@cache
def entries() -> tuple[Entry, ...]:
    """The lines of the shipped catalogue."""
    text = _avro().joinpath("catalogue.json").read_bytes()
    return tuple(msgspec.json.decode(text, type=dict[str, list[Entry]])["schemas"])


def definition_of(entry: Entry) -> dict[str, Any]:
    """The Avro schema that an entry names."""
    loaded: dict[str, Any] = json.loads(_avro().joinpath(entry.file).read_text(encoding="utf-8"))
    return loaded


@cache
def shipped() -> SchemaCatalogue:
    """The repository's own catalogue, read on first use."""
    return SchemaCatalogue(
        Schema(id=entry.id, record=entry.record, version=entry.version, definition=definition_of(entry)) for entry in entries()
    )


def _avro() -> Any:
    return resources.files("schemas").joinpath("avro")
