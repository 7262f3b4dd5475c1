"""Entries taken at integer positions of an axis: the same of all lines, or of each its own."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import IndexOutOfRange, ShapeError
from ...engine.record import MOVE
from ...engine.types import Array, Shape, np
from ..axes import at_axis, axis_number, integers, shape_of
from ..families import Case, Draw
from ..shapes.shaping import reshape
from .indexing import scatter

__all__ = ["take", "take_along_axis"]


def _take_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    axis = draw.choice([None, draw.integer(-x.ndim, x.ndim - 1)])
    last = (x.size if axis is None else x.shape[axis]) - 1
    if last < 0:
        return [x], {"indices": np.zeros((2, 0), int), "axis": axis}
    some = [draw.integer(-last - 1, last) for _ in range(4)]
    indices = draw.choice([some[0], some, np.array(some).reshape(2, 2), np.zeros(0, int)])
    return [x], {"indices": indices, "axis": axis}


def _untake(g: Any, x_shape: Shape, indices: Any, axis: int | None) -> Any:
    indices = integers("take", indices)  # a tuple would mean several axes
    if axis is None:
        return reshape(scatter(g, indices, (math.prod(x_shape),)), x_shape)
    return scatter(g, at_axis(axis % len(x_shape), indices) if axis else indices, x_shape)


@operation(
    MOVE,
    numpy=np.take,
    cases=_take_cases,
    cuts=True,
    dx=_untake,
)
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The entries of one axis at integer `indices`, which may repeat and have any shape.

    Args:
        x: values.
        indices: integers; negative ones count from the end.
        axis: the axis that `indices` replace; None (default) takes from the flattened array.

    Raises `IndexOutOfRange` for an index beyond the axis, `DTypeError` for one that is no integer.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.take(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), [1, 1, 0], axis=1).data
        array([[2., 2., 1.],
               [4., 4., 3.]], dtype=float32)
    """
    return np.asarray(x).take(integers("take", indices), axis)


def _line_starts(shape: Shape, axis: int) -> Array:
    """The flat position of the first entry of every line along `axis`."""
    sides = tuple([1 if i == axis else n for i, n in enumerate(shape)])
    if axis == len(shape) - 1:
        return (np.arange(math.prod(sides)) * shape[axis]).reshape(sides)
    steps = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    lines = np.ogrid[tuple([slice(n) for n in sides])]
    return np.asarray(sum([line * step for line, step in zip(lines, steps, strict=True)]))


_few_line_starts = lru_cache(maxsize=64)(_line_starts)


def flat_places(shape: Shape, indices: Array, axis: int) -> Array:
    """Flat positions of the entries at each line's own `indices`, none of them negative."""
    if len(shape) == 1:
        return indices
    few = math.prod(shape) <= 4096
    starts = (_few_line_starts if few else _line_starts)(shape, axis)
    if axis == len(shape) - 1:
        return starts + indices
    return starts + indices * math.prod(shape[axis + 1 :])


def _counted_from_front(indices: Array, length: int) -> Array:
    if not indices.size or indices.view(np.uintp).max() < length:  # negative ones are huge here
        return indices
    if indices.min() < -length or indices.max() >= length:
        wrong = indices[(indices < -length) | (indices >= length)][0]
        raise IndexOutOfRange(
            f"take_along_axis: index {wrong} is out of bounds for an axis of length {length}"
        )
    return np.where(indices < 0, indices + length, indices)


def _along_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    axis = draw.integer(-x.ndim, x.ndim - 1)
    shape = list(x.shape)
    shape[axis] = draw.integer(0, 4)
    other = draw.integer(0, x.ndim - 1)
    if other != axis % x.ndim and draw.flag():
        shape[other] = 1
    n = x.shape[axis]
    if not n:
        shape[axis] = 0
    return [x], {"indices": draw.rng.integers(-n, max(n, 1), shape), "axis": axis}


@composition("x", numpy=np.take_along_axis, cases=_along_cases)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """From each line along `axis`, the entries at that line's own `indices`.

    Args:
        x: values.
        indices: integers with as many axes as x, as `argsort` gives them; they may repeat. Along
            the other axes they broadcast with x.
        axis: the axis of the lines (default last); None takes from the flattened array.

    Raises `ShapeError` where x and `indices` have different numbers of axes, `IndexOutOfRange` for
    an index beyond the axis.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.take_along_axis(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]])
        tensor([[2.],
                [3.]])
    """
    values = integers("take_along_axis", indices)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    shape = shape_of(x)
    if values.ndim != len(shape):
        raise ShapeError(
            f"take_along_axis: x and indices have the same number of axes; got shapes {shape} and "
            f"{values.shape}; to take the same indices from every line, use take"
        )
    axis = axis_number("take_along_axis", axis, shape)
    values = _counted_from_front(values, shape[axis])
    try:
        places = flat_places(shape, values, axis)
    except ValueError as error:
        raise ShapeError(
            f"take_along_axis: beside axis {axis}, x and indices broadcast; got shapes {shape} and "
            f"{values.shape}"
        ) from error
    return take(x, places)
