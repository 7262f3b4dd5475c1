"""How close a matrix is to a singular one: condition number and rank."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition
from ...engine.errors import LinearAlgebraError
from ...engine.record import BY_NUMPY
from ...engine.types import np
from ..axes import shape_of
from ..indices.indexing import getitem
from .draws import one_square, with_options
from .inverses import inv
from .norms import matrix_norm
from .refusals import attempt, matrices
from .singular_values import svdvals

__all__ = ["cond", "matrix_rank"]


@composition(
    "x",
    numpy=np.linalg.cond,
    cases=with_options(one_square, p=[None, 2, -2, 1, "fro", math.inf]),
)
def cond(x: Any, p: Any = None) -> Any:
    """Condition number of every matrix in a stack: the norm of A times that of its inverse.

    Args:
        x: square matrices; with the default `p` of any shape.
        p: as `ord` in `matrix_norm` (default 2: the largest singular value over the smallest).

    Raises `LinearAlgebraError` for empty matrices and, with a `p` other than 2 and -2, singular
    ones (the default gives inf).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.cond(tg.tensor([[2.0, 0.0], [0.0, 0.5]]))
        tensor(4.)
    """
    if 0 in matrices("cond", x).shape[-2:]:
        raise LinearAlgebraError(f"cond: an empty matrix has none; got shape {shape_of(x)}")
    if p is None or p in (2, -2):
        s = svdvals(x)
        large, small = getitem(s, (..., 0)), getitem(s, (..., -1))
        with np.errstate(divide="ignore"):
            return small / large if p == -2 else large / small
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


def matrix_rank(x: Any, rtol: float | None = None) -> Any:
    """How many singular values count as not zero, as plain integers: a rank has no derivative.

    Args:
        x: matrices (..., m, n).
        rtol: those below `rtol` times the largest count as zero (default: the larger side times
            the machine epsilon).

    Example:
        >>> import tinygrad_cs as tg
        >>> int(tg.linalg.matrix_rank(tg.tensor([[1.0, 2.0], [2.0, 4.0]])))
        1
    """
    lacks, remedy = "has singular values that LAPACK does not find", "look at its entries"
    values = matrices("matrix_rank", x)
    return attempt(
        "matrix_rank", lambda a: np.linalg.matrix_rank(a, rtol=rtol), values, lacks, remedy
    )


BY_NUMPY[np.linalg.matrix_rank] = matrix_rank
