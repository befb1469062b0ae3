"""Hypothesis strategies for every record: legal by construction, and as odd as legal allows.

`event(record_type)` and `inputs()` draw whole records; the strategies of single fields are there to be overridden:
`event(Interaction, account_id=st.sampled_from(["a", "b"]))`. `transitions()` and the other outputs are legal on the
wire, not legal chains.
"""

from typing import Any, Literal, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from schemas import records
from schemas.limits import LIMITS, Instant, Number, Text
from schemas.shapes import alternatives, field_types, is_nullable

LONGEST_DRAWN = 24
_LONGS = st.integers(-(2**63), 2**63 - 1)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=LONGEST_DRAWN)

INPUT_RECORDS: tuple[type[msgspec.Struct], ...] = (
    records.Interaction,
    records.Order,
    records.Invoice,
    records.Ticket,
    records.RiskSignal,
    records.AccountProfile,
    records.StageChange,
    records.Prediction,
    records.Command,
    records.Tick,
)
OUTPUT_RECORDS: tuple[type[msgspec.Struct], ...] = (records.TierTransition, records.FoldOrder, records.IngestProgress)

account_ids = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=LONGEST_DRAWN)
instants = st.integers(0, Instant().before - 1)


def event(record_type: type[msgspec.Struct], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of one type; `given` replaces the strategy of a field."""
    drawn = {name: given.get(name) or _field(name, field_type) for name, field_type in field_types(record_type).items()}
    return st.builds(record_type, **drawn)


def inputs(**given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of every input but ticks; `given` replaces fields that all of them have."""
    return st.one_of([event(record_type, **given) for record_type in INPUT_RECORDS if record_type is not records.Tick])


def any_record() -> st.SearchStrategy[Any]:
    """Records of every type on the wire."""
    return st.one_of([event(record_type) for record_type in INPUT_RECORDS + OUTPUT_RECORDS])


def _field(name: str, field_type: Any) -> st.SearchStrategy[Any]:
    kinds = [_kind(name, kind) for kind in alternatives(field_type) if kind is not type(None)]
    return st.one_of([*([st.none()] if is_nullable(field_type) else []), *kinds])


def _kind(name: str, kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is list:
        return st.lists(_field("", get_args(kind)[0]), max_size=3)
    if get_origin(kind) is dict:
        return st.dictionaries(_TEXTS, _field("", get_args(kind)[1]), max_size=3)
    if issubclass(kind, msgspec.Struct):
        return event(kind)
    return {str: _text, int: _integer, float: _float, bool: lambda _: st.booleans()}[kind](name)


def _text(name: str) -> st.SearchStrategy[str]:
    limit = LIMITS.get(name)
    if not isinstance(limit, Text):
        return _TEXTS
    if limit.longest == limit.shortest:
        return st.text("ABCXYZ", min_size=limit.shortest, max_size=limit.longest)
    letters = st.characters(codec="utf-8", exclude_characters="" if limit.nul else "\0")
    return st.text(letters, min_size=limit.shortest, max_size=LONGEST_DRAWN)


def _integer(name: str) -> st.SearchStrategy[int]:
    limit = LIMITS.get(name)
    if isinstance(limit, Instant):
        return st.integers(limit.since, limit.before - 1)
    return st.integers(int(limit.least), int(limit.most)) if isinstance(limit, Number) else _LONGS


def _float(name: str) -> st.SearchStrategy[float]:
    limit = LIMITS.get(name)
    return st.floats(limit.least, limit.most) if isinstance(limit, Number) else _FLOATS
