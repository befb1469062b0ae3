"""From a writer's Avro schema to the steps that read its bodies: arrays, so that compiled code can follow them.

A program has one step per field of the writer, in the order of the wire; a union is a step that names how many branches
follow, each a step of its own. A step says what stands there, which column takes it, and the limits of the field
(`schemas.limits`). Rules: a program gives what `schemas.codec` gives, or it gives nothing: where writer and reader differ in
more than order, missing fields with defaults and new symbols, the step refuses, and the record is left to fastavro.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.limits import ANY_TEXT, LIMITS, Instant, Limit, Number, Text

_LEAST_LONG: Final = -(2**63)
_LARGEST_LONG: Final = 2**63 - 1
NO_COLUMN: Final = -1


class Kind(IntEnum):
    """What stands at a step."""

    REFUSED = 0  # something that only fastavro reads
    NULL = 1
    BOOLEAN = 2
    LONG = 3
    DOUBLE = 4
    TEXT = 5
    ENUM = 6
    UNION = 7


_KINDS: Final = {
    "null": Kind.NULL,
    "boolean": Kind.BOOLEAN,
    "int": Kind.LONG,
    "long": Kind.LONG,
    "double": Kind.DOUBLE,
    "string": Kind.TEXT,
}


class Column(NamedTuple):
    """Where a field goes: the place among the columns of its kind, and whether it may be null."""

    kind: Kind
    place: int = 0
    nullable: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `least` and `most` bound a long's value or a text's bytes, `floor` and `ceiling` a double.

    `branches`: of a union, how many of the next steps are its branches. `symbols`: of an enum, for every symbol of the
    writer its place in the column's own list, or -1 where there is none.
    """

    kind: Kind
    column: int = NO_COLUMN
    least: int = _LEAST_LONG
    most: int = _LARGEST_LONG
    floor: float = -np.finfo(np.float64).max
    ceiling: float = np.finfo(np.float64).max
    nul: bool = True
    branches: int = 0
    symbols: tuple[int, ...] = ()


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """How to read the bodies of one schema. `missing`: the reader's defaults, by field, of what this writer never wrote."""

    schema_id: int
    steps: tuple[Step, ...]
    missing: Mapping[str, Any]


class Programs(NamedTuple):
    """Programs as arrays. Steps of program p are firsts[p]:firsts[p + 1]."""

    ids: NDArray[np.int64]
    firsts: NDArray[np.int64]
    steps: NDArray[np.int64]  # (step, one of the places below)
    bounds: NDArray[np.float64]  # (step, floor and ceiling)
    symbols: NDArray[np.int64]


# The places of a step in `Programs.steps`.
KIND: Final = 0
COLUMN: Final = 1
LEAST: Final = 2
MOST: Final = 3
NUL: Final = 4
BRANCHES: Final = 5
SYMBOLS: Final = 6  # where this step's symbols begin
SYMBOL_COUNT: Final = 7


def program(
    schema_id: int, written: Mapping[str, Any], read: Mapping[str, Any], columns: Mapping[str, Column], symbols: Sequence[str]
) -> Program | None:
    """The program of a writer's schema for a reader's, or None where only fastavro can tell.

    `columns`: the column of each field that has one; `symbols`: what an enum's column counts by.
    """
    wanted = {field["name"]: field for field in read["fields"]}
    names = [field["name"] for field in written["fields"]]
    missing = {name: field for name, field in wanted.items() if name not in names}
    if _is_renamed(written, read) or any("default" not in field for field in missing.values()):
        return None
    steps = [step for field in written["fields"] for step in _steps(field, wanted.get(field["name"]), columns, symbols)]
    return Program(schema_id=schema_id, steps=tuple(steps), missing={name: field["default"] for name, field in missing.items()})


