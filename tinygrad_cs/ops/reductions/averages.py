"""NumPy's weighted average, range and trapezoidal rule, written in operations."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import Axis, Shape, np
from ..axes import at_axis, axis_number, raw, shape_of
from ..elementwise.arithmetic import subtract
from ..families import Case, Draw, along_axis, reduction
from ..indices.indexing import getitem
from ..shapes.shaping import broadcast_to, reshape
from .reductions import max, mean, min, sum


class WeightsWithoutAxis(ShapeError, TypeError):
    """Weights of another shape, with nothing said of their axis; a TypeError as in NumPy."""


class NoWeight(ArgumentError, ZeroDivisionError):
    """Weights that sum to 0; a ZeroDivisionError as in NumPy."""


def _average_cases(draw: Draw) -> Case:
    (x,), params = along_axis(draw)
    length = x.shape[params["axis"]]
    weights = draw.array(draw.choice([x.shape, (length,)]), (0.5, 2.0))
    return [x, weights], params | {"keepdims": draw.flag()}


def _average_reference(x: Any, weights: Any, axis: int, keepdims: bool) -> Any:
    try:
        return np.average(x, axis, weights, keepdims=keepdims)
    except ZeroDivisionError:  # of nothing: NaN here, as the mean of nothing is in NumPy too
        return np.mean(x, axis=axis, keepdims=keepdims)


@composition(
    "x",
    "weights",
    numpy=np.average,
    cases=_average_cases,
    reference=_average_reference,
)
def average(x: Any, axis: Axis = None, weights: Any = None, keepdims: bool = False) -> Any:
    """Mean over `axis` (default all), each entry counted as often as `weights` says.

    Args:
        x: values.
        axis: the axis, several, or None for all.
        weights: of the shape of x, or one for each place on the one axis; None for equal ones.
        keepdims: keep the reduced axes with length one.

    Raises `ShapeError` for weights of another shape, `ArgumentError` for weights that sum to 0.
    """
    if weights is None:
        return mean(x, axis, keepdims)
    shape = shape_of(x)
    if shape_of(weights) != shape:
        weights = _on_axis(weights, axis, shape)
    total = sum(weights, axis, keepdims)
    if math.prod(shape) and not raw(total).all():
        raise NoWeight("average: the weights sum to 0, which leaves nothing to divide by")
    return sum(x * weights, axis, keepdims) / total


def _on_axis(weights: Any, axis: Axis, shape: Shape) -> Any:
    place = axis_number("average", axis, shape) if isinstance(axis, int) else None
    if place is None or shape_of(weights) != (shape[place],):
        kind = WeightsWithoutAxis if axis is None else ShapeError
        raise kind(
            f"average: weights of shape {shape_of(weights)} for values of shape {shape}; they have "
            f"the shape of the values, or are one for each place on a single axis="
        )
    ones = [1] * len(shape)
    ones[place] = shape[place]
    return broadcast_to(reshape(weights, ones), shape)


@composition("x", numpy=np.ptp, cases=reduction())
def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest minus smallest entry over `axis` (default all)."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


def _trapezoid_cases(draw: Draw) -> Case:
    (y,), params = along_axis(draw)
    return [y], {"dx": draw.choice([1.0, 0.5])} | params


@composition("y", numpy=np.trapezoid, cases=_trapezoid_cases)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of y along `axis` by the trapezoidal rule, at places x or `dx` apart."""
    along, axis = axis, axis_number("trapezoid", axis, shape_of(y))
    low, high = at_axis(axis, slice(None, -1)), at_axis(axis, slice(1, None))
    step: Any = float(dx)
    if x is not None and len(shape_of(x)) == 1:
        step = subtract(getitem(x, slice(1, None)), getitem(x, slice(None, -1)))
        step = reshape(step, (-1,) + (1,) * (len(shape_of(y)) - axis - 1))
    elif x is not None:
        own = axis_number("trapezoid", along, shape_of(x))
        step = subtract(
            getitem(x, at_axis(own, slice(1, None))), getitem(x, at_axis(own, slice(None, -1)))
        )
    return sum((getitem(y, low) + getitem(y, high)) * step / 2, along)
