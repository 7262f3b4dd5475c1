"""Max pooling is indexing: once it is known where the largest entries stand, they are picked.

`pick` and its transpose `place` are each other's derivative. Entries that are not picked are dead:
not connected, whatever their own derivatives are.
"""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition, operation
from ...engine.modes import as_one
from ...engine.record import MOVE
from ...engine.types import Array, Shape, np
from ..axes import raw
from ..families import Case, Draw
from .largest import Axes, positions_of_max
from .window_cases import pooling_cases, reduce_windows


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
        >>> from tinygrad_cs.ops.sliding.pooling import max_pool
        >>> from tinygrad_cs.ops.sliding.windows import Windows
        >>> max_pool(tg.tensor([[1.0, 3.0, 2.0, 2.0]]), (Windows(size=4, kernel=2, stride=2),))
        tensor([[3., 2.]])
    """
    return pick(x, as_one(positions_of_max, raw(x), axes))
