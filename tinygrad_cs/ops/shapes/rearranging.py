"""Entries in another order, or several times over: each cotangent travels back to its entry."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Axis, Shape, T, np
from ..axes import at_axis, axis_numbers, raw
from ..families import Case, Draw
from ..indices.indexing import getitem, scatter
from ..reductions.reductions import sum
from .shaping import reshape

__all__ = ["flip", "repeat", "roll", "rot90", "tile"]


def _flip_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    return [x], {"axis": draw.axis(x.ndim)}


@operation(MOVE, numpy=np.flip, cases=_flip_cases, dx=lambda g, axis: flip(g, axis))
def flip(x: T, axis: Axis = None) -> T:
    """Entries in the opposite order along `axis` (default all axes).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.flip(tg.tensor([1.0, 2.0, 3.0]))
        tensor([3., 2., 1.])
    """
    values = np.asarray(x)
    if axis == 0 and values.ndim:
        return values[::-1]  # ten times as fast as np.flip
    return np.flip(values, None if axis is None else axis_numbers("flip", axis, values.shape))


def _roll_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    axis = draw.integer(-x.ndim, x.ndim - 1)
    shift = draw.integer(-7, 7)
    several = {"shift": (shift, 1), "axis": (axis, 0)}
    return [x], draw.choice(
        [
            {"shift": shift, "axis": None},
            {"shift": shift, "axis": axis},
            {"shift": shift, "axis": axis},
            {"shift": shift, "axis": (axis, 0)},
            several,
        ]
    )


def _opposite(shift: int | Sequence[int]) -> Any:
    return -shift if isinstance(shift, int) else tuple([-int(s) for s in np.ravel(shift)])


@operation(
    MOVE,
    numpy=np.roll,
    cases=_roll_cases,
    dx=lambda g, shift, axis: roll(g, _opposite(shift), axis),
)
def roll(x: T, shift: int | Sequence[int], axis: Axis = None) -> T:
    """Entries moved by `shift` places along `axis`, the last ones coming in at the front.

    Args:
        x: values.
        shift: places towards higher indices; negative towards lower. One, or one for each axis.
        axis: one axis or several; None (default) rolls the flattened array.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.roll(tg.tensor([1.0, 2.0, 3.0]), 1)
        tensor([3., 1., 2.])
    """
    values = np.asarray(x)
    line = values.reshape(-1) if axis is None else values
    place: Any = 0 if axis is None else axis
    if (
        type(shift) is not int
        or type(place) is not int
        or not (values.size and -line.ndim <= place < line.ndim)
    ):
        return np.roll(values, shift, axis)
    # Two slices joined: np.roll itself takes five times as long on small arrays.
    cut = -shift % line.shape[place]
    place %= line.ndim
    parts = line[at_axis(place, slice(cut, None))], line[at_axis(place, slice(cut))]
    return np.concatenate(parts, place).reshape(values.shape)


def _rot90_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=2))
    return [x], {"k": draw.integer(-3, 5), "axes": draw.choice([(0, 1), (1, 0), (-1, 0)])}


@operation(MOVE, numpy=np.rot90, cases=_rot90_cases, dx=lambda g, k, axes: rot90(g, -k, axes))
def rot90(x: T, k: int = 1, axes: tuple[int, int] = (0, 1)) -> T:
    """Turned by `k` quarters in the plane of two axes, from the first towards the second.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.rot90(tg.tensor([[1.0, 2.0], [3.0, 4.0]])).data
        array([[2., 4.],
               [1., 3.]], dtype=float32)
    """
    return np.rot90(x, k, axes)


def _tile_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    return [x], {"reps": draw.choice([2, (2,), (1, 3), (2, 1, 2), (2, 1, 1, 2), (), 0])}


def _over_copies(g: Any, x_shape: Shape, reps: int | Sequence[int]) -> Any:
    """The sum over the copies: along each axis they come one after the other."""
    times = tuple(np.ravel(reps).astype(int).tolist())
    times = (1,) * (len(x_shape) - len(times)) + times
    sides = (1,) * (len(times) - len(x_shape)) + x_shape
    apart = tuple([n for pair in zip(times, sides, strict=True) for n in pair])
    return reshape(sum(reshape(g, apart), tuple(range(0, len(apart), 2))), x_shape)


@operation(
    MOVE,
    numpy=np.tile,
    cases=_tile_cases,
    dx=_over_copies,
)
def tile(x: T, reps: int | Sequence[int]) -> T:
    """The whole array repeated `reps` times, along the last axis or along each.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.tile(tg.tensor([1.0, 2.0]), 2)
        tensor([1., 2., 1., 2.])
    """
    return np.tile(np.asarray(x), reps)


def _repeat_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    axis = draw.choice([None, draw.integer(-x.ndim, x.ndim - 1)])
    length = x.size if axis is None else x.shape[axis]
    each = [draw.integer(0, 3) for _ in range(length)]
    return [x], {
        "repeats": draw.choice([0, 1, 3, [2], each or 2, np.array(each, int)]),
        "axis": axis,
    }


_FEW = 8


def _over_repeats(g: Any, x_shape: Shape, repeats: Any, axis: int | None) -> Any:
    """The sum over the repetitions of an entry, which stand side by side."""
    if axis is None:
        size = int(np.prod(x_shape))
        return reshape(_over_repeats(g, (size,), repeats, 0), x_shape)
    if not x_shape:  # NumPy repeats a number as a vector of one entry
        return reshape(_over_repeats(g, (1,), repeats, 0), ())
    axis, times = axis % len(x_shape), raw(repeats)
    if times.size == 1:
        n = times.item()
        apart = reshape(g, (*x_shape[: axis + 1], n, *x_shape[axis + 1 :]))
        if not 0 < n <= _FEW:
            return sum(apart, axis + 1)
        # NumPy sums along a short last axis ten times slower than it adds whole slices
        slices = [getitem(apart, at_axis(axis + 1, i)) for i in range(n)]
        return reduce(operator.add, slices)
    return scatter(g, at_axis(axis, np.repeat(np.arange(x_shape[axis]), times)), x_shape)


@operation(
    MOVE,
    numpy=np.repeat,
    cases=_repeat_cases,
    dx=_over_repeats,
)
def repeat(x: T, repeats: int | Sequence[int], axis: int | None = None) -> T:
    """Each entry along `axis` repeated: `repeats` times, or as often as `repeats` says of each.

    With `axis=None` (default) those of the flattened array.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.repeat(tg.tensor([1.0, 2.0]), [2, 1])
        tensor([1., 1., 2.])
    """
    return np.asarray(x).repeat(raw(repeats), axis)
