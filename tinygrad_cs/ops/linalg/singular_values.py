"""The singular value decomposition A = U diag(s) V^T, of matrices of any shape.

With P = U^T dA V: ds_i = P_ii, and dU = U (F o (P S + S P^T)) + (I - U U^T) dA V S^-1 with
F_ij = 1 / (s_j^2 - s_i^2) (Townsend 2016, "Differentiating the singular value decomposition").
V is the U of A^T. All parts come from one decomposition, passed on as `known`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...engine.define import composition, operation
from ...engine.tensor import Tensor
from ...engine.types import np
from ..elementwise.selection import where
from ..families import Case, Draw
from ..shapes.joining import concat
from ..shapes.shaping import expand_dims
from .draws import full_rank, one_matrix, side, stack
from .gaps import guarded, inverse_gaps, is_zero, where_defined
from .refusals import attempt, matrices

__all__ = ["svd", "svdvals"]


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


def _decompose(x: Any, full: bool = False, name: str = "svd") -> Any:
    lacks, remedy = "has singular values that LAPACK does not find", "look at its entries"
    return attempt(name, lambda a: np.linalg.svd(a, full), matrices(name, x), lacks, remedy)


def _transposed(known: Any) -> Any:
    u, s, vh = known
    return vh.mT, s, u.mT


def _left(x: Any, known: Any) -> Any:
    """The left singular vectors, as far as they have a derivative."""
    complement = x.shape[-2] > x.shape[-1]
    return guarded(_left_vectors(x, known), known[1], complement)


def _right(x: Any, known: Any) -> Any:
    return _left(x.mT, _transposed(known))


def _d_values(g: Any, x: Any, out: Any, known: Any) -> Any:
    """A value of 0 is a kink like that of abs, with derivative 0."""
    known = _decompose(x) if known is None else known
    g = expand_dims(where(out == 0, 0, g), -2)
    return (_left(x, known) * g) @ _right(x, known).mT


@operation(
    name="singular_values",
    cases=one_matrix,
    reference=lambda x: np.linalg.svd(x, compute_uv=False),
    dx=_d_values,
)
def _values(x: Any, known: Any = None) -> Any:
    return (_decompose(x) if known is None else known)[1]


def _d_left_vectors(g: Any, x: Any, known: Any) -> Any:
    known = _decompose(x) if known is None else known
    u, s, v = _left(x, known), _values(x, known), _right(x, known)
    turned = u.mT @ g
    rates = turned * inverse_gaps(s, squared=True)
    inside = u @ ((rates + rates.mT) * expand_dims(s, -2))
    if x.shape[-2] <= x.shape[-1]:
        return inside @ v.mT
    return (inside + (g - u @ turned) * _inverse(s)) @ v.mT


def _inverse(s: Any) -> Any:
    """1 / s as a row, 0 where s is 0: a vector of the value 0 has no derivative anyway."""
    zero = is_zero(s)
    return expand_dims(where(zero, 0, 1 / where(zero, 1, s)), -2)


@operation(
    name="left_singular_vectors",
    cases=one_matrix,
    reference=lambda x: np.linalg.svd(x, full_matrices=False)[0],
    dx=_d_left_vectors,
)
def _left_vectors(x: Any, known: Any = None) -> Any:
    return (_decompose(x) if known is None else known)[0]


def _d_rest(g: Any, x: Any, rest: Any, known: Any) -> Any:
    """R^T U = 0 gives dR = -U dU^T R = -U S^-1 V^T dA^T R."""
    known = _decompose(x) if known is None else known
    u, s, v = _left(x, known), _values(x, known), _right(x, known)
    return -(_rest(x, rest, known) @ ((g.mT @ u) * _inverse(s)) @ v.mT)


def _one_more_row(draw: Draw) -> Case:
    """One vector is left out, so it is determined but for its sign."""
    n = side(draw)
    return [full_rank(draw, (*stack(draw), n + 1, n))], {}


@operation(
    name="left_null_vectors",
    cases=_one_more_row,
    reference=lambda x: np.linalg.svd(x)[0][..., x.shape[-1] :],
    dx=_d_rest,
)
def _rest(x: Any, rest: Any = None, known: Any = None) -> Any:
    return _decompose(x, full=True)[0][..., x.shape[-1] :] if rest is None else rest


def _completed(name: str, vectors: Any, x: Any, rest: Any, known: Any) -> Any:
    """The vectors and those left out; of several of these none is determined."""
    if not rest.shape[-1]:
        return vectors
    determined = rest.shape[-1] == 1 and not is_zero(known[1]).any()
    more = _rest(x, rest, known)
    if not determined:
        more = where_defined(more, np.zeros(rest.shape, bool), _refusal(name, rest.shape[-1]))
    return concat([vectors, more], axis=-1)


def _refusal(name: str, count: int) -> str:
    return (
        f"svd: the last {count} {name}, which full_matrices=True adds to complete a basis, are not "
        f"determined and have no derivative; write svd(x, full_matrices=False), or read the others"
    )


def _svd_cases(draw: Draw) -> Case:
    operands, _ = draw.choice([one_matrix, one_matrix, _one_more_row])(draw)
    m, n = operands[0].shape[-2:]
    full = draw.choice([abs(m - n) <= 1, False])
    return operands, {"full_matrices": full, "compute_uv": draw.choice([True, True, False])}


@composition("x", numpy=np.linalg.svd, cases=_svd_cases)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition A = U diag(S) Vh of every matrix in a stack (..., m, n).

    Returns `(U, S, Vh)`: with k the smaller side, U (..., m, k), S (..., k) descending, Vh
    (..., k, n). Signs of the vectors are arbitrary: a loss should not depend on them.

    Args:
        x: matrices of any shape.
        full_matrices: as in NumPy (default), U is (..., m, m) and Vh (..., n, n); the additional
            vectors are determined, and have a derivative, only where it is one. A gradient that
            reaches others raises `NoDerivativeError`; write False.
        compute_uv: False for S alone, as `svdvals`.

    Vectors of equal singular values have no derivative: a gradient through them is NaN, and so it
    is for a value of 0 and the vectors of the longer side. The others, and the singular values,
    keep theirs; of second derivatives this holds only where all singular values are distinct.

    Raises `LinearAlgebraError` for what is not a matrix, and for entries that are not finite.

    Example:
        >>> import tinygrad_cs as tg
        >>> u, s, vh = tg.linalg.svd(tg.tensor([[0.0, 2.0], [1.0, 0.0]]))
        >>> s
        tensor([2., 1.])
    """
    if not compute_uv:
        return svdvals(x)
    if not isinstance(x, Tensor):
        x = matrices("svd", x)
    wide = x.ndim > 1 and x.shape[-1] != x.shape[-2]
    u, s, vh = _decompose(x, full=full_matrices and wide)
    k = s.shape[-1]
    known = u[..., :k], s, vh[..., :k, :]
    left = _completed("columns of U", _left(x, known), x, u[..., k:], known)
    right = _completed("rows of Vh", _right(x, known), x.mT, vh[..., k:, :].mT, _transposed(known))
    return SVDResult(left, _values(x, known), right.mT)


@composition("x", numpy=np.linalg.svdvals, cases=one_matrix)
def svdvals(x: Any) -> Any:
    """Singular values of every matrix in a stack (..., m, n), in descending order; see `svd`.

    A value of 0 is a kink, with gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.svdvals(tg.tensor([[0.0, 2.0], [1.0, 0.0]]))
        tensor([2., 1.])
    """
    return _values(x, _decompose(x, name="svdvals"))
