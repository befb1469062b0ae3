"""Can a record be read that was written in somebody else's schema? Asked once for each schema that a registry has and we have not.

Avro resolves names and types when a record is read; what it does not look at, and what would be a wrong instant and no error, are the
logical types. So those must be ours.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

_TOP: Final = ""


def unreadable(written: Mapping[str, Any], read: Mapping[str, Any]) -> str | None:
    """Why records written in one schema must not be read into another, None if they may be."""
    try:
        fastavro.parse_schema(dict(written))
    except (SchemaParseException, UnknownType) as fault:
        return f"it is no Avro schema that we understand ({type(fault).__name__})"
    ours, theirs = dict(_logical(read, _TOP)), dict(_logical(written, _TOP))
    for field, kind in ours.items():
        if field in theirs and theirs[field] != kind:
            return f"{field} must be {kind or 'of no logical type'}, is {theirs[field] or 'of no logical type'}"
    return None


def _logical(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each field by its path, with its logical type; empty where it has none."""
    if isinstance(node, list):
        for branch in node:
            if branch != "null":
                yield from _logical(branch, place)
    elif isinstance(node, Mapping) and node.get("type") == "record":
        for field in node.get("fields", ()):
            yield from _logical(field["type"], f"{place}.{field['name']}".removeprefix("."))
    elif isinstance(node, Mapping) and node.get("type") in ("array", "map"):
        yield from _logical(node.get("items", node.get("values")), f"{place}[]")
    elif isinstance(node, Mapping) and isinstance(node.get("type"), Mapping | list):
        yield from _logical(node["type"], place)
    else:
        yield place, str(node.get("logicalType", "")) if isinstance(node, Mapping) else ""
