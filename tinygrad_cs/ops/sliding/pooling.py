"""Max pooling is indexing: once it is known where the largest entries stand, they are picked.

`pick` and its transpose `place` are each other's derivative. Entries that are not picked are dead:
not connected, whatever their own derivatives are.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, TypeAlias

from ...engine.define import composition, operation
from ...engine.modes import as_one
from ...engine.record import MOVE
from ...engine.types import Array, Shape, np
from ..axes import raw
from ..families import Case, Draw
from .window_cases import pooling_cases, reduce_windows
from .windows import Axis, Windows, inputs, reads

Axes: TypeAlias = tuple[Axis, ...]
"""The windows along each of the last axes: one or two of them."""


def positions_of_max(x: Any, axes: Axes) -> Array:
    """Where the largest entry of each window stands, counted row by row through all of `x`.

    Among equal entries the first of the window counts, row by row; NaN is larger than any number.
    Padding is never found.
    """
    rows, cols = axes if len(axes) == 2 else (Windows(size=1, kernel=1), *axes)
    images = x.reshape(-1, rows.size, cols.size)
    if x.size <= _FEW:
        return _few_positions_of_max(images, rows, cols).reshape(
            *x.shape[: -len(axes)], *[axis.count for axis in axes]
        )
    width = len(reads(cols))
    largest: Any = None
    entry: Any = None
    for i, y in enumerate(reads(rows)):
        lines = images[:, y]
        for j, z in enumerate(reads(cols)):
            seen = lines[:, :, z]
            if largest is None:
                largest = seen.copy()
                entry = np.zeros(seen.shape, np.min_scalar_type(len(reads(rows)) * width - 1))
                continue
            better = (seen > largest).astype(entry.dtype)
            better *= i * width + j  # entries are visited in order, so the last gain is the largest
            np.maximum(entry, better, out=entry)
            np.maximum(largest, seen, out=largest)
    table = _entries(rows, cols)
    count = rows.count * cols.count
    chosen = table.reshape(-1).take(
        entry.reshape(-1, count).astype(np.intp) * count + np.arange(count)
    )
    chosen += rows.size * cols.size * np.arange(len(images))[:, None]
    chosen = chosen.reshape(*x.shape[: -len(axes)], *[axis.count for axis in axes])
    if np.isnan(np.max(largest, initial=0)):
        first = positions_of_max(np.isnan(x).view(np.uint8), axes)
        chosen = np.where(np.isnan(largest).reshape(chosen.shape), first, chosen)
    return chosen


_FEW = 4096


@lru_cache(maxsize=16)
def _entries(rows: Axis, cols: Axis) -> Array:
    """A table (entry of the window, window) of where in an image the inputs stand."""
    table = inputs(rows)[:, None, :, None] * cols.size + inputs(cols)[:, None, :]
    return np.asarray(table.reshape(-1, rows.count * cols.count))


def _few_positions_of_max(images: Array, rows: Axis, cols: Axis) -> Array:
    """The same with the windows copied side by side, which is soonest done for small images."""
    table = _entries(rows, cols)
    flat = images.reshape(len(images), rows.size * cols.size)
    entry = flat.take(table, axis=1).argmax(axis=1)
    chosen = table[entry, np.arange(table.shape[1])]
    chosen += rows.size * cols.size * np.arange(len(images))[:, None]
    return np.asarray(chosen)


def _pick_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    positions = draw.rng.integers(0, max(1, x.size), draw.shape(max_dims=2))
    return [x], {"positions": positions if x.size else positions[..., :0]}


@operation(
    MOVE,
    cases=_pick_cases,
    reference=lambda x, positions: np.array([*x.flat])[positions],
    cuts=True,
    dx=lambda g, positions, x_shape: place(g, positions, x_shape),
)
def pick(x: Any, positions: Array) -> Any:
    """The entries of `x` at `positions`, counted row by row through all of it.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.pooling import pick
        >>> pick(tg.tensor([[5.0, 6.0], [7.0, 8.0]]), np.array([3, 0]))
        tensor([8., 5.])
    """
    return x.reshape(-1).take(positions)


def _place_cases(draw: Draw) -> Case:
    (x,), params = _pick_cases(draw)
    return [draw.array(params["positions"].shape)], params | {"shape": x.shape}


def _place_reference(y: Any, positions: Array, shape: Shape) -> Array:
    out = np.zeros(math.prod(shape))
    for position, value in zip(positions.flat, y.flat, strict=True):
        out[position] += value
    return out.reshape(shape)


@operation(
    MOVE,
    cases=_place_cases,
    reference=_place_reference,
    dy=lambda g, positions: pick(g, positions),
)
def place(y: Any, positions: Array, shape: Shape) -> Any:
    """Zeros of `shape` with `y` added at `positions`: the transpose of `pick`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.pooling import place
        >>> place(tg.tensor([1.0, 2.0]), np.array([3, 0]), (2, 2))
        tensor([[2., 0.],
                [0., 1.]])
    """
    out = np.zeros(math.prod(shape), y.dtype)
    np.add.at(out, positions.reshape(-1), y.reshape(-1))
    return out.reshape(shape)


def _max_reference(x: Any, axes: Axes) -> Array:
    return reduce_windows(x, axes, lambda seen: seen.max(axis=0))


@composition("x", cases=pooling_cases, reference=_max_reference)
def max_pool(x: Any, axes: Axes) -> Any:
    """The largest entry of each window of `x` (..., *size); of equal ones the first counts.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.pooling import Windows, max_pool
        >>> max_pool(tg.tensor([[1.0, 3.0, 2.0, 2.0]]), (Windows(size=4, kernel=2, stride=2),))
        tensor([[3., 2.]])
    """
    return pick(x, as_one(positions_of_max, raw(x), axes))
