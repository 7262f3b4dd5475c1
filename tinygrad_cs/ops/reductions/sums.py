"""Derivatives of sum and mean: the cotangent is spread back over the axes that were reduced."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Axis, Shape, T, np
from ..axes import axis_numbers
from ..families import Case, Draw, reduction
from ..shapes.shaping import reshape

__all__ = ["mean", "sum"]


def reduced_axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    """The axes a reduction runs over, as numbers from 0."""
    if axis is None:
        return tuple(range(ndim))
    axes: Any = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(a % ndim for a in axes)


def expand(reduced: Any, shape: Shape, axis: Axis) -> Any:
    """A reduced array in a shape that broadcasts to `shape`: lost axes are back with length one."""
    if axis is None or not shape:
        return reduced  # it has no axes, or all of length one
    return reshape(reduced, _with_ones(shape, axis))


def _with_ones(shape: Shape, axis: Axis) -> Shape:
    if isinstance(axis, int):
        axis %= len(shape)
        return (*shape[:axis], 1, *shape[axis + 1 :])
    axes = reduced_axes(len(shape), axis)
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def count_of(shape: Shape, axis: Axis) -> int:
    """How many entries each entry of a reduced array stands for."""
    if isinstance(axis, int) and shape:
        return shape[axis]
    return math.prod(shape[a] for a in reduced_axes(len(shape), axis))


def _spread_cases(draw: Draw) -> Case:
    shape = draw.shape()
    axis = draw.axis(len(shape))
    reduced = np.add.reduce(np.zeros(shape), axis=axis, keepdims=draw.flag())
    params = {"shape": shape, "axis": axis, "parts": draw.choice([1, 3])}
    return [draw.array(reduced.shape)], params


def _spread_reference(x: Any, shape: Shape, axis: Axis, parts: int) -> Any:
    one = np.add.reduce(np.zeros(shape), axis=axis, keepdims=True)
    return np.broadcast_to(np.reshape(x, one.shape) / parts, shape)


@operation(
    MOVE,
    cases=_spread_cases,
    reference=_spread_reference,
    dx=lambda g, x_shape, axis, parts: reshape(sum(g, axis), x_shape) / parts,
)
def spread(x: Any, shape: Shape, axis: Axis = None, parts: int = 1) -> Any:
    """What a reduction over `axis` left of `shape`, copied back over it, in `parts` equal parts.

    The transpose of `sum`, and with as many parts as there are copies that of `mean`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.sums.spread(tg.tensor([6.0, 8.0]), (2, 2), 1, parts=2)
        tensor([[3., 3.],
                [4., 4.]])
    """
    if parts != 1:
        # float16 ends at 65504 parts
        x = x / parts if x.dtype.itemsize > 2 else (x.astype(np.float32) / parts).astype(x.dtype)
    # Memory of its own: the gradient of a leaf is then taken over as it is.
    out = np.empty(shape, x.dtype)
    out[...] = x if axis is None or not shape else x.reshape(_with_ones(shape, axis))
    return out


@operation(
    MOVE,
    numpy=np.sum,
    cases=reduction(),
    dx=lambda g, x_shape, axis: spread(g, x_shape, axis),
)
def sum(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Sum over `axis` (default all); the sum of nothing is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        tensor([4., 6.])
    """
    try:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)
    except ValueError:
        axis_numbers("sum", axis, np.shape(x))  # an axis that is named twice is named here
        raise


@operation(
    MOVE,
    numpy=np.mean,
    cases=reduction(),
    dx=lambda g, x_shape, axis: spread(g, x_shape, axis, count_of(x_shape, axis)),
)
def mean(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Mean over `axis` (default all).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.mean(tg.tensor([1.0, 2.0, 6.0]))
        tensor(3.)
    """
    values = np.asarray(x)
    if not values.size or values.dtype.itemsize < 4:
        return np.mean(values, axis=axis, keepdims=keepdims)
    # np.mean itself takes three times as long on small arrays
    try:
        total = np.add.reduce(values, axis=axis, keepdims=keepdims)
    except ValueError:
        axis_numbers("mean", axis, values.shape)
        raise
    return total / (values.size if axis is None else count_of(values.shape, axis))
