"""How plain functions over arrays are compiled. Alone in knowing numba.

Rules: nothing is compiled before it is first called; floating-point arithmetic keeps its order, so that the function run
uncompiled (NUMBA_DISABLE_JIT=1) gives the same bits. A compiled function borrows its arrays: it neither makes nor returns any,
so that none of its calls counts references (several times slower where many arrays are handed down); `allocating` is for the
rare one that makes arrays for itself.

What Python calls is compiled whole: what it calls in turn goes through the optimiser and becomes machine code with it and is kept with
it, not by itself as well, which takes half the time.

Compiled code is kept on disk and taken again while all that it was made of is the same: numba looks at the file of the outermost
function alone, `schemas.fingerprints` at what it calls and names. Where code cannot be kept it is compiled anew in each process,
and `cache_refused` says why.

`trailing_zeros` and `bits_set` are one instruction each where they are compiled.

A `foreign` function is one of a library, called by its address: whole words go in and come out, pointers among them, and nobody checks
them. It must be `link`ed before code that calls it is first called.
"""

import ctypes
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Flags, compile_extra
from numba.core.registry import CPUDispatcher
from numba.core.typing import make_concrete_template
from numba.extending import intrinsic

from schemas.fingerprints import fingerprint

_Function = TypeVar("_Function", bound=Callable[..., object])

_linked: dict[str, int] = {}

_refusals: list[str] = []
_listeners: list[Callable[[str], None]] = []


def compiled(function: _Function) -> _Function:
    """The function, compiled for the types of its arguments when it is first called with them."""
    return _compiled(function, makes_arrays=False)


def allocating(function: _Function) -> _Function:
    """As `compiled`, for a function that makes arrays and forgets them before it returns."""
    return _compiled(function, makes_arrays=True)


def foreign(name: str, arguments: int) -> Any:
    """A function of a library for compiled code, known by a name of ours: of so many words, it gives one."""
    if config.DISABLE_JIT:
        return _Foreign(name, arguments)
    return types.ExternalFunction(name, types.intp(*(types.intp,) * arguments))


def link(name: str, address: int) -> None:
    """The foreign function of this name stands there."""
    _linked[name] = address
    llvm.add_symbol(name, address)


class _Foreign:
    """A foreign function for code that is not compiled."""

    def __init__(self, name: str, arguments: int) -> None:
        self._name, self._made = name, ctypes.CFUNCTYPE(ctypes.c_ssize_t, *(ctypes.c_ssize_t,) * arguments)

    def __call__(self, *words: int) -> int:
        return int(self._made(_linked[self._name])(*map(int, words)))


def _instruction(plain: Callable[[np.uint64], int], built: Callable[[Any, Any], Any]) -> Callable[[np.uint64], int]:
    """A function of one word that the processor has an instruction for; `plain` says what it gives."""
    if config.DISABLE_JIT:
        return plain

    def typed(_context: Any, _word: Any) -> Any:
        return types.int64(types.uint64), lambda _target, builder, _signature, words: built(builder, words[0])

    made: Any = intrinsic(typed)
    made.py_func = plain  # for the fingerprint
    known: Callable[[np.uint64], int] = made
    return known


def _trailing_zeros(word: np.uint64) -> int:
    return (int(word) & -int(word)).bit_length() - 1


def _bits_set(word: np.uint64) -> int:
    return int(word).bit_count()


trailing_zeros = _instruction(_trailing_zeros, lambda builder, word: builder.cttz(word, ir.Constant(ir.IntType(1), 1)))
"""How many bits below the lowest one that is set are not; there must be one."""
bits_set = _instruction(_bits_set, lambda builder, word: builder.ctpop(word))
"""How many bits are set."""


def cache_refused() -> str | None:
    """Why compiled code could not be read from disk or kept there, the first time; None: it could, or nothing was compiled yet."""
    return _refusals[0] if _refusals else None


def on_compiling(listener: Callable[[str], None]) -> None:
    """Have `listener` told the name of each function that is about to be compiled because no code of it is kept."""
    _listeners.append(listener)


def _about_to_compile(function: Callable[..., object]) -> None:
    for listener in _listeners:
        listener(f"{function.__module__}.{function.__qualname__}")


