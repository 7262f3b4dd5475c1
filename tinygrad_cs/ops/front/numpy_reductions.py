"""NumPy's `where=` and `initial=` of reductions, which the array API standard does without.

Entries outside `where` are not connected, as those that `tg.where` leaves out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from ...engine.record import BY_NUMPY
from ...engine.types import Axis, np
from ..axes import raw
from ..elementwise.arithmetic import add, multiply
from ..elementwise.extremes import maximum, minimum
from ..elementwise.selection import where as choose
from ..reductions import reductions
from ..reductions.product import prod


def _kept(name: str, x: Any, where: Any, otherwise: Any) -> Any:
    """x with `otherwise` in place of entries outside `where`."""
    if where is True:
        return x
    shape, mask = raw(x).shape, raw(where)
    if np.broadcast_shapes(mask.shape, shape) != shape:
        raise ShapeError(f"{name}: where= of shape {mask.shape} does not fit x of shape {shape}")
    return choose(mask, x, otherwise)


def _from(initial: Any, out: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """The result together with `initial`; a NumPy number is one without a dtype of its own."""
    if initial is None:
        return out
    return combine(out, initial.item() if isinstance(initial, np.generic) else initial)


def _sum(
    x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    out = reductions.sum(_kept("sum", x, where, 0), axis, keepdims)
    return _from(initial, out, add)


def _prod(
    x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    return _from(initial, prod(_kept("prod", x, where, 1), axis, keepdims), multiply)


def _mean(x: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
    if where is True:
        return reductions.mean(x, axis, keepdims)
    total = _sum(x, axis, keepdims, where=where)
    count = np.sum(np.broadcast_to(raw(where), raw(x).shape), axis=axis, keepdims=keepdims)
    return total / np.asarray(count, total.dtype)


def _max(
    x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    out = reductions.max(_at_best("max", x, where, initial, -math.inf), axis, keepdims)
    return _from(initial, out, maximum)


def _min(
    x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    out = reductions.min(_at_best("min", x, where, initial, math.inf), axis, keepdims)
    return _from(initial, out, minimum)


def _at_best(name: str, x: Any, where: Any, initial: Any, limit: float) -> Any:
    if where is not True and initial is None:
        raise ArgumentError(f"{name}: with where= give initial=, the value where nothing is left")
    return _kept(name, x, where, limit if raw(x).dtype.kind == "f" else initial)


BY_NUMPY[np.sum], BY_NUMPY[np.prod], BY_NUMPY[np.mean] = _sum, _prod, _mean
BY_NUMPY[np.max] = BY_NUMPY[np.amax] = _max
BY_NUMPY[np.min] = BY_NUMPY[np.amin] = _min
