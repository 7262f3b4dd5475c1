"""Another shape for the same entries: the cotangent takes the old shape again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import ShapeError
from ...engine.record import MOVE, same
from ...engine.types import T, np
from ..axes import axis_numbers, broadcast_shape, shape_of
from ..families import Case, Draw

__all__ = [
    "broadcast_arrays",
    "broadcast_to",
    "expand_dims",
    "moveaxis",
    "permute_dims",
    "reshape",
    "squeeze",
    "swapaxes",
]


def _reshape_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    target = draw.choice([(x.size,), (-1,), (1, x.size, 1), x.shape[::-1]])
    return [x], {"shape": target}


@operation(MOVE, numpy=np.reshape, cases=_reshape_cases, dx=lambda g, x_shape: reshape(g, x_shape))
def reshape(x: T, shape: int | Sequence[int]) -> T:
    """The same entries in row-major order under another shape; one length may be -1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1)).shape
        (2, 2)
    """
    return np.asarray(x).reshape(shape)


def _permute_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    order = tuple(int(i) for i in draw.rng.permutation(x.ndim))
    return [x], {"axes": draw.choice([None, order, tuple(i - x.ndim for i in order)])}


def _inverse(axes: Sequence[int] | None) -> tuple[int, ...] | None:
    if axes is None or np.ndim(axes) == 0:  # a vector's one axis may be given as a number
        return None
    return tuple(sorted(range(len(axes)), key=lambda i: axes[i] % len(axes)))


@operation(
    MOVE,
    numpy=(np.transpose, np.permute_dims) if np.permute_dims is not np.transpose else np.transpose,
    cases=_permute_cases,
    dx=lambda g, axes: permute_dims(g, _inverse(axes)),
)
def permute_dims(x: T, axes: Sequence[int] | None = None) -> T:
    """Axes in another order; reversed when `axes` is None.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.permute_dims(tg.tensor([[1.0, 2.0, 3.0]]), (1, 0)).shape
        (3, 1)
    """
    return np.asarray(x).transpose(axes)


def _move_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    first, last = draw.integer(-x.ndim, x.ndim - 1), draw.integer(-x.ndim, x.ndim - 1)
    everything = tuple(int(i) for i in draw.rng.permutation(x.ndim))
    source, destination = draw.choice(
        [(first, last), ((first,), (last,)), (everything, tuple(range(-1, -x.ndim - 1, -1)))]
    )
    return [x], {"source": source, "destination": destination}


@composition("x", numpy=np.moveaxis, cases=_move_cases)
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Axes `source` at the positions `destination`; the others keep their order.

    Raises `AxisError` for an axis that does not exist or is named twice, `ShapeError` for lists of
    different lengths.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.moveaxis(tg.tensor(np.zeros((2, 3, 4))), 0, -1).shape
        (3, 4, 2)
    """
    shape = shape_of(x)
    taken = axis_numbers("moveaxis", source, shape)
    places = axis_numbers("moveaxis", destination, shape)
    if len(taken) != len(places):
        raise ShapeError(
            f"moveaxis: source names {len(taken)} axes and destination {len(places)}; "
            f"they must be as many"
        )
    order = [axis for axis in range(len(shape)) if axis not in taken]
    for place, axis in sorted(zip(places, taken, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, tuple(order))


def _swap_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    return [x], {name: draw.integer(-x.ndim, x.ndim - 1) for name in ("axis1", "axis2")}


@operation(
    MOVE,
    numpy=np.swapaxes,
    cases=_swap_cases,
    dx=lambda g, axis1, axis2: swapaxes(g, axis1, axis2),
)
def swapaxes(x: T, axis1: int, axis2: int) -> T:
    """Two axes in each other's place.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.swapaxes(tg.tensor([[1.0, 2.0, 3.0]]), 0, 1).shape
        (3, 1)
    """
    return np.asarray(x).swapaxes(axis1, axis2)


_SMALL = 4096


def _broadcast_cases(draw: Draw) -> Case:
    shape = draw.shape()
    return [draw.array(draw.broadcastable(shape))], {"shape": shape}


@operation(MOVE, numpy=np.broadcast_to, cases=_broadcast_cases, dx=same)
def broadcast_to(x: T, shape: int | Sequence[int]) -> T:
    """Copies along new axes and axes of length one; the gradient sums over the copies.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.broadcast_to(tg.tensor([1.0, 2.0]), (3, 2)).shape
        (3, 2)
    """
    if not isinstance(shape, tuple) or math.prod(shape) > _SMALL:
        return np.broadcast_to(x, shape)
    # For a few entries a copy takes a fifth of the time of a view.
    values = np.asarray(x)
    out = np.empty(shape, values.dtype)
    out[...] = values
    return out


def _broadcast_all_cases(draw: Draw) -> Case:
    shape = draw.shape()
    return [[draw.array(draw.broadcastable(shape)) for _ in range(draw.integer(1, 3))]], {}


@composition(
    "arrays",
    numpy=np.broadcast_arrays,
    variadic=True,
    cases=_broadcast_all_cases,
    reference=lambda arrays: np.broadcast_arrays(*arrays),
)
def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """All arrays in the shape that they broadcast to together, as a tuple.

    Raises `ShapeError` where the shapes do not broadcast.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, b = tg.broadcast_arrays(tg.tensor([[1.0], [2.0]]), tg.tensor([1.0, 2.0, 3.0]))
        >>> a.shape, b.shape
        ((2, 3), (2, 3))
    """
    shape = broadcast_shape("broadcast_arrays", *[shape_of(a) for a in arrays])
    return tuple(broadcast_to(a, shape) for a in arrays)


def _squeeze_cases(draw: Draw) -> Case:
    x = draw.array((1, *draw.shape(max_dims=2), 1))
    return [x], {"axis": draw.choice([None, 0, -1, (0, -1)])}


@operation(MOVE, numpy=np.squeeze, cases=_squeeze_cases, dx=lambda g, x_shape: reshape(g, x_shape))
def squeeze(x: T, axis: int | tuple[int, ...] | None = None) -> T:
    """Without axes of length one: all of them, or those named by `axis`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.squeeze(tg.tensor([[1.0, 2.0]]), 0).shape
        (2,)
    """
    return np.asarray(x).squeeze(axis)


def _expand_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(max_dims=2))
    return [x], {"axis": draw.choice([0, -1, x.ndim, (0, -1)])}


@operation(
    MOVE, numpy=np.expand_dims, cases=_expand_cases, dx=lambda g, x_shape: reshape(g, x_shape)
)
def expand_dims(x: T, axis: int | tuple[int, ...] = 0) -> T:
    """With a new axis of length one at position `axis` (default first).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.expand_dims(tg.tensor([1.0, 2.0]), -1).shape
        (2, 1)
    """
    values = np.asarray(x)
    # np.expand_dims takes ten times as long on small arrays
    if type(axis) is int and 0 <= axis <= values.ndim:
        return values.reshape((*values.shape[:axis], 1, *values.shape[axis:]))
    if axis == -1:
        return values.reshape((*values.shape, 1))
    return np.expand_dims(values, axis)
