"""What a function calls its arguments, which of them a program knows, and what it refers to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, EllipsisType, FunctionType, MethodType
from typing import Any

from ...engine.types import np
from ..entry import Spot
from .scalars import is_filled


def names_of(f: Callable[..., Any], count: int) -> list[str]:
    """What a function calls its positional arguments."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # (of a function that is not written in Python)
        parameters = ()  # type: ignore[assignment]
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [p.name for p in parameters if p.kind in kinds]
    return [*names, *["x"] * count][:count]


_KNOWN = (
    *(type, FunctionType, BuiltinFunctionType, MethodType, partial, np.ufunc),
    *(type(None), EllipsisType, slice),
)


def is_known(x: Any) -> bool:
    """Is an argument the same whenever it is equal, or one that tells what it holds?

    What is hashed by its identity may hold other values in the next call, and still be equal.
    """
    if isinstance(x, _KNOWN) or hasattr(type(x), "captured_by"):
        return True
    if type(x).__module__.partition(".")[0] == "tinygrad_cs":
        return True
    own: Any = type(x).__hash__
    return own is not None and own is not object.__hash__


def modules_of(f: Any) -> list[tuple[Spot, Any]]:
    """The modules that a function refers to by name, so that parameters get the model's names."""
    code = getattr(f, "__code__", None)
    if code is None:
        return []
    names = [name for name in code.co_names if name in f.__globals__]
    found = [(Spot(f.__globals__, f"[{name!r}]"), f.__globals__[name]) for name in names]
    for cell in f.__closure__ or ():
        if is_filled(cell):
            found.append((Spot(cell, ".cell_contents"), cell.cell_contents))
    return [
        (spot, x)
        for spot, x in found
        if hasattr(type(x), "captured_by") and hasattr(type(x), "forward")
    ]
