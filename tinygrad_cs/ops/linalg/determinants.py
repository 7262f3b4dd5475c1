"""Determinants. The derivative of det A is its matrix of cofactors: d det A = <cof A, dA>.

For a regular matrix cof A = det(A) A^-T, but det is a polynomial and has derivatives at singular
ones too. With A = U S V^T, cof A = det(U V) U cof(S) V^T, and the cofactors of a diagonal matrix
are the products of the other diagonal entries: nothing is divided by.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...engine.define import composition, operation
from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ..families import Case, Draw
from ..reductions.reductions import sum
from ..shapes.shaping import expand_dims
from .draws import invertible, one_square, side, stack
from .inverses import inv, inverse_or_nan
from .refusals import attempt, matrices

__all__ = ["det", "slogdet"]


def _as_matrix(numbers: Any) -> Any:
    """One number for each matrix, in a shape that multiplies it."""
    return expand_dims(numbers, (-2, -1))


def _dot(a: Any, b: Any) -> Any:
    return _as_matrix(sum(a * b, axis=(-2, -1)))


@operation(numpy=np.linalg.det, cases=one_square, dx=lambda g, x: _as_matrix(g) * cofactors(x))
def det(x: Any) -> Any:
    """The determinant of every matrix in a stack (..., n, n); 1 for n = 0.

    First and second derivatives are right at singular matrices too, higher ones at regular ones.
    Where the determinant over- or underflows use `slogdet`.

    Raises `LinearAlgebraError` for matrices that are not square.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.det(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(-2.)
    """
    return np.linalg.det(matrices("det", x, square=True))


def _turned_diagonal(x: Any) -> tuple[Array, Array, Array, Array]:
    """U, S, V^T with x = U S V^T, and det(U V) = 1 or -1."""
    finite = np.isfinite(x).all(axis=(-2, -1))
    if not finite.all():
        x = np.where(finite[..., None, None], x, 0)
    u, s, vt = attempt(
        "det", np.linalg.svd, x, "has no singular values, which its derivative needs", "check it"
    )
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return u, s, vt, np.where(finite, sign, sign.dtype.type(np.nan))


def _before(s: Array) -> Array:
    """The product of all entries before each one, along the last axis."""
    shifted = np.concatenate([np.ones_like(s[..., :1]), s[..., :-1]], axis=-1)
    products: Array = np.cumprod(shifted, axis=-1)
    return products


def _after(s: Array) -> Array:
    return _before(s[..., ::-1])[..., ::-1]


def _without_two(s: Array) -> Array:
    """p_ik, the product of all entries other than i and k; 0 for i = k."""
    upto = np.tri(s.shape[-1], dtype=bool)
    between = _before(np.where(upto, np.ones_like(s)[..., None, :], s[..., None, :]))
    upper = np.triu(_before(s)[..., :, None] * between * _after(s)[..., None, :], 1)
    return upper + upper.mT


def _cofactors_by_minors(x: Any) -> Any:
    n = x.shape[-1]
    out = np.empty(x.shape)
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(x, i, -2), j, -1)
        out[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return out


@operation(
    cases=one_square,
    reference=_cofactors_by_minors,
    dx=lambda g, x: cofactors_along(g, x),
)
def cofactors(x: Any) -> Any:
    """The matrix of cofactors, the derivative of the determinant."""
    u, s, vt, sign = _turned_diagonal(x)
    others = _before(s) * _after(s)
    return (u * (sign[..., None] * others)[..., None, :]) @ vt


def _along_cases(draw: Draw) -> Case:
    n, batch = side(draw), stack(draw)
    return [draw.array((*batch, n, n)), invertible(draw, (*batch, n, n))], {}


def _cofactors_along_regular(along: Any, x: Any) -> Any:
    """d (det(A) B), B = A^-T, along H: det(A) (<H, B> B - B H^T B)."""
    b = np.linalg.inv(x).mT
    dot = np.sum(along * b, axis=(-2, -1), keepdims=True)
    return np.linalg.det(x)[..., None, None] * (dot * b - b @ along.mT @ b)


def _third_derivative(g: Any, h: Any, x: Any) -> Any:
    """The gradient of det(A) (<g, B><h, B> - <h, B g^T B>), for a regular A.

    d<g, B> = -<B g^T B, dA>, by dB = -B dA^T B.
    """
    b = inv(x).mT
    along_g, along_h = b @ g.mT @ b, b @ h.mT @ b
    second = _dot(g, b) * _dot(h, b) - _dot(h, along_g)
    first = along_g @ h.mT @ b + along_h @ g.mT @ b - _dot(h, b) * along_g - _dot(g, b) * along_h
    return _as_matrix(det(x)) * (second * b + first)


@operation(
    cases=_along_cases,
    reference=_cofactors_along_regular,
    # the second derivative of det is symmetric: its transpose is itself
    dalong=lambda g, x: cofactors_along(g, x),
    dx=lambda g, along, x: _third_derivative(g, along, x),
)
def cofactors_along(along: Any, x: Any) -> Any:
    """The derivative of the cofactors of `x` along a matrix: the second derivative of det.

    Of det X at a diagonal X = S: d^2/dx_ii dx_kk = p_ik and d^2/dx_ik dx_ki = -p_ik, with p_ik the
    product of the diagonal entries other than i and k; all others are 0.
    """
    u, s, vt, sign = _turned_diagonal(x)
    turned = u.mT @ along @ vt.mT
    p = _without_two(s)
    diagonal = np.einsum("...ik,...kk->...i", p, turned)
    middle = diagonal[..., None] * np.eye(s.shape[-1], dtype=s.dtype) - p * turned.mT
    return sign[..., None, None] * (u @ middle @ vt)


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


@operation(
    name="logabsdet",
    cases=one_square,
    reference=lambda x: np.linalg.slogdet(x)[1],
    # d log|det A| = <A^-T, dA>
    dx=lambda g, x: _as_matrix(g) * inverse_or_nan(x).mT,
)
def _logabsdet(x: Any, known: Any = None) -> Any:
    return np.linalg.slogdet(x)[1] if known is None else known


@composition(
    "x",
    numpy=np.linalg.slogdet,
    cases=one_square,
)
def slogdet(x: Any) -> SlogdetResult:
    """Sign and log of the absolute value of the determinant, for every matrix (..., n, n).

    Returns `(sign, logabsdet)` with det = sign * exp(logabsdet); the sign has derivative 0. A
    singular matrix has sign 0 and logarithm -inf, and its gradient is NaN.

    Raises `LinearAlgebraError` for matrices that are not square.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> sign, logabsdet = tg.linalg.slogdet(x)
        >>> sign, logabsdet
        (tensor(-1.), tensor(0.6931472))
    """
    values = matrices("slogdet", x, square=True)
    sign, logabsdet = attempt("slogdet", np.linalg.slogdet, values, "has none", "look at it")
    constant = Tensor._of(np.asarray(sign)) if isinstance(x, Tensor) else sign
    return SlogdetResult(constant, _logabsdet(x, logabsdet))
