"""Matrix products: the cotangent of one factor is the output's times the other, transposed."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import ShapeError
from ...engine.record import LINEAR, same
from ...engine.types import Shape, np
from ..axes import shape_of
from ..families import Case, Draw
from ..shapes.shaping import expand_dims, permute_dims, reshape

__all__ = ["matmul", "matrix_transpose"]


def swap_last(x: Any) -> Any:
    """The transpose of every matrix in a stack."""
    axes = range(x.ndim)
    return permute_dims(x, (*axes[:-2], axes[-1], axes[-2]))


@composition(
    "x",
    numpy=(np.matrix_transpose, np.linalg.matrix_transpose),
    cases=lambda draw: ([draw.array(draw.shape(min_dims=2))], {}),
)
def matrix_transpose(x: Any) -> Any:
    """The transpose of every matrix in a stack: the last two axes change places.

    Raises `ShapeError` for fewer axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.matrix_transpose(tg.tensor([[[1.0, 2.0, 3.0]]])).shape
        (1, 3, 1)
    """
    n = len(shape_of(x))
    if n < 2:
        raise ShapeError(f"matrix_transpose: two axes at least are needed; got shape {shape_of(x)}")
    return permute_dims(x, (*range(n - 2), n - 1, n - 2))


def _d_left(g: Any, a_shape: Shape, b: Any) -> Any:
    """da = g b^T, with the vector cases NumPy's rule adds: a vector is a row or a column."""
    if b.ndim == 1:
        return expand_dims(g, -1) * b if len(a_shape) > 1 else g * b
    if len(a_shape) == 1:
        return matmul(b, expand_dims(g, -1))[..., 0]
    return g @ (b.T if b.ndim == 2 else swap_last(b))


def _d_right(g: Any, a: Any, b_shape: Shape) -> Any:
    """db = a^T g, likewise."""
    if a.ndim == 1:
        return expand_dims(a, -1) * expand_dims(g, -2) if len(b_shape) > 1 else g * a
    if len(b_shape) == 1:
        return matmul(swap_last(a), expand_dims(g, -1))[..., 0]
    return (a.T if a.ndim == 2 else swap_last(a)) @ g


def _matmul_cases(draw: Draw) -> Case:
    n, k, m = (draw.integer(1, 3) for _ in range(3))
    batch = draw.shape(max_dims=2)
    a = draw.choice([(k,), (n, k), (*draw.broadcastable(batch), n, k)])
    b = draw.choice([(k,), (k, m), (*draw.broadcastable(batch), k, m)])
    return [draw.array(a), draw.array(b)], {}


@operation(LINEAR, numpy=np.matmul, cases=_matmul_cases, da=_d_left, db=_d_right)
def matmul(a: Any, b: Any) -> Any:
    """Matrix product with all of NumPy's shape rules: vectors, matrices, broadcast stacks.

    Raises `ShapeError` where the inner lengths differ.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.matmul(tg.tensor([[1.0, 2.0]]), tg.tensor([3.0, 4.0]))
        tensor([11.])
    """
    try:
        return np.matmul(a, b)
    except ValueError as error:
        m, n = np.shape(a), np.shape(b)
        if not m or not n:
            raise ShapeError(f"matmul: a number is no matrix; got {m} and {n}; use *") from error
        inner = -2 if len(n) > 1 else -1
        if m[-1] == n[inner]:
            raise
        raise ShapeError(
            f"matmul: axis -1 of a ({m[-1]}) and axis {inner} of b ({n[inner]}) must have the "
            f"same length; got shapes {m} and {n}"
        ) from error


def _rows(x: Any) -> Any:
    """A stack of vectors as one matrix with a vector a row."""
    if x.ndim == 2:
        return x
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _linear_cases(draw: Draw) -> Case:
    n_in, n_out = draw.integer(1, 3), draw.integer(1, 3)
    x = draw.array((*draw.shape(max_dims=2), n_in))
    return [x, draw.array((n_out, n_in)), draw.array((n_out,))], {}


@operation(
    cases=_linear_cases,
    reference=lambda x, weight, bias: np.matmul(x, weight.T) + bias,
    dx=lambda g, weight: g @ weight,
    dweight=lambda g, x: _rows(g).T @ _rows(x),
    dbias=same,
)
def linear(x: Any, weight: Any, bias: Any) -> Any:
    """x W^T + b in one operation: `x` (..., in), `weight` (out, in), `bias` (out,).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([[1.0, 2.0]])
        >>> tg.ops.linear(tg.tensor([3.0, 4.0]), w, tg.tensor([0.5]))
        tensor([11.5])
    """
    if weight.ndim != 2:
        raise ShapeError(f"linear: expected a weight of shape (out, in), got {weight.shape}")
    if not x.ndim or x.shape[-1] != weight.shape[-1]:
        raise ShapeError(
            f"linear: expected an input of shape (..., {weight.shape[-1]}) for a weight of shape "
            f"{weight.shape}, got {x.shape}"
        )
    if x.ndim > 2:
        # NumPy multiplies a stack of matrices one by one, and `dot` not even by BLAS
        out = _rows(x).dot(weight.T).reshape(*x.shape[:-1], weight.shape[0])
    else:
        out = x.dot(weight.T)  # less overhead than matmul, the same for a matrix on the right
    if out.dtype != bias.dtype:
        return out + bias
    out += bias
    return out
