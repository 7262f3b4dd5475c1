"""Norms of matrices, and NumPy's `norm`, which is one of a vector or a matrix."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import Axis, np
from ..axes import axis_numbers, shape_of
from ..elementwise.signs import abs
from ..families import Case, Draw
from ..reductions.reductions import min, sum
from ..shapes.shaping import expand_dims, permute_dims
from .draws import full_rank, one_matrix, side, stack
from .refusals import matrices
from .singular_values import svdvals
from .vector_norms import (
    euclidean_norm,
    in_floats,
    largest,
    magnitudes,
    vector_norm,
    vector_orders,
)

__all__ = ["matrix_norm", "norm"]


_OF_MATRICES: dict[Any, Any] = {
    "fro": lambda x: euclidean_norm(x, (-2, -1)),
    "nuc": lambda x: sum(svdvals(x), -1),
    2: lambda x: largest(svdvals(x), -1),
    -2: lambda x: min(svdvals(x), -1),
    1: lambda x: largest(sum(abs(x), -2), -1),
    -1: lambda x: min(sum(abs(x), -2), -1),
    math.inf: lambda x: largest(sum(abs(x), -1), -1),
    -math.inf: lambda x: min(sum(abs(x), -1), -1),
}


def _matrix_orders(x: Any) -> list[Any]:
    return list(_OF_MATRICES) if x.size else ["fro", "nuc", -2]


def _matrix_cases(draw: Draw) -> Case:
    (x,), _ = one_matrix(draw)
    return [x], {"keepdims": draw.flag(), "ord": draw.choice(_matrix_orders(x))}


@composition("x", numpy=np.linalg.matrix_norm, cases=_matrix_cases)
def matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of every matrix in a stack (..., m, n).

    Args:
        x: two axes or more.
        keepdims: keep the last two axes with length one.
        ord: `"fro"` (default) for the root of the sum of squares, `"nuc"` for the sum of singular
            values, 2 or -2 for the largest or smallest one, 1 or -1 for the largest or smallest
            column sum of magnitudes, inf or -inf for row sums.

    At kinks a tie shares the gradient, and a singular value of 0 has gradient 0.

    Raises `ArgumentError` for another `ord`, `LinearAlgebraError` for fewer axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[3.0, 0.0], [0.0, -4.0]])
        >>> tg.linalg.matrix_norm(x), tg.linalg.matrix_norm(x, ord=2)
        (tensor(5.), tensor(4.))
    """
    known = {"f": "fro", None: "fro"}.get(ord, ord)
    if known not in _OF_MATRICES:
        raise ArgumentError(
            f"matrix_norm: ord of a matrix is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf; got {ord!r}"
        )
    matrices("matrix_norm", x)
    out = _OF_MATRICES[known](in_floats(x))
    return expand_dims(out, (-2, -1)) if keepdims else out


def _norm_cases(draw: Draw) -> Case:
    if draw.flag():
        x = full_rank(draw, (*stack(draw), side(draw), side(draw)))
        ords = [None, *_matrix_orders(x)]
        axis = draw.choice([(-2, -1), (x.ndim - 1, x.ndim - 2), None if x.ndim == 2 else (-2, -1)])
    else:
        x = magnitudes(draw, draw.shape())
        axis = draw.integer(-x.ndim, x.ndim - 1) if x.ndim else None
        ords = [None, *vector_orders(x)] if x.ndim else [None]
        if axis is not None and draw.flag() and x.ndim == 1:
            axis = (axis,)
    return [x], {"ord": draw.choice(ords), "axis": axis, "keepdims": draw.flag()}


@composition("x", numpy=np.linalg.norm, cases=_norm_cases)
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """NumPy's norm: of vectors along one axis, of matrices along two.

    Args:
        x: any shape.
        ord: as in `vector_norm` (default 2) or `matrix_norm` (default `"fro"`).
        axis: one axis for vectors, two for matrices. Default: all entries as one vector if `ord`
            is None too, else those of the vector or matrix that `x` must be.
        keepdims: keep these axes with length one.

    Raises `ArgumentError` for an `ord` that does not exist, `AxisError` for axes that do not.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.norm(tg.tensor([[3.0, 4.0], [6.0, 8.0]]), axis=1)
        tensor([ 5., 10.])
    """
    shape = shape_of(x)
    n = len(shape)
    if axis is None:
        if ord is None:
            return vector_norm(x, None, keepdims)
        if n not in (1, 2):
            raise ShapeError(
                f"norm: ord={ord!r} is the norm of a vector or a matrix; got shape {shape}, so "
                f"say which axes with axis="
            )
        axis = tuple(range(n))
    axes = axis_numbers("norm", axis, shape)
    if len(axes) == 1:
        return vector_norm(x, axes[0], keepdims, 2 if ord is None else ord)
    if len(axes) != 2:
        raise ShapeError(f"norm: expected one axis for vectors or two for matrices, got {axis!r}")
    order = (*(a for a in range(n) if a not in axes), *axes)
    moved = x if order == tuple(range(n)) else permute_dims(x, order)
    out = matrix_norm(moved, ord=ord)
    return expand_dims(out, tuple(sorted(axes))) if keepdims else out
