"""Norms of vectors, (sum |x_i|^p)^(1/p); at a kink the gradient of an entry that is 0 is 0."""

from __future__ import annotations

import math
from typing import Any

from ...engine.arrays import to_array
from ...engine.define import composition, operation
from ...engine.errors import ArgumentError
from ...engine.types import Axis, Shape, np
from ..axes import shape_of
from ..elementwise.powers import power
from ..elementwise.selection import where
from ..elementwise.signs import abs
from ..families import Case, Draw, reduction
from ..reductions.reductions import expand, max, min, reduced_axes, sum
from ..shapes.conversion import astype

__all__ = ["vector_norm"]


def _d_euclidean(g: Any, x: Any, out: Any, axis: Axis) -> Any:
    """x / |x|; 0 at 0, where the norm has a kink."""
    length = where(out == 0, math.inf, out)
    return expand(g, x.shape, axis) * (x / expand(length, x.shape, axis))


@operation(
    cases=reduction(),
    reference=lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    dx=_d_euclidean,
)
def euclidean_norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The square root of the sum of squares over `axis`; at 0 it has gradient 0."""
    values = np.asarray(x)
    if values.dtype.kind != "f":
        values = values.astype(float)
    return np.sqrt(np.sum(np.multiply(values, values), axis=axis, keepdims=keepdims))


def _d_power_norm(g: Any, x: Any, out: Any, axis: Axis, ord: float) -> Any:
    """sign(x) (|x| / norm)^(p - 1); 0 where x is 0."""
    length = expand(out, x.shape, axis)
    zero = (x == 0) | (length == 0)
    share = where(zero, 1, abs(x)) / where(length == 0, 1, length)
    slope = power(share, ord - 1)
    return expand(g, x.shape, axis) * where(zero, 0, where(x > 0, slope, -slope))


def _power_norm_reference(x: Any, axis: Axis, ord: float, keepdims: bool) -> Any:
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


@operation(
    cases=reduction((0.25, 2.0), ord=[3, 1.5, 0.5, -1]),
    reference=_power_norm_reference,
    dx=_d_power_norm,
)
def power_norm(x: Any, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The p-th root of the sum of p-th powers over `axis`."""
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def _count(x: Any, axis: Axis, keepdims: bool) -> Any:
    """How many entries are not 0, as a function of x whose derivative is 0."""
    values = to_array(x)
    counted = (values != 0).astype(np.result_type(values.dtype, np.float16))
    return sum(where(np.zeros(values.shape, bool), x, counted), axis, keepdims)


def in_floats(x: Any) -> Any:
    """Integers in float64, as NumPy measures them: the size of an int8 of -128 is none."""
    x = x if hasattr(x, "dtype") else to_array(x)
    return x if x.dtype.kind == "f" else astype(x, float)


def largest(x: Any, axis: Axis, keepdims: bool = False) -> Any:
    """The largest of entries that are not negative; of none it is 0, as is their sum."""
    shape = shape_of(x)
    nothing = any(shape[a] == 0 for a in reduced_axes(len(shape), axis))
    return (sum if nothing else max)(x, axis, keepdims)


def magnitudes(draw: Draw, shape: Shape) -> Any:
    """Entries of either sign, away from 0, no two of the same magnitude."""
    return np.asarray(draw.array(shape, (0.25, 2.0)) * draw.rng.choice([-1.0, 1.0], shape))


def vector_orders(x: Any) -> list[Any]:
    """Orders for checks; of nothing, the largest magnitude is 0 here and in recent NumPy."""
    return [2, 1, -math.inf, 0, 3, 1.5, 0.5, -1, *([math.inf] if x.size else [])]


def _vector_cases(draw: Draw) -> Case:
    x = magnitudes(draw, draw.shape())
    ord = draw.choice(vector_orders(x))
    return [x], {"axis": draw.axis(x.ndim), "keepdims": draw.flag(), "ord": ord}


@composition("x", numpy=np.linalg.vector_norm, cases=_vector_cases)
def vector_norm(x: Any, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """(sum |x_i|^p)^(1/p) over `axis` (default: all entries), with p = `ord`.

    Args:
        x: any shape.
        axis: one or several axes, which count as one vector.
        keepdims: keep them with length one.
        ord: 2 (default), 1, any other number, inf for the largest magnitude, -inf for the
            smallest, 0 for how many entries are not 0 (with derivative 0).

    Where the norm has a kink, the gradient of an entry that is 0 is 0, so that of 0 is 0.

    Raises `ArgumentError` for an `ord` that is no number.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.vector_norm(tg.tensor([3.0, -4.0]))
        tensor(5.)
    """
    if isinstance(ord, (str, bool)) or not isinstance(ord, (int, float, np.number)):
        raise ArgumentError(f"vector_norm: ord of a vector is a number, got {ord!r}")
    if ord == 2:
        return euclidean_norm(x, axis, keepdims)
    x = in_floats(x)
    if ord == 1:
        return sum(abs(x), axis, keepdims)
    if ord == 0:
        return _count(x, axis, keepdims)
    if math.isinf(ord):
        return (largest if ord > 0 else min)(abs(x), axis, keepdims)
    return power_norm(x, axis, keepdims, float(ord))
