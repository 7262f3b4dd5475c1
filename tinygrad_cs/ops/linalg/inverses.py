"""Inverses and linear systems. With B = A^-1: dB = -B dA B."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.errors import ShapeError
from ...engine.types import Shape, np
from ..axes import broadcast_shape
from ..families import Case, Draw
from ..shapes.shaping import expand_dims
from .draws import invertible, one_matrix, one_square, side, stack
from .refusals import attempt, matrices

__all__ = ["inv", "pinv", "solve"]

_SINGULAR = "is singular"
_REMEDY = "add a small multiple of the identity, or use tg.linalg.pinv"


@operation(numpy=np.linalg.inv, cases=one_square, dx=lambda g, out: -(out.mT @ g @ out.mT))
def inv(x: Any) -> Any:
    """The inverse of every matrix in a stack (..., n, n).

    For a system of equations `solve` is faster and more accurate.

    Raises `LinearAlgebraError` for matrices that are not square, and for a singular one.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5 , 0.  ],
                [0.  , 0.25]])
    """
    values = matrices("inv", x, square=True)
    return attempt("inv", np.linalg.inv, values, _SINGULAR, _REMEDY)


@operation(
    cases=one_square,
    reference=np.linalg.inv,
    dx=lambda g, out: -(out.mT @ g @ out.mT),
)
def inverse_or_nan(x: Any) -> Any:
    """The inverse of every matrix in a stack, NaN for a singular one."""
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        out = np.full(x.shape, np.nan, x.dtype)
        if x.ndim > 2:
            for index in np.ndindex(x.shape[:-2]):
                out[index] = inverse_or_nan(x[index])
        return out


def _solve_cases(draw: Draw) -> Case:
    n, k = side(draw), side(draw)
    batch = stack(draw)
    a = invertible(draw, (*draw.broadcastable(batch), n, n))
    return [a, draw.array(draw.choice([(n,), (n, k), (*draw.broadcastable(batch), n, k)]))], {}


def _solve_vectors(a: Any, b: Any) -> Any:
    """The solutions for a stack of vectors, which `solve` would take for a matrix."""
    return solve(a, expand_dims(b, -1))[..., 0]


def _d_matrix(g: Any, a: Any, out: Any, b_shape: Shape) -> Any:
    """With x = A^-1 b: dx = A^-1 (db - dA x), so dA gets -(A^-T g) x^T."""
    if len(b_shape) == 1:
        return -expand_dims(_solve_vectors(a.mT, g), -1) * expand_dims(out, -2)
    return -(solve(a.mT, g) @ out.mT)


@operation(
    numpy=np.linalg.solve,
    cases=_solve_cases,
    da=_d_matrix,
    db=lambda g, a, b_shape: _solve_vectors(a.mT, g) if len(b_shape) == 1 else solve(a.mT, g),
)
def solve(a: Any, b: Any) -> Any:
    """The solution x of A x = b, for stacks of matrices too.

    Args:
        a: square matrices (..., n, n).
        b: one vector (n,), or matrices (..., n, k) with a right-hand side in each column; the
            axes in front are broadcast.

    Raises `LinearAlgebraError` for matrices that are not square and for a singular one,
    `ShapeError` where `b` has another length.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, b = tg.tensor([[2.0, 0.0], [0.0, 4.0]]), tg.tensor([1.0, 2.0])
        >>> tg.linalg.solve(a, b)
        tensor([0.5, 0.5])
    """
    values = matrices("solve", a, square=True)
    b = np.asarray(b)
    n = values.shape[-1]
    if not b.ndim or b.shape[-1 if b.ndim == 1 else -2] != n:
        raise ShapeError(
            f"solve: for matrices of shape {values.shape} expected b of shape ({n},) or "
            f"(..., {n}, k); got {b.shape}"
        )
    try:
        return np.linalg.solve(values, b)
    except np.linalg.LinAlgError:
        return attempt("solve", np.linalg.inv, values, _SINGULAR, _REMEDY)
    except ValueError:
        broadcast_shape("solve, the axes in front of the matrices", values.shape[:-2], b.shape[:-2])
        raise


def _d_pinv(g: Any, x: Any, out: Any) -> Any:
    """Golub and Pereyra 1973, for a rank that does not change.

    dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P
    """
    columns = g.mT @ out @ out.mT
    rows = out.mT @ out @ g.mT
    return -(out.mT @ g @ out.mT) + columns - x @ (out @ columns) + rows - (rows @ out) @ x


@operation(
    cases=one_matrix,
    numpy=np.linalg.pinv,
    dx=_d_pinv,
)
def pinv(x: Any, rtol: float | None = None) -> Any:
    """The Moore-Penrose inverse of every matrix in a stack: (..., m, n) to (..., n, m).

    Its derivative holds as long as the rank stays the same; where it changes the pseudoinverse
    jumps.

    Args:
        x: matrices of any shape.
        rtol: singular values below `rtol` times the largest count as zero (default: the larger
            side times the machine epsilon, as in the array API standard).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.pinv(tg.tensor([[2.0], [0.0]]))
        tensor([[0.5, 0. ]])
    """
    values = matrices("pinv", x)
    if rtol is None and values.dtype.kind == "f":
        rtol = max(values.shape[-2:]) * float(np.finfo(values.dtype).eps)
    lacks = "has no singular values"
    return attempt("pinv", lambda a: np.linalg.pinv(a, rtol), values, lacks, "check its entries")
