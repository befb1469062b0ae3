"""What a compiled function was made of: the digest of everything besides its own file that its code depends on."""

import hashlib
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, complex, str, bytes, tuple, np.generic, type(None))


def fingerprint(function: Callable[..., object], types: tuple[object, ...] = ()) -> str:
    """The digest of the sources of a function and of all that it calls, of the constants that they name, and of the fields
    of the named tuples that they make or are given (`types`: numba's types of the arguments).
    """
    parts = sorted(set(_parts(function, set())))
    fields = [repr(_fields(getattr(each, "instance_class", None))) for each in types]
    return hashlib.sha256("\n".join([*parts, *fields]).encode()).hexdigest()


def _parts(function: Any, met: set[Any]) -> Iterator[str]:
    """What a function is made of, one line each."""
    if function in met:
        return
    met.add(function)
    yield _source(function.__code__.co_filename)
    for name, held in _named(function):
        called = getattr(held, "py_func", None)
        if called is not None:
            yield from _parts(called, met)
        elif isinstance(held, np.ndarray):
            yield f"{name} {held.dtype} {held.shape} {hashlib.sha256(held.tobytes()).hexdigest()}"
        elif isinstance(held, _PLAIN):
            yield f"{name} {held!r}"
        elif isinstance(held, type):
            yield f"{name} {_fields(held)!r}"


def _named(function: Any) -> Iterator[tuple[str, Any]]:
    """The names that a function's code uses and what stands behind them, also as attributes of a module."""
    spread = function.__globals__
    names = list(_names(function.__code__))
    for name in names:
        held = spread.get(name)
        if isinstance(held, ModuleType):
            yield from ((f"{name}.{inner}", getattr(held, inner)) for inner in names if hasattr(held, inner))
        elif name in spread:
            yield name, held


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _fields(kind: Any) -> object:
    """The order of a named tuple's fields, the values of an enum."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [(member.name, member.value) for member in kind]
    return getattr(kind, "_fields", None)


@cache
def _source(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
