"""The product over axes, whose derivative is the product of all other factors."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.types import Axis, T, np
from ..families import reduction
from ..shapes.shaping import permute_dims, reshape
from .reductions import reduced_axes, spread
from .scans import one_late, running_product

__all__ = ["prod"]


@operation(
    numpy=np.prod,
    cases=reduction(),
    dx=lambda g, x, axis: spread(g, x.shape, axis) * _product_of_others(x, axis),
)
def prod(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Product over `axis` (default all); the product of nothing is 1.

    The derivative is formed without dividing by x, so it is exact where factors are zero.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([2.0, 0.0, 4.0], requires_grad=True)
        >>> tg.prod(x).backward()
        >>> x.grad
        array([0., 8., 0.], dtype=float32)
    """
    return np.multiply.reduce(x, axis=axis, keepdims=keepdims)


def _product_of_others(x: Any, axis: Axis) -> Any:
    """For each entry the product of those before it, times the product of those after it."""
    axes = reduced_axes(x.ndim, axis)
    kept = [a for a in range(x.ndim) if a not in axes]
    order = (*kept, *axes)
    lines = permute_dims(x, order)
    length = math.prod(x.shape[a] for a in axes)
    flat = reshape(lines, (*[x.shape[a] for a in kept], length))
    before = one_late(running_product(flat, -1), 1, -1, False)
    after = one_late(running_product(flat, -1, True), 1, -1, True)
    back = sorted(range(x.ndim), key=order.__getitem__)
    return permute_dims(reshape(before * after, lines.shape), back)
