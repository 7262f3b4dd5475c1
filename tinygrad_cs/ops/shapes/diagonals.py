"""Diagonals and triangles of matrices, also of every matrix in a stack."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import ShapeError
from ...engine.record import MOVE
from ...engine.types import Array, Shape, T, np
from ..axes import shape_of
from ..elementwise.selection import where
from ..families import Case, Draw

__all__ = ["diag", "diagonal", "tril", "triu"]


def _diagonal_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=2))
    axis1, axis2 = (int(i) for i in draw.rng.permutation(x.ndim)[:2])
    axis2 -= draw.choice([0, x.ndim])
    return [x], {"offset": draw.integer(-2, 2), "axis1": axis1, "axis2": axis2}


@operation(
    MOVE,
    numpy=np.diagonal,
    cases=_diagonal_cases,
    cuts=True,
    dx=lambda g, x_shape, offset, axis1, axis2: onto_diagonal(g, x_shape, offset, axis1, axis2),
)
def diagonal(x: T, offset: int = 0, axis1: int = 0, axis2: int = 1) -> T:
    """The entries with equal positions along two axes, as a new last axis.

    Args:
        x: values with at least two axes.
        offset: how far above the main diagonal (below where negative; default 0).
        axis1, axis2: the axes of the matrices (default the first two).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.diagonal(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([1., 4.])
    """
    return np.asarray(x).diagonal(offset, axis1, axis2)


def _onto_cases(draw: Draw) -> Case:
    (x,), params = _diagonal_cases(draw)
    return [draw.array(np.diagonal(x, **params).shape)], {"shape": x.shape} | params


def _onto_reference(x: Any, shape: Shape, offset: int, axis1: int, axis2: int) -> Any:
    out = np.zeros(shape, x.dtype)
    places = np.arange(out.size).reshape(shape).diagonal(offset, axis1, axis2)
    out.reshape(-1)[places] = x
    return out


@operation(
    MOVE,
    cases=_onto_cases,
    reference=_onto_reference,
    dx=lambda g, offset, axis1, axis2: diagonal(g, offset, axis1, axis2),
)
def onto_diagonal(x: T, shape: Shape, offset: int = 0, axis1: int = 0, axis2: int = 1) -> T:
    """Zeros of `shape` with `x` on the diagonal: the transpose of `diagonal`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.onto_diagonal(tg.tensor([1.0, 2.0]), (2, 2)).data
        array([[1., 0.],
               [0., 2.]], dtype=float32)
    """
    values = np.asarray(x)
    out = np.zeros(shape, values.dtype)
    line = out.diagonal(offset, axis1, axis2)  # a view, which NumPy makes read-only
    line.flags.writeable = True
    line[...] = values
    return out


def _diag_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1, max_dims=2))
    return [x], {"k": draw.integer(-2, 2)}


@composition("x", numpy=np.diag, cases=_diag_cases)
def diag(x: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, or of a vector the matrix that has it there.

    Raises `ShapeError` for more axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.diag(tg.tensor([1.0, 2.0])).data
        array([[1., 0.],
               [0., 2.]], dtype=float32)
    """
    shape = shape_of(x)
    if len(shape) == 1:
        side = shape[0] + abs(k)
        return onto_diagonal(x, (side, side), k)
    if len(shape) != 2:
        raise ShapeError(f"diag: expected a vector or a matrix, got shape {shape}; use diagonal")
    return diagonal(x, k)


@lru_cache(maxsize=64)
def _few_below(rows: int, columns: int, k: int) -> Array:
    below: Array = np.tri(rows, columns, k, dtype=bool)
    return below


def _below(name: str, x: Array, k: int) -> Array:
    """Where a matrix entry lies on the k-th diagonal or below."""
    if x.ndim < 2:
        raise ShapeError(f"{name}: expected a matrix or a stack of them, got shape {x.shape}")
    rows, columns = x.shape[-2:]
    make: Any = _few_below if rows * columns <= 4096 else _few_below.__wrapped__
    below: Array = make(rows, columns, k)
    return below


def _triangle_cases(draw: Draw) -> Case:
    return [draw.array(draw.shape(min_dims=2))], {"k": draw.integer(-2, 2)}


@operation(MOVE, numpy=np.tril, cases=_triangle_cases, cuts=True, dx=lambda g, k: tril(g, k))
def tril(x: T, k: int = 0) -> T:
    """Matrices with zeros above the k-th diagonal; the entries there are no longer connected.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.tril(tg.tensor([[1.0, 2.0], [3.0, 4.0]])).data
        array([[1., 0.],
               [3., 4.]], dtype=float32)
    """
    values = np.asarray(x)
    return where(_below("tril", values, k), values, 0)


@operation(MOVE, numpy=np.triu, cases=_triangle_cases, cuts=True, dx=lambda g, k: triu(g, k))
def triu(x: T, k: int = 0) -> T:
    """Matrices with zeros below the k-th diagonal; the entries there are no longer connected.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.triu(tg.tensor([[1.0, 2.0], [3.0, 4.0]])).data
        array([[1., 2.],
               [0., 4.]], dtype=float32)
    """
    values = np.asarray(x)
    return where(~_below("triu", values, k - 1), values, 0)