def as_arrays(programs: Sequence[Program]) -> Programs:
    """The programs, one after the other."""
    steps = [step for each in programs for step in each.steps]
    symbol_firsts = np.cumsum([0, *(len(step.symbols) for step in steps)])
    rows = [
        (step.kind, step.column, step.least, step.most, step.nul, step.branches, first, len(step.symbols))
        for step, first in zip(steps, symbol_firsts, strict=False)
    ]
    return Programs(
        ids=np.array([each.schema_id for each in programs], np.int64),
        firsts=np.cumsum([0, *(len(each.steps) for each in programs)], dtype=np.int64),
        steps=np.array(rows, np.int64).reshape(-1, SYMBOL_COUNT + 1),
        bounds=np.array([(step.floor, step.ceiling) for step in steps], np.float64).reshape(-1, 2),
        symbols=np.array([place for step in steps for place in step.symbols], np.int64),
    )


def _is_renamed(written: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Whether names alone do not tell which field is which."""
    aliased = any("aliases" in node for node in (read, *read["fields"]))
    return aliased or _short(written["name"]) != _short(read["name"])


def _steps(
    field: Mapping[str, Any], wanted: Mapping[str, Any] | None, columns: Mapping[str, Column], symbols: Sequence[str]
) -> Iterator[Step]:
    """The steps of one field: its own, or a union's and those of its branches."""
    name, written = field["name"], field["type"]
    readable = None if wanted is None else {_name(node): node for node in _branches(wanted["type"])}
    if isinstance(written, list):
        yield Step(kind=Kind.UNION, branches=len(written))
    for node in _branches(written):
        if readable is None:
            yield _step(node, None, None, NO_COLUMN, symbols)  # nobody reads it: no limit either
        elif _name(node) not in readable or not _fits(columns.get(name), kind_of(node)):
            yield Step(kind=Kind.REFUSED)
        else:
            place = columns[name].place if name in columns else NO_COLUMN
            yield _step(node, readable[_name(node)], LIMITS.get(name), place, symbols)


def _fits(column: Column | None, kind: Kind) -> bool:
    return column is None or kind is column.kind or (kind is Kind.NULL and column.nullable)


def _step(written: Any, read: Any, limit: Limit | None, column: int, symbols: Sequence[str]) -> Step:
    """The step of one plain type; `read` is the reader's type of the same name."""
    kind = kind_of(written)
    if kind is Kind.ENUM:
        known = written["symbols"] if read is None else read["symbols"]
        counted = symbols if column != NO_COLUMN else known
        places = [counted.index(symbol) if symbol in known and symbol in counted else -1 for symbol in written["symbols"]]
        return Step(kind=kind, column=column, symbols=tuple(places))
    if kind is Kind.TEXT:
        text = limit if isinstance(limit, Text) else ANY_TEXT
        return Step(kind=kind, column=column, least=text.shortest, most=text.longest, nul=text.nul)
    if kind not in (Kind.LONG, Kind.DOUBLE) or not isinstance(limit, Number | Instant):
        return Step(kind=kind, column=column)
    least, most = (limit.least, limit.most) if isinstance(limit, Number) else (limit.since, limit.before - 1)
    if kind is Kind.DOUBLE:
        return Step(kind=kind, column=column, floor=float(least), ceiling=float(most))
    return Step(kind=kind, column=column, least=max(_LEAST_LONG, math.ceil(least)), most=min(_LARGEST_LONG, math.floor(most)))


def kind_of(node: Any) -> Kind:
    """The kind of a plain type; REFUSED for any other."""
    is_enum = isinstance(node, Mapping) and node["type"] == "enum"
    return Kind.ENUM if is_enum else _KINDS.get(_name(node), Kind.REFUSED)


def _branches(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]


def _name(node: Any) -> str:
    """What a type is called: the name of an enum, else its kind."""
    if isinstance(node, Mapping):
        return f"enum {_short(node['name'])}" if node["type"] == "enum" else str(node["type"])
    return str(node)


def _short(name: str) -> str:
    return name.rsplit(".", 1)[-1]
