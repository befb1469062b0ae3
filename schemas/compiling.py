"""How plain functions over arrays are compiled. Alone in knowing numba."""

from collections.abc import Callable
from typing import TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """The function, compiled when it is first called; compiled code is kept on disk."""
    made: _Function = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return made
