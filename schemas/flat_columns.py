"""Some fields of many flat records at once, a tuple for each: what reports read of large logs instead of records.

Rules: a record is told only if `schemas.codec` would take it and give the same values; whatever is unusual or wrong is None and left
to the codec, which says why. Only plain fields can be asked for: texts (null or not), whole numbers, numbers and symbols.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.avro_columns import Room, fill, room
from schemas.avro_programs import Column, Kind, Program, as_arrays, kind_of, program
from schemas.catalogue import FOREIGN, SchemaCatalogue
from schemas.pieces import Pieces

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]
_HELD: Final = Kind.TEXT, Kind.LONG, Kind.DOUBLE, Kind.ENUM


class FlatReader:
    """Reads these fields of payloads of one record. Holds nothing between calls: safe to share between threads."""

    def __init__(self, catalogue: SchemaCatalogue, record: str, fields: Sequence[str]) -> None:
        """Raises KeyError where the record has no such plain field."""
        definition = catalogue.followed(record).definition
        types = {field["name"]: field["type"] for field in definition["fields"]}
        self._symbols = tuple(dict.fromkeys(symbol for name in fields for symbol in _symbols(types[name])))
        self._fields = _placed({name: types[name] for name in fields})
        written = [each for each in catalogue.of_record(record) if each.version != FOREIGN]
        made = [program(each.id, each.definition, definition, self._fields, self._symbols) for each in written]
        self._programs = as_arrays([each for each in made if each is not None and self._is_held(each)])

    def _is_held(self, written: Program) -> bool:
        """Whether empty columns stand for what this writer never wrote."""
        asked = [(self._fields[name], default) for name, default in written.missing.items() if name in self._fields]
        return all(column.nullable and default is None for column, default in asked)

    def read(self, payloads: Pieces) -> list[tuple[Any, ...] | None]:
        """The fields of each record in the order in which they were asked for; None: ask the codec."""
        kinds = [column.kind for column in self._fields.values()]
        into = room(
            len(payloads), texts=kinds.count(Kind.TEXT), longs=kinds.count(Kind.LONG), doubles=kinds.count(Kind.DOUBLE),
            enums=kinds.count(Kind.ENUM),
        )  # fmt: skip
        tight = payloads.trimmed()
        fill(tight.buffer, tight.begins, tight.ends, self._programs, into)
        places, whole = np.flatnonzero(into.fit), tight.buffer.tobytes()
        rows = zip(*(self._column(column, into, places, whole) for column in self._fields.values()), strict=True)
        if len(places) == len(payloads):
            return list(rows)
        told = dict(zip(places.tolist(), rows, strict=True))
        return [told.get(place) for place in range(len(payloads))]

    def _column(self, column: Column, into: Room, places: Words, whole: bytes) -> list[Any]:
        """What a column says at these places."""
        if column.kind is Kind.TEXT:
            begins, sizes = into.begins[column.place][places], into.sizes[column.place][places]
            ends = (begins + sizes).tolist()
            return [None if end < begin else str(whole[begin:end], "utf-8") for begin, end in zip(begins.tolist(), ends, strict=True)]
        if column.kind is Kind.ENUM:
            return [self._symbols[each] for each in into.enums[column.place][places].tolist()]
        numbers: NDArray[Any] = (into.longs if column.kind is Kind.LONG else into.doubles)[column.place][places]
        return list(numbers.tolist())


def _placed(types: Mapping[str, Any]) -> dict[str, Column]:
    """Each field with its place among those of its kind."""
    counts, columns = dict.fromkeys(_HELD, 0), dict[str, Column]()
    for name, said in types.items():
        kind = kind_of(_own(said))
        columns[name] = Column(kind, counts[kind], nullable=kind is Kind.TEXT and isinstance(said, list))
        counts[kind] += 1
    return columns


def _own(said: Any) -> Any:
    """The type itself, where it may be null."""
    return next(branch for branch in said if branch != "null") if isinstance(said, list) else said


def _symbols(said: Any) -> list[str]:
    """The symbols of an enum."""
    own = _own(said)
    return list(own["symbols"]) if kind_of(own) is Kind.ENUM else []
