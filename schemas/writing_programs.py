"""From a record's Avro schema to the steps that write its body: arrays, so that compiled code (`schemas/avro_bodies.py`) can follow them.

The record comes as msgpack: its fields as an array in the order of the schema, records inside it as maps in the order of their structs.
Rules: a program writes what fastavro writes, or there is none: of unions only "null or something" is known, maps and bytes are not, and
a record inside must have its fields in the order of its schema.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final, NamedTuple, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.shapes import alternatives, field_types

WIDTH: Final = 4
"""Numbers in a step: what it does, and up to three more."""
DEEPEST: Final = 4
"""So many arrays may be in one another."""


class Does(IntEnum):
    """What a step does with what comes next in the msgpack."""

    END = 0
    TEXT = 1
    LONG = 2
    DOUBLE = 3
    BOOLEAN = 4
    ENUM = 5  # symbols from, to
    KEY = 6  # skip the name of a field
    MAP = 7  # the head of a record inside: how many fields
    ARRAY = 8  # step behind it
    NEXT = 9  # of an array: step of its first, again while there are more
    MAYBE = 10  # step behind it, branch of what is not null, branch of null


SIMPLE: Final = {"string": Does.TEXT, "int": Does.LONG, "long": Does.LONG, "double": Does.DOUBLE, "boolean": Does.BOOLEAN}


class Unknown(Exception):
    """The schema holds what programs do not know."""


class Program(NamedTuple):
    """Steps (`WIDTH` numbers each), and the symbols of all enums: symbol i is `symbols[starts[i] : starts[i + 1]]`."""

    steps: NDArray[np.int64]
    symbols: NDArray[np.uint8]
    starts: NDArray[np.int64]


def program_of(schema: Mapping[str, Any], record_type: type[msgspec.Struct]) -> Program:
    """How to write a record. Raises Unknown."""
    steps: list[list[int]] = []
    symbols: list[bytes] = []
    maker = _Maker(steps, symbols)
    types = field_types(record_type)
    for field in schema["fields"]:
        maker.take(field["type"], types[field["name"]])
    steps.append([Does.END])
    starts = np.cumsum([0, *map(len, symbols)], dtype=np.int64)
    made = np.array([(step + [0] * WIDTH)[:WIDTH] for step in steps], np.int64).reshape(-1)
    return Program(made, np.frombuffer(b"".join(symbols) + b"\0", np.uint8), starts)


class _Maker:
    """Adds the steps of one type after the other."""

    def __init__(self, steps: list[list[int]], symbols: list[bytes]) -> None:
        self._steps, self._symbols = steps, symbols
        self._named: dict[str, Any] = {}
        self._depth = 0

    def take(self, schema: Any, kind: Any) -> None:
        """The steps of a value of this schema, of this Python type."""
        match schema:
            case list():
                self._maybe(schema, kind)
            case {"type": "array"}:
                self._array(schema["items"], get_args(kind)[0])
            case {"type": "enum"}:
                self._enum(schema)
            case {"type": "record"}:
                self._record(schema, kind)
            case {"type": simple} if isinstance(simple, str):
                self.take(simple, kind)
            case str() if schema in SIMPLE:
                self._steps.append([SIMPLE[schema]])
            case str() if (known := self._named.get(schema.rpartition(".")[2])) is not None:
                self.take(known, kind)
            case _:
                raise Unknown(str(schema))

    def _maybe(self, branches: list[Any], kind: Any) -> None:
        others = [branch for branch in branches if branch != "null"]
        if len(branches) != 2 or len(others) != 1:
            raise Unknown(str(branches))
        step = [Does.MAYBE, 0, branches.index(others[0]), branches.index("null")]
        self._steps.append(step)
        self.take(others[0], next(each for each in alternatives(kind) if each is not type(None)))
        step[1] = len(self._steps)

    def _array(self, items: Any, kind: Any) -> None:
        if self._depth == DEEPEST:
            raise Unknown(f"more than {DEEPEST} arrays in one another")
        step = [Does.ARRAY, 0]
        self._steps.append(step)
        first, self._depth = len(self._steps), self._depth + 1
        self.take(items, kind)
        self._depth -= 1
        self._steps.append([Does.NEXT, first])
        step[1] = len(self._steps)

    def _enum(self, schema: Mapping[str, Any]) -> None:
        self._named[schema["name"]] = schema
        self._steps.append([Does.ENUM, len(self._symbols), len(self._symbols) + len(schema["symbols"])])
        self._symbols += (symbol.encode() for symbol in schema["symbols"])

    def _record(self, schema: Mapping[str, Any], kind: type[msgspec.Struct]) -> None:
        self._named[schema["name"]] = schema
        types = field_types(kind)
        if (names := [field["name"] for field in schema["fields"]]) != list(types):
            raise Unknown(f"{kind.__name__} has its fields in another order than {names}")
        self._steps.append([Does.MAP, len(names)])
        for field in schema["fields"]:
            self._steps.append([Does.KEY])
            self.take(field["type"], types[field["name"]])