def _compiled(function: _Function, *, makes_arrays: bool) -> _Function:
    if config.DISABLE_JIT:
        return function
    # Nobody calls from C: without an entry for that, compiling takes a tenth less.
    options = {"nopython": True, "nogil": True, "error_model": "numpy", "_nrt": makes_arrays, "no_cfunc_wrapper": True}
    made: Any = _Compiled(function, targetoptions={**options, "boundscheck": None})
    made._cache = _KeptCode(function, {"makes_arrays": makes_arrays, "bounds": bool(config.BOUNDSCHECK)})
    kept: _Function = made
    return kept


class _Compiled(CPUDispatcher):
    """A function as numba gives it to Python. Compiled code that calls it is given the bare code of it, to take in."""

    def __init__(self, function: Callable[..., object], targetoptions: dict[str, object]) -> None:
        super().__init__(function, targetoptions=targetoptions)
        self._taken_in: dict[tuple[Any, ...], tuple[_BareCode, Any]] = {}

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What numba asks when it meets a call: a template, and how the arguments are passed."""
        passed, arguments = self.fold_argument_types(args, kws)
        _, signature = self._bare(tuple(arguments))
        name = self.py_func.__name__
        return make_concrete_template(name, key=name, signatures=[signature]), passed, arguments, {}

    def get_overload(self, sig: Any) -> Any:
        """Under what numba knows the code of such a call."""
        return self._bare(tuple(sig))[0]

    def _bare(self, arguments: tuple[Any, ...]) -> "tuple[_BareCode, Any]":
        if arguments not in self._taken_in:
            _about_to_compile(self.py_func)
            flags = Flags()
            self.targetdescr.options.parse_as_flags(flags, {**self.targetoptions, "no_cpython_wrapper": True})
            flags.no_compile = True
            code = _BareCode(self.targetctx.codegen(), self.py_func.__qualname__)
            made = compile_extra(self.typingctx, self.targetctx, self.py_func, arguments, None, flags, {}, code)
            self.targetctx.insert_user_function(code, made.fndesc, [code])
            self._taken_in[arguments] = code, made.signature
        return self._taken_in[arguments]


class _BareCode(JITCodeLibrary):
    """Code to be taken in by other code, with all that it calls: never run by itself, so neither optimised nor made machine code."""

    def finalize(self) -> None:
        """Be ready to be taken in."""
        for called in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(called._reload_init)
            self._final_module.link_in(called._get_module_for_linking(), preserve=True)
        self._finalized = True


class _Disk(FunctionCache):
    """numba's cache of one function. Its entries go by a name of our own, which says what the code was made of and how.

    numba's own name holds classes; where one of them was renamed since, the whole list could not be read any more.
    """

    options: object = None

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        arguments = sig if isinstance(sig, tuple) else sig.args
        made_of = fingerprint(self._py_func, tuple(_named_tuples(arguments)))
        return f"{arguments} {codegen.magic_tuple()} {made_of} {self.options}"


def _named_tuples(kinds: Iterable[Any]) -> Iterator[type]:
    """The classes of the named tuples among numba's types, those inside others too."""
    for kind in kinds:
        if isinstance(kind, types.NamedTuple | types.NamedUniTuple):
            yield kind.instance_class
        if isinstance(kind, types.BaseTuple):
            yield from _named_tuples(kind.types)


class _KeptCode:
    """What numba asks of a function's cache. The disk is first looked at when the function is first called."""

    def __init__(self, function: Callable[..., object], options: object) -> None:
        self._function = function
        self._options = options
        self._disk: Any = None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code kept for a signature, or None."""
        found = self._asked(lambda disk: disk.load_overload(sig, target_context))
        if found is None:
            _about_to_compile(self._function)
        return found

    def save_overload(self, sig: Any, made: Any) -> None:
        """Keep the code of a signature, if that can be."""
        self._asked(lambda disk: disk.save_overload(sig, made))

    def _asked(self, ask: Callable[[Any], Any]) -> Any:
        """What the disk answers; None if it cannot."""
        try:
            if self._disk is None:
                self._disk = _Disk(self._function)
                self._disk.options = self._options
            return _answer(self._disk, ask)
        except (OSError, RuntimeError) as fault:
            _refusals.append(f"{type(fault).__name__}: {fault}")
            return None


def _answer(disk: Any, ask: Callable[[Any], Any]) -> Any:
    """What the disk answers; where a crash left half a file, what was kept of this function is forgotten."""
    try:
        return ask(disk)
    except (EOFError, pickle.UnpicklingError):
        disk.flush()
        return None
