"""Modes: whether operations are recorded, whether they are watched, default dtype, random seed.

A mode is a context variable: separate per thread and per asyncio task, restored when its block
ends, by an exception too. Each is usable as a context manager and as a decorator.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np

from .errors import ArgumentError, CompileError, DTypeError

F = TypeVar("F", bound=Callable[..., Any])


class Mode(NamedTuple):
    """What the calling path looks at: are operations recorded, watched, or traced."""

    recording: bool
    debugging: bool
    trace: Any = None


PLAIN = Mode(True, False)
"""The mode outside every block."""

MODE: ContextVar[Mode] = ContextVar("tinygrad_cs.mode", default=PLAIN)
current_mode = MODE.get

CHANGED: list[bool] = []
"""Empty until the first mode block of the process: so long the mode is `PLAIN` without asking.

It stays filled, because a copied context (an asyncio task) may outlive the block it came from.
"""


class _ModeChange(ContextDecorator):
    """A block inside which some fields of the mode differ."""

    _changes: ClassVar[dict[str, bool]]

    def __init__(self) -> None:
        self._tokens: list[Token[Mode]] = []

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            raise ArgumentError(
                f"{type(self).__name__}: a decorated generator function runs outside the block; "
                f"write `with {type(self).__name__}():` inside it, between two yields"
            )
        return super().__call__(function)

    def _recreate_cm(self) -> Self:
        # A decorated function may run in several threads at once: each call enters its own.
        return type(self)()

    def __enter__(self) -> Self:
        if not CHANGED:
            CHANGED.append(True)
        self._tokens.append(MODE.set(MODE.get()._replace(**self._changes)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        MODE.reset(self._tokens.pop())


class traced_by(_ModeChange):
    """Hand what happens inside the block to a trace, which makes a program of it."""

    def __init__(self, trace: Any) -> None:
        super().__init__()
        self._changes = {"trace": trace}  # type: ignore[misc]


def current_trace() -> Any:
    """The trace that the present block belongs to, None outside of one."""
    return current_mode().trace if CHANGED else None


def as_one(function: Callable[..., Any], *args: Any) -> Any:
    """function(*args), which a trace takes as one statement: it looks at values to find others."""
    trace = current_trace()
    return function(*args) if trace is None else trace.recorder.helper(function, args, {})


class no_grad(_ModeChange):
    """Record nothing inside this block or decorated function: faster, and no gradients.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([2.0], requires_grad=True)
        >>> with tg.no_grad():
        ...     print((w * 3).requires_grad)
        False
    """

    _changes: ClassVar[dict[str, bool]] = {"recording": False}


class enable_grad(_ModeChange):
    """Record again inside a `no_grad` block.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([2.0], requires_grad=True)
        >>> with tg.no_grad(), tg.enable_grad():
        ...     print((w * 3).requires_grad)
        True
    """

    _changes: ClassVar[dict[str, bool]] = {"recording": True}


class debug(_ModeChange):
    """Watch every operation: stop at the first infinite or NaN value, forward or backward.

    The error names the operation, the ranges of its operands and the user's line. Recorded arrays
    become read-only for as long as the graph needs them, and every node knows the line that made
    it. Slow; meant for finding a fault.

    Example:
        >>> import tinygrad_cs as tg
        >>> with tg.debug():
        ...     tg.sqrt(tg.tensor([-1.0]))
        Traceback (most recent call last):
        ...
        tinygrad_cs.engine.errors.NonFiniteError: sqrt produced NaN: x in [-1, -1] (at ...)
    """

    _changes: ClassVar[dict[str, bool]] = {"debugging": True}


_default_dtype: ContextVar[np.dtype[Any]] = ContextVar(
    "tinygrad_cs.dtype", default=np.dtype(np.float32)
)


def default_dtype() -> np.dtype[Any]:
    """Floating dtype given to Python numbers and lists of them; float32 unless set otherwise."""
    return _default_dtype.get()


def set_default_dtype(dtype: Any) -> None:
    """Set the floating dtype that Python floats and lists of them take (default float32).

    NumPy arrays keep their own dtype. Raises `DTypeError` for a dtype that is not floating.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.set_default_dtype("float64")
        >>> tg.tensor([1.0]).dtype
        dtype('float64')
        >>> tg.set_default_dtype("float32")
    """
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(f"set_default_dtype: expected a floating dtype, got {chosen}")
    _default_dtype.set(chosen)


_generator: ContextVar[np.random.Generator | None] = ContextVar(
    "tinygrad_cs.generator", default=None
)


def generator() -> np.random.Generator:
    """The random generator of this thread; `tg.manual_seed` seeds it."""
    trace = current_trace()
    if trace is not None:
        traced: np.random.Generator = trace.generator(_generator_of_thread)
        return traced
    return _generator_of_thread()


def _generator_of_thread() -> np.random.Generator:
    current = _generator.get()
    if current is None:
        current = np.random.default_rng()
        _generator.set(current)
    return current


def manual_seed(seed: int) -> np.random.Generator:
    """Seed everything this library draws at random in this thread, and return the generator.

    Example:
        >>> import tinygrad_cs as tg
        >>> a = tg.manual_seed(0).normal()
        >>> a == tg.manual_seed(0).normal()
        True
    """
    if current_trace() is not None:
        raise CompileError(
            "manual_seed inside a compiled function would seed once, when it is traced; seed "
            "outside, before the call"
        )
    fresh = np.random.default_rng(seed)
    _generator.set(fresh)
    return fresh
