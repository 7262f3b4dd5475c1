"""What stands for a value while a function is traced, and what happens when it is looked at."""

from __future__ import annotations

import sys
from typing import Any

from ...engine.errors import CompileError
from ...engine.modes import current_trace
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from ..program import Var, mapped

DECIDE = (
    "decide with tg.where, outside of the compiled function, or by an int or a string among its "
    "arguments, of which every value has a program of its own"
)


class ValueNeeded(CompileError):
    """Something asked for the value of an array that is only traced.

    Attributes:
        site: the user's line that asked.
        way_out: what to do instead.
    """

    def __init__(self, message: str, way_out: str = DECIDE) -> None:
        if current_trace() is None:
            message = (
                f"{message}, but it stands for a value in a program that tg.compile has traced: "
                f"what a compiled function keeps (self.last = ...) has no value; return it instead"
            )
        super().__init__(message)
        self.site = users_line()
        self.way_out = way_out


class ShapeNeeded(ValueNeeded):
    """The shape of a result would be another for other values."""


def users_line() -> str:
    """File and line of the innermost code on the way here that is not the library's."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name and not name.startswith(("tinygrad_cs", "numpy", "contextlib")):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


class StandIn:
    """A value of the program: what it was in the run that was traced, and its name."""

    __slots__ = ("example", "recorder", "stands_for")

    def __init__(self, example: Any, var: Var, recorder: Any) -> None:
        self.example = example
        self.stands_for = var
        self.recorder = recorder


def example_of(tree: Any) -> Any:
    """Nested arguments with examples in the place of what is traced."""
    return mapped(tree, lambda x: x.example if isinstance(x, StandIn) else x)


def ufunc_called(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """`__array_ufunc__` of arrays and numbers: NumPy asks what to do with its operands."""
    if any(isinstance(x, (Tensor, Scalar)) for x in inputs):
        return NotImplemented  # they know what to do with an array
    if getattr(np, ufunc.__name__, None) is not ufunc and method == "__call__":
        return self.recorder.helper(ufunc, inputs, kwargs)  # of another library
    call = ufunc if method == "__call__" else getattr(ufunc, method)
    out = kwargs.get("out", (None,))
    if len(out) == 1:  # one output: NumPy hands it over in a tuple
        kwargs.pop("out", None)
        written = out[0] if method != "at" else inputs[0]
        given = {} if out[0] is None else {"out": out[0]}
    else:
        raise ValueNeeded(f"{ufunc.__name__} with several outputs")
    if written is not None and not isinstance(written, StandIn):
        raise ValueNeeded(f"{ufunc.__name__} into an array that is not part of the program")
    result = call(*example_of(inputs), **example_of(kwargs | given))
    if written is None:
        return self.recorder.record("call", call, inputs, kwargs, result)
    self.recorder.record("call", call, inputs, kwargs | given, None, writes=written)
    return written
