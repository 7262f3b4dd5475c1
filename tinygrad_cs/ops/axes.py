"""What functions written in operations ask of their arguments: shapes and axes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ..engine.errors import AxisError, DTypeError, ShapeError
from ..engine.types import Array, Shape, np


def raw(x: Any) -> Array:
    """The values of a node, or other numbers as an array; raises `DTypeError` for what is none."""
    values = np.asarray(getattr(x, "_data", x))
    if values.dtype.kind not in "fiubc":
        raise DTypeError(f"expected a tensor, Scalar, array or number, got {type(x).__name__}")
    return values


def shape_of(x: Any) -> Shape:
    """The shape of a node, an array, a number or a list of numbers."""
    shape = getattr(x, "shape", None)
    return raw(x).shape if shape is None else shape


def floats(x: Any) -> Any:
    """Integers and booleans as the floats that `np.tanh` makes of them; floats as they are.

    For what negates or subtracts: unsigned integers would wrap, booleans be refused.
    """
    values = np.asarray(x)
    if values.dtype.kind == "f":
        return values
    return values.astype(np.result_type(values, np.float16))


def integers(name: str, indices: Any) -> Array:
    """Indices as an array of integers; raises `DTypeError` for anything else."""
    values = raw(indices)
    if values.dtype == np.intp:
        return values
    if values.dtype.kind not in "iu" and values.size:
        raise DTypeError(f"{name}: indices are integers, got {values.dtype}")
    return values.astype(np.intp, copy=False)


def as_beside(value: Any, x: Any) -> Any:
    """A Python number as an array of the dtype it takes beside `x`; anything else as it is."""
    if isinstance(value, (int, float)):
        return np.asarray(value, np.result_type(raw(x), value))
    return value


def axis_number(name: str, axis: int, shape: Shape) -> int:
    """The axis counted from the front; raises `AxisError` where an array has no such axis."""
    ndim = len(shape)
    try:
        axis = operator.index(axis)
    except TypeError as error:
        raise DTypeError(f"{name}: an axis is a whole number, got {axis!r}") from error
    if not -ndim <= axis < ndim:
        raise AxisError(f"{name}: axis {axis} is out of bounds for an array of shape {shape}")
    return axis % ndim


def axis_numbers(name: str, axes: int | Sequence[int] | None, shape: Shape) -> tuple[int, ...]:
    """Several axes counted from the front, all of them for None; a repeated one is refused."""
    if axes is None:
        return tuple(range(len(shape)))
    given = axes if isinstance(axes, (tuple, list)) else (axes,)
    numbers = tuple(axis_number(name, axis, shape) for axis in given)
    if len(set(numbers)) < len(numbers):
        raise AxisError(f"{name}: axis repeated in {axes} for an array of shape {shape}")
    return numbers


def broadcast_shape(name: str, *shapes: Shape) -> Shape:
    """The shape that all of them broadcast to; raises `ShapeError` where there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ShapeError(
            f"{name}: lengths must be equal or one, counted from the last axis; "
            f"got shapes {', '.join(map(str, shapes))}"
        ) from error


def at_axis(axis: int, part: Any) -> tuple[Any, ...]:
    """The index that takes `part` of one axis (counted from the front) and all of the others."""
    return (slice(None),) * axis + (part,)
