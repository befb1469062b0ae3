"""From an Avro schema to the steps that read a record's body as msgpack: the way back of `schemas/writing_programs.py`, in the same steps.

Records become maps with the names of their fields. Rules: a program reads what fastavro reads, to the same values, or says that it cannot;
of unions only "null or something" is known, maps and bytes are not.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from schemas.writing_programs import DEEPEST, SIMPLE, WIDTH, Does, Program, Unknown


def reading_program_of(schema: Mapping[str, Any]) -> Program:
    """How to read a record of this schema. Names and symbols are kept as msgpack has them. Raises Unknown."""
    maker = _Maker()
    maker.take(schema)
    maker.steps.append([Does.END])
    starts = np.cumsum([0, *map(len, maker.texts)], dtype=np.int64)
    made = np.array([(step + [0] * WIDTH)[:WIDTH] for step in maker.steps], np.int64).reshape(-1)
    return Program(made, np.frombuffer(b"".join(maker.texts) + b"\0", np.uint8), starts)


class _Maker:
    """Adds the steps of one type after the other."""

    def __init__(self) -> None:
        self.steps: list[list[int]] = []
        self.texts: list[bytes] = []
        self._named: dict[str, Any] = {}
        self._depth = 0

    def take(self, schema: Any) -> None:
        """The steps of a value of this schema."""
        match schema:
            case list():
                self._maybe(schema)
            case {"type": "array"}:
                self._array(schema["items"])
            case {"type": "enum"}:
                self._named[schema["name"]] = schema
                self.steps.append([Does.ENUM, len(self.texts), len(self.texts) + len(schema["symbols"])])
                self.texts += map(msgspec.msgpack.encode, schema["symbols"])
            case {"type": "record"}:
                self._record(schema)
            case {"type": simple} if isinstance(simple, str):
                self.take(simple)
            case str() if schema in SIMPLE:
                self.steps.append([SIMPLE[schema]])
            case str() if (known := self._named.get(schema.rpartition(".")[2])) is not None:
                self.take(known)
            case _:
                raise Unknown(str(schema))

    def _maybe(self, branches: list[Any]) -> None:
        others = [branch for branch in branches if branch != "null"]
        if len(branches) != 2 or len(others) != 1:
            raise Unknown(str(branches))
        step = [Does.MAYBE, 0, branches.index(others[0]), branches.index("null")]
        self.steps.append(step)
        self.take(others[0])
        step[1] = len(self.steps)

    def _array(self, items: Any) -> None:
        if self._depth == DEEPEST:
            raise Unknown(f"more than {DEEPEST} arrays in one another")
        step = [Does.ARRAY, 0]
        self.steps.append(step)
        first, self._depth = len(self.steps), self._depth + 1
        self.take(items)
        self._depth -= 1
        self.steps.append([Does.NEXT, first])
        step[1] = len(self.steps)

    def _record(self, schema: Mapping[str, Any]) -> None:
        self._named[schema["name"]] = schema
        self.steps.append([Does.MAP, len(schema["fields"])])
        for field in schema["fields"]:
            self.steps.append([Does.KEY, len(self.texts)])
            self.texts.append(msgspec.msgpack.encode(field["name"]))
            self.take(field["type"])
