"""What a compiled function was made of: the digest of everything that its code depends on, as it is in memory.

Rules: whatever a function calls or names counts, in whatever file it stands: another body, constant, table, field order or
enum gives another fingerprint. Comments do not count.
"""

import hashlib
from collections.abc import Callable, Iterator
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, complex, str, bytes, np.generic, type(None))


def fingerprint(function: Callable[..., object], classes: tuple[type, ...] = ()) -> str:
    """The digest of a function, of the functions that it calls, the constants that they name, and the fields of the named
    tuples that they make or are given (`classes`: those of the arguments).
    """
    parts = sorted({*_parts(function, set()), *(_shape(each) for each in classes)})
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _parts(function: Any, met: set[Any]) -> Iterator[str]:
    """What a function is made of, a line each."""
    if function in met:
        return
    met.add(function)
    yield f"{function.__module__}.{function.__qualname__} {_body(function.__code__)} {function.__defaults__!r}"
    for name, held in _named(function):
        called = getattr(held, "py_func", held)  # what numba made remembers what it was made from
        if isinstance(called, FunctionType):
            yield from _parts(called, met)
        else:
            yield f"{name} {_shape(held)}"


def _body(code: CodeType) -> str:
    """Code without its place: what it does, with which constants and names."""
    constants = [_body(each) if isinstance(each, CodeType) else _shape(each) for each in code.co_consts]
    return repr((code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars))


def _named(function: Any) -> Iterator[tuple[str, Any]]:
    """The names that a function's code uses and what stands behind them, as attributes of a module too."""
    names = list(_names(function.__code__))
    spread = dict(function.__globals__)
    spread.update(zip(function.__code__.co_freevars, (cell.cell_contents for cell in function.__closure__ or ()), strict=True))
    for name in [*names, *function.__code__.co_freevars]:
        held = spread.get(name)
        if isinstance(held, ModuleType):
            yield from ((f"{name}.{inner}", getattr(held, inner)) for inner in names if _is_ours(held) and hasattr(held, inner))
        elif name in spread:
            yield name, held


def _is_ours(module: ModuleType) -> bool:
    """Not numpy or the standard library: their version is another matter, and their functions are not compiled from here."""
    return module.__name__.partition(".")[0] in {"schemas", "streams"}


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _shape(held: object) -> str:
    """A constant by its value, an array by its content, a class by the order of its fields or the values of its members."""
    if isinstance(held, type) and issubclass(held, Enum):
        return repr([(member.name, member.value) for member in held])
    if isinstance(held, type):
        return f"{held.__module__}.{held.__qualname__} {getattr(held, '_fields', None)!r}"
    if isinstance(held, np.ndarray):
        return f"{held.dtype} {held.shape} {hashlib.sha256(held.tobytes()).hexdigest()}"
    if isinstance(held, tuple | frozenset):
        inner = [_shape(each) for each in held]
        return f"{type(held).__name__} {inner if isinstance(held, tuple) else sorted(inner)!r}"
    return f"{type(held).__name__} {held!r}" if isinstance(held, _PLAIN) else type(held).__name__
