"""Decompositions of symmetric matrices: Cholesky's, and eigenvalues with their vectors.

NumPy reads one triangle and trusts that the other is its mirror image. Here the operations are
functions of (A + A^T) / 2: the same for a symmetric matrix, and gradients are symmetric.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...engine.define import composition, operation
from ...engine.errors import ArgumentError
from ...engine.types import np
from ..shapes.diagonals import tril
from ..shapes.shaping import expand_dims
from .draws import one_symmetric, with_options
from .gaps import guarded, inverse_gaps
from .inverses import solve
from .refusals import attempt, symmetric_part

__all__ = ["cholesky", "eigh", "eigvalsh"]


def _half_below(x: Any) -> Any:
    """The lower triangle, with half of the diagonal."""
    return tril(x) * (1 - np.eye(x.shape[-1], dtype=x.dtype) / 2)


def _d_cholesky(g: Any, out: Any, upper: bool) -> Any:
    """L^-T P L^-1 made symmetric, P the half-below part of L^T g (Murray 2016, section 3)."""
    g, factor = (g.mT, out.mT) if upper else (g, out)
    inner = solve(factor.mT, _half_below(factor.mT @ g))
    whole = solve(factor.mT, inner.mT)
    return (whole + whole.mT) / 2


@operation(
    numpy=np.linalg.cholesky,
    cases=with_options(one_symmetric, upper=[False, True]),
    reference=lambda x, upper: np.linalg.cholesky(x, upper=upper),
    dx=_d_cholesky,
)
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular L with L L^T = A, for every matrix in a stack (..., n, n).

    Args:
        x: symmetric positive definite matrices.
        upper: return L^T instead.

    Raises `LinearAlgebraError` for matrices that are not square, symmetric, positive definite.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
        tensor([[2., 0.],
                [1., 2.]])
    """
    part = symmetric_part("cholesky", x)
    factor = attempt(
        "cholesky", np.linalg.cholesky, part, "is not positive definite",
        "add a multiple of the identity larger than its most negative eigenvalue",
    )  # fmt: skip
    return np.ascontiguousarray(factor.mT) if upper else factor


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


def _decompose(x: Any, name: str = "eigh") -> Any:
    lacks, remedy = "has eigenvalues that LAPACK does not find", "look at its entries"
    return attempt(name, np.linalg.eigh, symmetric_part(name, x), lacks, remedy)


# Both parts come from one decomposition, passed on as `known`. From A V = V diag(w), with
# T = V^T dA V: dw_i = T_ii and dV = V (F o T), F_ij = 1 / (w_j - w_i) (Giles 2008, section 3.1).


def _d_eigenvalues(g: Any, x: Any, known: Any) -> Any:
    v = _vectors(x, known)
    return (v * expand_dims(g, -2)) @ v.mT


@operation(
    name="eigenvalues",
    cases=one_symmetric,
    reference=lambda x: np.linalg.eigh(x)[0],
    dx=_d_eigenvalues,
)
def _eigenvalues(x: Any, known: Any = None) -> Any:
    return (_decompose(x) if known is None else known)[0]


def _d_eigenvectors(g: Any, x: Any, known: Any) -> Any:
    v = _vectors(x, known)
    turned = v.mT @ g
    return v @ ((turned - turned.mT) / 2 * inverse_gaps(_eigenvalues(x, known))) @ v.mT


@operation(
    name="eigenvectors",
    cases=one_symmetric,
    reference=lambda x: np.linalg.eigh(x)[1],
    dx=_d_eigenvectors,
)
def _eigenvectors(x: Any, known: Any = None) -> Any:
    return (_decompose(x) if known is None else known)[1]


def _vectors(x: Any, known: Any) -> Any:
    known = _decompose(x) if known is None else known
    return guarded(_eigenvectors(x, known), known[0])


def _check_triangle(name: str, UPLO: str) -> None:
    if UPLO not in ("L", "U", "l", "u"):
        raise ArgumentError(f"{name}: UPLO is 'L' or 'U', got {UPLO!r}")


@composition(
    "x",
    numpy=np.linalg.eigh,
    cases=with_options(one_symmetric, UPLO=["L", "U"]),
    reference=lambda x, UPLO: np.linalg.eigh(x),  # from the other triangle the signs may differ
)
def eigh(x: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues and eigenvectors of symmetric matrices (..., n, n): A = V diag(w) V^T.

    Returns `(eigenvalues, eigenvectors)`: w (..., n) ascending, V (..., n, n) with a vector in
    each column. Signs of the vectors are arbitrary: a loss should not depend on them.

    Args:
        x: symmetric matrices.
        UPLO: NumPy reads one triangle; here both are read, and this makes no difference.

    Vectors of equal eigenvalues have no derivative: a gradient through them is NaN. The others,
    and the eigenvalues themselves, keep theirs; of second derivatives this holds only where all
    eigenvalues are distinct.

    Raises `LinearAlgebraError` for matrices that are not square or not symmetric.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
        >>> w, v = tg.linalg.eigh(x)
        >>> w[-1].backward()
        >>> x.grad
        array([[1., 0.],
               [0., 0.]], dtype=float32)
    """
    _check_triangle("eigh", UPLO)
    known = _decompose(x)
    return EighResult(_eigenvalues(x, known), _vectors(x, known))


@composition("x", numpy=np.linalg.eigvalsh, cases=with_options(one_symmetric, UPLO=["L", "U"]))
def eigvalsh(x: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric matrices (..., n, n) in ascending order; see `eigh`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.eigvalsh(tg.tensor([[2.0, 0.0], [0.0, 1.0]]))
        tensor([1., 2.])
    """
    _check_triangle("eigvalsh", UPLO)
    return _eigenvalues(x, _decompose(x, "eigvalsh"))
