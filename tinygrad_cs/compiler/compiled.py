"""`tg.compile`: a function that runs as the NumPy program it was traced to."""

from __future__ import annotations

import copy
import functools
import inspect
import threading
import types
import warnings
from collections.abc import Callable
from typing import Any

from ..engine.errors import ArgumentError, CompileError
from ..engine.modes import current_mode
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from .entry import MISS, Entry, Otherwise
from .program import leaves_of
from .variant import Variant

_TRACING = threading.RLock()
"""One function is traced at a time: meanwhile stand-ins take the places of parameters."""

MANY = 8
"""So many programs for one function deserve a word."""


BACKENDS = ("numpy", "numba")


def compile(f: Callable[..., Any], backend: str = "numpy") -> Compiled:
    """The function as straight-line NumPy, traced in its first call and run from then on.

    Args:
        f: takes arrays, tensors, numbers, and nested tuples and dicts of them; it may call
            modules, losses, `backward()`, optimizers and schedules, so that a whole training step
            is one program. Captured parameters and buffers are arguments of the program, not
            frozen; other arrays and numbers that `f` finds outside are read once, when it is
            traced, and what else it does (print, append to a list) it does once. Nets of
            `tg.Scalar` become arithmetic on Python floats.
        backend: "numpy", or "numba": runs of operations, updates, convolutions and maxima of
            windows as loops that Numba compiles (`pip install "tinygrad_cs[numba]"`), equal up to
            rounding, as sums are added in another order (an infinite kernel times the zeros of
            padding is NaN there). The first call then takes seconds; the machine code is kept in
            files, in the folder TINYGRAD_CS_CACHE or the user's cache folder, and
            `compile_seconds` is the time that it took to make or to load.

    Traced once for each combination of shapes, dtypes and other arguments, and of the state that
    it depends on (training mode, layers, which gradients are there); floats may differ from call
    to call, of ints and strings each value has its program. While it is traced no other thread
    may use the same model. Random numbers are drawn anew
    in every call from the generator that `tg.manual_seed` seeds. Results equal those of `f`
    itself; one that is still to be differentiated with respect to an argument is computed by `f`
    (compile the derivative instead: `tg.compile(tg.func.grad(f))`). Where a value is wrong (a
    class that does not exist), `f` itself says so, and parameters, buffers and generators are as
    before the call.

    Raises `CompileError` where the value of an array decides what `f` does (a branch, a loop over
    entries, `float(...)`): take such decisions outside, or with `tg.where`; and where an argument
    is an object that may change without the program knowing: pass what is needed of it.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> slope = tg.compile(tg.func.grad(lambda x: (tg.tanh(x) ** 2).sum()))
        >>> slope(np.array([0.0, 1.0])).round(4)
        array([0.    , 0.6397])
        >>> print(slope.source)
        import numpy as np
        ...
            # forward
            tanh = np.tanh(x)  # tanh
        <BLANKLINE>
            # backward
            d_x = 2 * tanh * (1 - tanh * tanh)  # d loss / d x, through tanh
            return (d_x,)
        <BLANKLINE>
    """
    if not callable(f):
        raise ArgumentError(f"compile: expected a function, got {type(f).__name__}")
    if inspect.iscoroutinefunction(f) or inspect.isgeneratorfunction(f):
        raise CompileError(
            "compile: expected a function that returns its results, got one with await or yield; "
            "compile the step, and wait or yield around it"
        )
    if backend not in BACKENDS:
        raise ArgumentError(
            f'compile: expected backend="numpy" or backend="numba", got {backend!r}'
        )
    if backend == "numba":
        from .loops import require_numba

        require_numba()
    return Compiled(f, backend)


def _has_history(x: Any) -> bool:
    """Was this argument computed? What is made of it joins its graph, which no program does."""
    node = x if isinstance(x, Scalar) else x._node if isinstance(x, Tensor) else None
    return node is not None and node.plan is not None


class Compiled:
    """A function together with the programs it was traced to, one for each kind of arguments."""

    def __init__(self, f: Callable[..., Any], backend: str = "numpy") -> None:
        self._f = f
        self._backend = backend
        self._variants: list[Variant] = []
        self._count = 0
        functools.update_wrapper(self, f, updated=())

    @property
    def source(self) -> str:
        """The program of the last call as text that runs by itself, for reading."""
        return self._latest().source()

    @property
    def optimized_source(self) -> str:
        """The program of the last call as it runs: results go into buffers that are kept."""
        latest = self._latest()
        return latest.loops + latest.optimized_source

    @property
    def compile_seconds(self) -> float:
        """The time that Numba took for all programs so far; 0 with the backend "numpy"."""
        return sum(variant.compile_seconds for variant in self._variants)

    def _latest(self) -> Variant:
        if not self._variants:
            raise CompileError("compile: there is no source before the first call")
        return self._variants[0]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, by its program; traced first where there is none yet."""
        mode = current_mode()
        if mode.debugging or mode.trace is not None:
            return self._f(*args, **kwargs)
        variants = self._variants
        try:
            for variant in variants:
                result = variant.call(args, kwargs)
                if result is not MISS:
                    if variant is not variants[0]:  # the next call is likely to be like this one
                        self._variants = [variant, *(v for v in variants if v is not variant)]
                    return result
            if any(_has_history(x) for x in leaves_of((args, kwargs))):
                return self._f(*args, **kwargs)
            with _TRACING:
                result = self._traced(args, kwargs).call(args, kwargs)
            if result is MISS:
                raise CompileError(
                    "compile: the function changes what it depends on in a way that a program of "
                    "it cannot follow; set modes and attributes outside of it"
                )
            return result
        except Otherwise as found:  # the function itself knows what to say of such values
            return self._uncompiled(found.entry, args, kwargs)

    def _uncompiled(self, entry: Entry | None, args: Any, kwargs: Any) -> Any:
        if entry is None:
            return self._f(*args, **kwargs)
        put_back = entry.undo()
        try:
            return self._f(*args, **kwargs)
        except Exception:
            put_back()
            raise

    def _traced(self, args: Any, kwargs: Any) -> Variant:
        restless = {key for v in self._variants for key in v.restless()}
        variant = Variant(self._f, args, kwargs, restless, self._backend)
        for other in self._variants:  # that of a first call, without gradients, has done its part
            other.free()
        self._variants.insert(0, variant)
        self._noted()
        return variant

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        return Compiled(copy.deepcopy(self._f, memo), self._backend)

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self._f, self._backend)

    def _noted(self) -> None:
        self._count += 1
        if self._count == MANY + 1:
            warnings.warn(
                f"compile: {getattr(self._f, '__name__', 'the function')} was traced {self._count} "
                f"times, each time for other shapes, dtypes, numbers or states, and each costs "
                f"many calls. Give it arrays of the same shape (drop_last=True), and what changes "
                f"as an array or a float",
                stacklevel=4,
            )
