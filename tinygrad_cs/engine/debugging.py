"""What `tg.debug()` does: finds the user's line, freezes arrays, stops at the first NaN."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy

from .errors import NonFiniteError
from .record import Operation
from .types import Array, np

_INSIDE = (str(Path(__file__).parents[1]), str(Path(numpy.__file__).parent))


def user_line() -> str:
    """`file:line` of the innermost caller that is neither this library nor NumPy."""
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith(_INSIDE) or frame.f_code.co_filename == "<string>"
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


_holds: dict[int, int] = {}
"""How many sites keep an array read-only, by its id (a site keeps the array alive)."""


class Site:
    """Where a node was made; while it lives, the arrays its rules will read are read-only."""

    __slots__ = ("_arrays", "_line")

    def __init__(self, saved: Iterable[Any] = ()) -> None:
        self._line = user_line()
        self._arrays: list[Array] = []
        for value in saved:
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray) and (array.flags.writeable or id(array) in _holds):
                    array.flags.writeable = False
                    _holds[id(array)] = _holds.get(id(array), 0) + 1
                    self._arrays.append(array)

    def __del__(self) -> None:
        for array in self._arrays:
            _holds[id(array)] -= 1
            if not _holds[id(array)]:
                del _holds[id(array)]
                # a view cannot be thawed while another site holds the array under it
                with contextlib.suppress(ValueError):
                    array.flags.writeable = True

    def __str__(self) -> str:
        return self._line


def watch_forward(op: Operation, values: list[Any], out: Any) -> None:
    """Stop if a value that was just computed is not finite."""
    if not np.isfinite(out).all():
        ranges = ", ".join(
            f"{name} in {value_range(v)}" for name, v in zip(op.operands, values, strict=False)
        )
        raise NonFiniteError(f"{op.name} produced {_what(out)}: {ranges} (at {user_line()})")


def watch_backward(op: Operation, operand: str, contribution: Any, values: Any, site: str) -> None:
    """Stop if a cotangent that was just computed is not finite."""
    value = np.asarray(getattr(contribution, "_data", contribution))
    if not np.isfinite(value).all():
        ranges = ", ".join(
            f"{name} in {value_range(v)}"
            for name, v in values.items()
            if isinstance(v, (float, np.ndarray))
        )
        raise NonFiniteError(
            f"the derivative of {op.name} with respect to {operand} produced {_what(value)}"
            f"{': ' + ranges if ranges else ''}{site}"
        )


def _what(values: Any) -> str:
    return "NaN" if np.isnan(values).any() else "an infinite value"


def value_range(value: Any) -> str:
    """`[smallest, largest]` of the finite entries, and how many are not finite."""
    array = np.asarray(value)
    if array.size == 0 or array.dtype.kind not in "fiub":
        return f"{array.dtype} {array.shape}"
    finite = array[np.isfinite(array)]
    bounds = f"[{finite.min():g}, {finite.max():g}]" if finite.size else "[]"
    others = array.size - finite.size
    return bounds + (f" and {others} not finite" if others else "")
