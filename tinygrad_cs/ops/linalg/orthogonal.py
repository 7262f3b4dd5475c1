"""The QR decomposition: A = Q R, orthonormal columns times an upper triangle."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...engine.define import composition, operation
from ...engine.errors import ArgumentError, LinearAlgebraError, NoDerivativeError
from ...engine.tensor import Tensor
from ...engine.types import Shape, np
from ..families import Case, Draw
from ..indices.indexing import getitem
from ..shapes.diagonals import tril
from ..shapes.joining import concat
from .draws import full_rank, one_matrix, side, stack
from .inverses import solve
from .refusals import attempt, matrices

__all__ = ["qr"]


class QRResult(NamedTuple):
    """Orthonormal columns, and an upper triangle."""

    Q: Any
    R: Any


def _mirrored(x: Any) -> Any:
    """The symmetric matrix with the lower triangle of `x`."""
    return tril(x) + tril(x, -1).mT


def _over_transposed(x: Any, r: Any) -> Any:
    """X R^-T."""
    diagonal = np.diagonal(getattr(r, "_data", r), axis1=-2, axis2=-1)
    if not diagonal.all():
        raise LinearAlgebraError(
            "qr: the columns of the matrix are linearly dependent, so Q and R have no derivative"
        )
    return solve(r, x.mT).mT


def _decompose(x: Any) -> Any:
    lacks, remedy = "has columns that LAPACK does not turn", "look at its entries"
    return attempt("qr", np.linalg.qr, matrices("qr", x), lacks, remedy)


# gA = (gQ + Q M) R^-T with M = mirrored(R gR^T - gQ^T Q) (Walter and Lehmann 2018), for m >= n;
# the share of each part is a rule of its own. Both come from one decomposition, `known`.


def _d_q(g: Any, x: Any, out: Any, known: Any) -> Any:
    return _over_transposed(g - out @ _mirrored(g.mT @ out), _r(x, known))


def _d_r(g: Any, x: Any, out: Any, known: Any) -> Any:
    return _over_transposed(_q(x, known) @ _mirrored(out @ g.mT), out)


def _tall(draw: Draw) -> Case:
    n = side(draw)
    return [full_rank(draw, (*stack(draw), n + draw.integer(0, 1), n))], {}


@operation(name="qr_q", cases=_tall, reference=lambda x: np.linalg.qr(x)[0], dx=_d_q)
def _q(x: Any, known: Any = None) -> Any:
    return (_decompose(x) if known is None else known)[0]


@operation(name="qr_r", cases=_tall, reference=lambda x: np.linalg.qr(x)[1], dx=_d_r)
def _r(x: Any, known: Any = None) -> Any:
    return (_decompose(x) if known is None else known)[1]


def _cases(draw: Draw) -> Case:
    operands, _ = one_matrix(draw)
    m, n = operands[0].shape[-2:]
    modes = ["reduced", "r", "complete" if m <= n else "reduced"]
    return operands, {"mode": draw.choice(modes)}


@composition("x", numpy=np.linalg.qr, cases=_cases)
def qr(x: Any, mode: str = "reduced") -> Any:
    """A = Q R for every matrix in a stack (..., m, n): orthonormal columns, upper triangle.

    Returns `(Q, R)`: with k the smaller side, Q (..., m, k) and R (..., k, n).

    Args:
        x: matrices whose first k columns are linearly independent, for derivatives.
        mode: `"reduced"` (default); `"r"` for R alone; `"complete"` for Q (..., m, m), which for
            m > n has columns that are not determined, and no derivative.

    Raises `LinearAlgebraError` for what is not a matrix, and in the backward pass for columns that
    are linearly dependent; `NoDerivativeError` for `"complete"` where that has none.

    Example:
        >>> import tinygrad_cs as tg
        >>> q, r = tg.linalg.qr(tg.tensor([[0.0, 2.0], [1.0, 0.0]]))
        >>> q @ r
        tensor([[0., 2.],
                [1., 0.]])
    """
    if mode not in ("reduced", "r", "complete"):
        raise ArgumentError(f"qr: mode is 'reduced', 'complete' or 'r', got {mode!r}")
    if not isinstance(x, Tensor):
        x = matrices("qr", x)
    q, r = _decompose(x)
    shape: Shape = x.shape
    m, n = shape[-2:]
    if mode == "complete" and m > n:
        return _complete(x)
    square = x if m >= n else getitem(x, (..., slice(m)))
    known = q, r[..., :m]
    r_square = _r(square, known)
    if mode == "r" and m >= n:
        return r_square
    q_node = _q(square, known)
    # the columns beyond the square are those of A in the basis Q
    full = r_square if m >= n else concat([r_square, q_node.mT @ x[..., m:]], axis=-1)
    return full if mode == "r" else QRResult(q_node, full)


def _complete(x: Any) -> QRResult:
    if getattr(x, "requires_grad", False):
        raise NoDerivativeError(
            f"qr: with mode='complete' a matrix of shape {x.shape} has columns of Q that are not "
            f"determined and have no derivative; use mode='reduced'"
        )
    q, r = np.linalg.qr(matrices("qr", x), "complete")
    return QRResult(Tensor._of(q), Tensor._of(r)) if isinstance(x, Tensor) else QRResult(q, r)
