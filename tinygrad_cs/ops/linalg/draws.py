"""How checks draw matrices: well conditioned, with distinct eigenvalues and singular values.

Each is a diagonal that settles the condition, and on it entries drawn at random. Where vectors
are computed those are away from 0: LAPACK's choice of signs jumps where an entry changes its own.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import Array, Shape, np
from ..families import Case, Draw


def side(draw: Draw) -> int:
    """The length of one axis."""
    (n,) = draw.shape(min_dims=1, max_dims=1)
    return n


def stack(draw: Draw) -> Shape:
    """The axes in front of the matrices: none or one."""
    return draw.shape(max_dims=1)


def invertible(draw: Draw, shape: Shape) -> Array:
    """Matrices near twice the identity."""
    matrix: Array = draw.array(shape, (-0.5, 0.5)) + 2 * np.eye(shape[-1])
    return matrix


def positive_definite(draw: Draw, shape: Shape) -> Array:
    """Symmetric matrices with eigenvalues near 2, 5, 8, ..."""
    noise = draw.array(shape, (0.1, 0.5))
    matrix: Array = (noise + noise.mT) / 2 + np.diag(2.0 + 3 * np.arange(shape[-1]))
    return matrix


def full_rank(draw: Draw, shape: Shape) -> Array:
    """Matrices with singular values near 2, 5, 8, ..."""
    m, n = shape[-2:]
    matrix: Array = draw.array(shape, (0.1, 0.4)) + np.eye(m, n) * (2.0 + 3 * np.arange(n))
    return matrix


def one_square(draw: Draw) -> Case:
    """A stack of invertible matrices."""
    n = side(draw)
    return [invertible(draw, (*stack(draw), n, n))], {}


def one_symmetric(draw: Draw) -> Case:
    """A stack of positive definite matrices with distinct eigenvalues."""
    n = side(draw)
    return [positive_definite(draw, (*stack(draw), n, n))], {}


def one_matrix(draw: Draw) -> Case:
    """A stack of matrices of full rank with distinct singular values, of any shape."""
    return [full_rank(draw, (*stack(draw), side(draw), side(draw)))], {}


def with_options(make: Any, **options: Any) -> Any:
    """The cases of `make`, with a choice for each further parameter."""

    def cases(draw: Draw) -> Case:
        operands, params = make(draw)
        return operands, params | {name: draw.choice(some) for name, some in options.items()}

    return cases
