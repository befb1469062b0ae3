"""A container of `export --avro` into a read model. Orders and touches, of which there are millions, are never made records.

Rules: what their columns cannot take is read by the codec, in its place; the rows are the same either way.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agents.reporting.read_model import PURCHASE, TOUCH, ReadModel, Row, Rows
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.flat_columns import FlatReader
from schemas.log_files import LogFileError, read_log
from schemas.pieces import Pieces
from schemas.topics import INPUTS

_IN_COLUMNS = {"orders": ("Order", "purchase", PURCHASE), "interactions": ("Interaction", "touch", TOUCH)}
"""Topic -> its record, its table, the fields that make a row."""


class ContainerFilling:
    """Puts the records of some topics into a read model."""

    def __init__(self, model: ReadModel, rows: Rows, topics: Collection[str]) -> None:
        self._model, self._rows, self._topics = model, rows, [topic for topic in INPUTS if topic in topics]
        self._codec = Codec()
        columns = {topic: said for topic, said in _IN_COLUMNS.items() if topic in topics}
        self._readers = {topic: FlatReader(self._codec.catalogue, record, fields) for topic, (record, _, fields) in columns.items()}

    def fill(self, path: Path, on_read: Callable[[int], None]) -> None:
        """All that the file holds of them. Raises SettingsError where it is no such file."""
        try:
            with path.open("rb") as file:
                for block in read_log(file):
                    for topic in self._topics:
                        its = np.flatnonzero(block.topic == block.topics.index(topic))
                        if len(its):
                            self._take(topic, block.payloads.picked(its))
                    on_read(block.payloads.size)
        except LogFileError as fault:
            raise SettingsError(f"file {path} cannot be read: {fault}") from fault

    def _take(self, topic: str, payloads: Pieces) -> None:
        if topic not in self._readers:
            self._model.fill(row for payload in payloads for row in self._of_record(topic, payload))
            return
        told = self._readers[topic].read(payloads)
        _, table, _ = _IN_COLUMNS[topic]
        row_of: Callable[[tuple[Any, ...]], Row] = self._rows.purchase if topic == "orders" else tuple
        self._model.put(table, self._made(topic, payloads, told, row_of))

    def _made(
        self, topic: str, payloads: Pieces, told: list[tuple[Any, ...] | None], row_of: Callable[[tuple[Any, ...]], Row]
    ) -> Iterator[Row]:
        for place, said in enumerate(told):
            if said is not None:
                yield row_of(said)
            else:
                yield from (row for _, row in self._of_record(topic, payloads[place]))

    def _of_record(self, topic: str, payload: bytes | None) -> Iterator[tuple[str, Row]]:
        record = self._rows.taken(self._codec.decode, topic, payload)
        return iter(()) if record is None else self._rows.of(record)
