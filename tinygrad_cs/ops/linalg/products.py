"""Products and powers of matrices under the names and conventions of `linalg`."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, DTypeError, ShapeError
from ...engine.types import Shape, np
from ..axes import shape_of
from ..contractions import named_products
from ..contractions.contraction import einsum
from ..contractions.named_products import tensordot, vecdot
from ..contractions.products import matmul, matrix_transpose
from ..contractions.subscripts import LETTERS
from ..elementwise.selection import where
from ..families import Case, Draw
from ..shapes import diagonals
from .draws import one_square, side, with_options
from .inverses import inv
from .refusals import matrices

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]


@composition(
    "x",
    numpy=np.linalg.matrix_power,
    cases=with_options(one_square, n=[-2, -1, 0, 1, 2, 3, 5]),
)
def matrix_power(x: Any, n: int) -> Any:
    """Every matrix of a stack times itself, n times, by squaring.

    Args:
        x: square matrices (..., m, m).
        n: a whole number; 0 gives the identity, a negative one powers of the inverse.

    Raises `DTypeError` for other `n`, `LinearAlgebraError` for matrices that are not square
    and, with a negative `n`, for singular ones.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
        tensor([[1., 3.],
                [0., 1.]])
    """
    values = matrices("matrix_power", x, square=True)
    try:
        n = operator.index(n)
    except TypeError as error:
        raise DTypeError(f"matrix_power: n is a whole number, got {n!r}") from error
    if n == 0:
        identity = np.eye(values.shape[-1], dtype=values.dtype)
        return where(np.zeros(values.shape, bool), x, identity)
    square = inv(x) if n < 0 else x
    n = abs(n)
    result = None
    while True:
        if n % 2:
            result = square if result is None else matmul(result, square)
        n //= 2
        if not n:
            return result
        square = matmul(square, square)


def _chain_cases(draw: Draw) -> Case:
    sides = [side(draw) for _ in range(draw.integer(3, 5))]
    shapes: list[Shape] = [*itertools.pairwise(sides)]
    if draw.flag():
        shapes[0] = shapes[0][1:]
    if draw.flag():
        shapes[-1] = shapes[-1][:1]
    return [[draw.array(s) for s in shapes]], {}


@composition("arrays", variadic=True, numpy=np.linalg.multi_dot, cases=_chain_cases)
def multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of two or more matrices, multiplied in the order that costs least.

    The first and the last may be vectors, a row and a column.

    Raises `ArgumentError` for fewer than two, `ShapeError` for shapes that do not fit.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, b = tg.tensor([[1.0, 2.0]]), tg.tensor([3.0, 4.0])
        >>> tg.linalg.multi_dot([a, b])
        tensor([11.])
    """
    shapes = [shape_of(a) for a in arrays]
    if len(shapes) < 2:
        raise ArgumentError(f"multi_dot: expected two matrices or more, got {len(shapes)}")
    inside = [len(s) == 2 for s in shapes[1:-1]]
    if not all(inside) or not {len(shapes[0]), len(shapes[-1])} <= {1, 2}:
        raise ShapeError(
            f"multi_dot: expected matrices (the first and last may be vectors); got shapes {shapes}"
        )
    if any(a[-1] != b[0] for a, b in itertools.pairwise(shapes)):
        raise ShapeError(f"multi_dot: neighbours must have one length in common; got {shapes}")
    terms = [LETTERS[i : i + 2] for i in range(len(shapes))]
    if len(shapes[0]) == 1:
        terms[0] = terms[0][1:]
    if len(shapes[-1]) == 1:
        terms[-1] = terms[-1][:1]
    ends = (terms[0][:-1], terms[-1][1:])
    return einsum(f"{','.join(terms)}->{''.join(ends)}", *arrays)


def _with_offset(draw: Draw) -> Case:
    return [draw.array(draw.shape(min_dims=2))], {"offset": draw.integer(-2, 2)}


@composition("x", name="linalg.diagonal", numpy=np.linalg.diagonal, cases=_with_offset)
def diagonal(x: Any, offset: int = 0) -> Any:
    """The diagonal of every matrix in a stack (..., m, n); `tg.diagonal` takes the first two axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.diagonal(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
        tensor([[1., 4.]])
    """
    return diagonals.diagonal(x, offset, -2, -1)


@composition("x", name="linalg.trace", numpy=np.linalg.trace, cases=_with_offset)
def trace(x: Any, offset: int = 0) -> Any:
    """Sum along the diagonal of every matrix in a stack (..., m, n).

    Args:
        x: two axes or more; `tg.trace` takes the first two, as NumPy does.
        offset: 0 for the main diagonal, 1 for the one above, and so on.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.trace(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
        tensor([5.])
    """
    return named_products.trace(x, offset, -2, -1)


def _two_vectors(draw: Draw) -> Case:
    return [draw.array((side(draw),)), draw.array((side(draw),))], {}


@composition("a", "b", name="linalg.outer", numpy=np.linalg.outer, cases=_two_vectors)
def outer(a: Any, b: Any) -> Any:
    """All products a_i b_j of two vectors; `tg.outer` flattens other operands, this refuses them.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])
    """
    if len(shape_of(a)) != 1 or len(shape_of(b)) != 1:
        raise ShapeError(
            f"outer: expected two vectors, got shapes {shape_of(a)} and {shape_of(b)}; "
            f"tg.outer flattens"
        )
    return named_products.outer(a, b)


def _cross_cases(draw: Draw) -> Case:
    axis = draw.choice([-1, 0])
    shape = list(draw.shape(max_dims=2))
    shape.insert(0 if axis == 0 else len(shape), 3)
    return [draw.array(tuple(shape)), draw.array(tuple(shape))], {"axis": axis}


@composition("a", "b", name="linalg.cross", numpy=np.linalg.cross, cases=_cross_cases)
def cross(a: Any, b: Any, axis: int = -1) -> Any:
    """The vector product of vectors with three entries along `axis` (default last).

    Raises `ShapeError` for vectors of another length.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.linalg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    return named_products.cross(a, b, axis=axis)
