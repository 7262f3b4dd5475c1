"""Indexing, and its transpose: scattering a cotangent back, repeated indices adding up."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Shape, T, np
from ..families import Case, Draw
from .accumulate import raw_index, sum_at


def _index_cases(draw: Draw) -> Case:
    x = draw.array((3, *draw.shape(min_dims=1, max_dims=2)))
    mask = draw.rng.random(x.shape) > 0.5
    index = draw.choice(
        [
            1,
            -1,
            slice(None, None, -1),
            slice(1, None),
            (slice(None), 0),
            (..., 0),
            (None, 1, ...),
            [0, 2, 0],
            (np.array([[0, 1], [1, 1]]),),
            (slice(None), np.array([0, -1, 0])),
            ([0, 1, 0], [0, 0, 0]),
            mask,
            np.array([True, False, True]),
            (),
        ]
    )
    return [x], {"index": index}


@operation(
    MOVE,
    cases=_index_cases,
    reference=lambda x, index: x[index],
    cuts=True,
    dx=lambda g, index, x_shape: scatter(g, index, x_shape),
)
def getitem(x: T, index: Any) -> T:
    """`x[index]` with everything NumPy accepts; positions taken twice get both gradients.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> x[[0, 0, 2]].sum().backward()
        >>> x.grad
        array([2., 0., 1.], dtype=float32)
    """
    return np.asarray(x)[raw_index(index)]


def _scatter_cases(draw: Draw) -> Case:
    (x,), params = _index_cases(draw)
    return [draw.array(np.shape(x[params["index"]]))], params | {"shape": x.shape}


def _scatter_reference(x: Any, index: Any, shape: Shape) -> Any:
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


@operation(
    MOVE,
    cases=_scatter_cases,
    reference=_scatter_reference,
    dx=lambda g, index: getitem(g, index),
)
def scatter(x: Any, index: Any, shape: Shape) -> Any:
    """Zeros of `shape` with `x` added at `index`: the transpose of indexing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.scatter(tg.tensor([1.0, 2.0]), [0, 0], (3,))
        tensor([3., 0., 0.])
    """
    return sum_at(shape, raw_index(index), np.asarray(x))
