"""Many payloads of `interactions` at once, as columns: what the compiled fold reads instead of records.

Rules: a record is fit only if `schemas.codec` would take it and give the same values; whatever is unusual (another record's
schema, an overlong number) or wrong is unfit and left to the codec, which says why.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from schemas.avro_columns import fill, room
from schemas.avro_programs import Column, Kind, Program, as_arrays, program
from schemas.catalogue import FOREIGN, SchemaCatalogue
from schemas.records.inputs import Actor, Interaction

_ACTORS: Final = get_args(Actor)
_TEXTS: Final = ("event_id", "account_id", "kind", "contact_id", "campaign_id")
_COLUMNS: Final[Mapping[str, Column]] = {
    **{name: Column(Kind.TEXT, place, nullable=name in ("contact_id", "campaign_id")) for place, name in enumerate(_TEXTS)},
    "occurred_at": Column(Kind.LONG),
    "actor": Column(Kind.ENUM),
    "dwell_seconds": Column(Kind.DOUBLE, nullable=True),
}
# What columns hold of a field that the writer's schema lacks, and so the only defaults that they can stand for.
_UNWRITTEN: Final[Mapping[str, Any]] = {"actor": _ACTORS[0], "contact_id": None, "campaign_id": None, "dwell_seconds": None}


class InteractionColumns(NamedTuple):
    """A place per payload; of an unfit record only `fit` says something. A text begins at a place of the buffer.

    `actor` counts as the literal `Actor` does. `contact_size`, `campaign_size` -1: none. `dwell_seconds` 0.0: not measured, or 0.
    """

    fit: NDArray[np.uint8]
    event_begin: NDArray[np.int64]
    event_size: NDArray[np.int32]
    account_begin: NDArray[np.int64]
    account_size: NDArray[np.int32]
    kind_begin: NDArray[np.int64]
    kind_size: NDArray[np.int32]
    occurred_at_ms: NDArray[np.int64]
    actor: NDArray[np.uint8]
    contact_begin: NDArray[np.int64]
    contact_size: NDArray[np.int32]
    campaign_begin: NDArray[np.int64]
    campaign_size: NDArray[np.int32]
    dwell_seconds: NDArray[np.float64]


class InteractionDecoder:
    """Reads payloads of `interactions` into columns. Holds nothing between calls: safe to share between threads."""

    def __init__(self, catalogue: SchemaCatalogue) -> None:
        self._programs = as_arrays(_programs(catalogue))

    def decode(self, buffer: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> InteractionColumns:
        """The columns of the payloads buffer[begins[i]:ends[i]]; an empty one stands for none and is unfit.

        Code is compiled per kind of array: hand in the same kind always, best what `np.frombuffer` makes of bytes.
        """
        into = room(len(begins), texts=len(_TEXTS), longs=1, doubles=1, enums=1)
        fill(buffer, begins, ends, self._programs, into)
        event, account, kind, contact, campaign = zip(into.begins, into.sizes, strict=True)
        return InteractionColumns(into.fit, *event, *account, *kind, into.longs[0], into.enums[0], *contact, *campaign, into.doubles[0])


def _programs(catalogue: SchemaCatalogue) -> list[Program]:
    """The programs of the schemas whose records columns can hold."""
    name = Interaction.__name__
    written = [schema for schema in catalogue.of_record(name) if schema.version != FOREIGN]
    made = [program(each.id, each.definition, catalogue.followed(name).definition, _COLUMNS, _ACTORS) for each in written]
    return [each for each in made if each is not None and _is_held(each.missing)]


def _is_held(missing: Mapping[str, Any]) -> bool:
    """Whether empty columns stand for what this writer never wrote."""
    return all(name not in _COLUMNS or (name in _UNWRITTEN and _UNWRITTEN[name] == default) for name, default in missing.items())
