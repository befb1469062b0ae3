"""Questions about a struct's field types, asked once for each type."""

import types
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec


@cache
def field_types(record_type: type[msgspec.Struct]) -> dict[str, Any]:
    """The type of each field, resolved, in order of declaration."""
    return {field.name: field.type for field in msgspec.structs.fields(record_type)}


def alternatives(field_type: Any) -> tuple[Any, ...]:
    """The members of a union, or the type alone."""
    return get_args(field_type) if get_origin(field_type) in (Union, types.UnionType) else (field_type,)


def is_nullable(field_type: Any) -> bool:
    """Whether None is a legal value."""
    return type(None) in alternatives(field_type)


def mentions(field_type: Any, wanted: Any) -> bool:
    """Whether a type is `wanted` or holds it at any depth."""
    return field_type is wanted or any(mentions(inner, wanted) for inner in get_args(field_type))


def holds_structs(record_type: type[msgspec.Struct]) -> bool:
    """Whether a record holds other structs, so that it is more than one level deep."""
    return any(_has_struct(field_type) for field_type in field_types(record_type).values())


def _has_struct(field_type: Any) -> bool:
    if isinstance(field_type, type) and not get_args(field_type):
        return issubclass(field_type, msgspec.Struct)
    return any(_has_struct(inner) for inner in get_args(field_type))
