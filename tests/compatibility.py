"""Whether one Avro schema reads what another wrote, by the specification's rules of schema resolution.

`incompatibilities(writer, reader)` lists the places where the reader could refuse or could not place something that the
writer may have written. Stricter than Avro in one thing: a logical type may not change, since the number behind it would
be read as another quantity.
"""

from collections.abc import Iterator, Mapping
from typing import Any

PROMOTIONS = {
    "int": {"int", "long", "float", "double"},
    "long": {"long", "float", "double"},
    "float": {"float", "double"},
    "string": {"string", "bytes"},
    "bytes": {"bytes", "string"},
}
NAMED = ("record", "enum", "fixed")


def incompatibilities(writer: Any, reader: Any) -> list[str]:
    """Places with their fault; empty: everything the writer can write, the reader reads."""
    return list(_Pair(_names(writer), _names(reader)).faults(writer, reader, "$"))


def _names(node: Any) -> dict[str, Any]:
    """Every named type of a schema by its name without namespace."""
    found: dict[str, Any] = {}
    if isinstance(node, list):
        for branch in node:
            found |= _names(branch)
    elif isinstance(node, Mapping):
        if node.get("type") in NAMED:
            found[_short(node["name"])] = node
        for name in ("type", "items", "values"):
            found |= _names(node.get(name)) if isinstance(node.get(name), Mapping | list) else {}
        for field in node.get("fields", []):
            found |= _names(field["type"])
    return found


def _short(name: str) -> str:
    return name.rpartition(".")[2]


class _Pair:
    """One comparison: the named types of both sides and the pairs of names under way (a type may hold itself)."""

    def __init__(self, written: Mapping[str, Any], read: Mapping[str, Any]) -> None:
        self._written, self._read = written, read
        self._under_way: set[tuple[str, str]] = set()

    def faults(self, writer: Any, reader: Any, place: str) -> Iterator[str]:
        writer, reader = self._resolved(writer, self._written), self._resolved(reader, self._read)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.faults(branch, reader, place)
        elif isinstance(reader, list):
            if not any(not list(self.faults(writer, branch, place)) for branch in reader):
                yield f"{place}: no branch of the reader takes {_kind(writer)}"
        elif _kind(writer) != _kind(reader):
            if _kind(reader) not in PROMOTIONS.get(_kind(writer), ()):
                yield f"{place}: {_kind(writer)} cannot be read as {_kind(reader)}"
        elif _logical(writer) != _logical(reader):
            yield f"{place}: logical type {_logical(writer)} became {_logical(reader)}"
        else:
            yield from self._same_kind(writer, reader, place)

    def _resolved(self, node: Any, names: Mapping[str, Any]) -> Any:
        """The definition behind a reference; `{"type": {...}}` without its wrapping."""
        if isinstance(node, str):
            return names.get(_short(node), node)
        return self._resolved(node["type"], names) if isinstance(node, Mapping) and isinstance(node["type"], Mapping | list) else node

    def _same_kind(self, writer: Any, reader: Any, place: str) -> Iterator[str]:
        kind = _kind(writer)
        if kind == "array":
            yield from self.faults(writer["items"], reader["items"], f"{place}[]")
        elif kind == "map":
            yield from self.faults(writer["values"], reader["values"], f"{place}{{}}")
        elif kind in NAMED:
            if _short(writer["name"]) not in {_short(name) for name in [reader["name"], *reader.get("aliases", [])]}:
                yield f"{place}: {writer['name']} became {reader['name']}"
            yield from getattr(self, f"_{kind}")(writer, reader, place)

    def _fixed(self, writer: Any, reader: Any, place: str) -> Iterator[str]:
        if writer["size"] != reader["size"]:
            yield f"{place}: size {writer['size']} became {reader['size']}"

    def _enum(self, writer: Any, reader: Any, place: str) -> Iterator[str]:
        lost = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
        if lost and "default" not in reader:
            yield f"{place}: symbols {', '.join(lost)} are gone and there is no default"

    def _record(self, writer: Any, reader: Any, place: str) -> Iterator[str]:
        names = (writer["name"], reader["name"])
        if names in self._under_way:
            return
        self._under_way.add(names)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            source = next((written[name] for name in [field["name"], *field.get("aliases", [])] if name in written), None)
            if source is not None:
                yield from self.faults(source["type"], field["type"], f"{place}.{field['name']}")
            elif "default" not in field:
                yield f"{place}.{field['name']}: new and without a default"
        self._under_way.discard(names)


def _kind(node: Any) -> str:
    kind: str = node["type"] if isinstance(node, Mapping) else node
    return kind


def _logical(node: Any) -> str | None:
    return node.get("logicalType") if isinstance(node, Mapping) else None
