"""Stacks of matrix products in pieces small enough that BLAS keeps each on one thread.

Between the products of a convolution stand copies. OpenBLAS shares a product of more than about a
million multiplications with its other threads, which have gone to sleep meanwhile, and waking them
takes longer than the product: measured on two cores, sixteen products of 32x288x1024 between their
copies took 4.7 ms whole and 4.5 in pieces, of 64x576x256 10.3 ms whole and 4.1 in pieces.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import Array, np

_ONE_THREAD = 1 << 19
"""Multiplications."""

_WORTH_IT = 16
"""Columns, below which a piece is too thin."""


def product(a: Any, b: Any, out: Any = None) -> Array:
    """`a @ b` of stacks of matrices, the columns of `b` in pieces."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    width = _ONE_THREAD // max(1, m * k)
    if n <= width or width < _WORTH_IT:
        return np.matmul(a, b, out=out)
    if out is None:
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = np.empty((*stack, m, n), np.result_type(a, b))
    whole = n - n % width
    np.matmul(a[..., None, :, :], _pieces(b, whole, width), out=_pieces(out, whole, width))
    if whole < n:
        np.matmul(a, b[..., whole:], out=out[..., whole:])
    return out


def _pieces(x: Any, whole: int, width: int) -> Any:
    """The first `whole` columns as a stack of matrices of `width` columns; a view."""
    return x[..., :whole].reshape(*x.shape[:-1], -1, width).swapaxes(-2, -3)


def summed_product(a: Any, b: Any) -> Any:
    """The sum over the first axis of `a @ b`, the columns of `a` and rows of `b` in pieces."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    width = _ONE_THREAD // max(1, m * n)
    if k <= width or width < _WORTH_IT:
        return np.add.reduce(a @ b, axis=0)
    whole = k - k % width
    left = _pieces(a, whole, width)
    right = _pieces(b.swapaxes(-1, -2), whole, width).swapaxes(-1, -2)
    total = np.add.reduce(left @ right, axis=(0, -3))
    if whole < k:
        total += np.add.reduce(a[..., whole:] @ b[..., whole:, :], axis=0)
    return total
