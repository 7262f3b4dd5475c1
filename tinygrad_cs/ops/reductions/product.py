"""The product over axes, whose derivative is the product of all other factors."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.types import Array, Axis, T, np
from ..axes import axis_numbers, raw
from ..families import Case, Draw, reduction
from ..shapes.shaping import permute_dims, reshape
from .scans import one_late, recurrence, running_product
from .sums import expand, reduced_axes

__all__ = ["prod"]


@operation(
    numpy=np.prod,
    cases=reduction(),
    dx=lambda g, x, out, axis: times_others(expand(g, x.shape, axis), x, axis, raw(out)),
)
def prod(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Product over `axis` (default all); the product of nothing is 1.

    The derivative is exact where factors are zero.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([2.0, 0.0, 4.0], requires_grad=True)
        >>> tg.prod(x).backward()
        >>> x.grad
        array([0., 8., 0.], dtype=float32)
    """
    try:
        return np.multiply.reduce(x, axis=axis, keepdims=keepdims)
    except ValueError:
        axis_numbers("prod", axis, np.shape(x))
        raise


def _lines(x: Any, axis: Axis) -> Any:
    """x with the axes of the product laid end to end, as its last one."""
    axes = reduced_axes(x.ndim, axis)
    kept = [a for a in range(x.ndim) if a not in axes]
    length = math.prod(x.shape[a] for a in axes)
    return reshape(permute_dims(x, (*kept, *axes)), (*[x.shape[a] for a in kept], length))


def _back(lines: Any, shape: Any, axis: Axis) -> Any:
    """The inverse of `_lines`."""
    axes = reduced_axes(len(shape), axis)
    order = (*[a for a in range(len(shape)) if a not in axes], *axes)
    places = sorted(range(len(shape)), key=order.__getitem__)
    return permute_dims(reshape(lines, tuple(shape[a] for a in order)), places)


def _before(x: Any) -> Any:
    return one_late(running_product(x, -1), 1, -1, False)


def _after(x: Any) -> Any:
    return one_late(running_product(x, -1, True), 1, -1, True)


def _without_two(c: Any, x: Any, axis: Axis) -> Any:
    """For each k the sum over i of c_i times all factors but x_i and x_k.

    Before k the sum obeys a recurrence, s_(k+1) = x_k s_k + c_k x_0 ... x_(k-1); after it, another.
    """
    shape = x.shape
    c, x = _lines(c, axis), _lines(x, axis)
    before, after = _before(x), _after(x)
    one_before = one_late(recurrence(x, c * before, -1), 0, -1, False)
    one_after = one_late(recurrence(x, c * after, -1, True), 0, -1, True)
    return _back(one_before * after + before * one_after, shape, axis)


def _others_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    axis = draw.axis(x.ndim)
    weight = draw.array(np.shape(np.add.reduce(x, axis=axis, keepdims=True)))
    return [weight, x], {"axis": axis}


def _others_reference(weight: Any, x: Any, axis: Axis) -> Any:
    return weight * np.multiply.reduce(x, axis=axis, keepdims=True) / x


def _by_scans(x: Any, axis: Axis) -> Any:
    """For each entry the product of those before it, times the product of those after it."""
    lines = _lines(x, axis)
    return _back(_before(lines) * _after(lines), x.shape, axis)


def _divisible(product: Array) -> bool:
    """Is no factor 0, and has nothing overflowed, or lost digits by being too small?"""
    limits = np.finfo(product.dtype)
    size = np.abs(product)
    return bool(((size >= limits.smallest_normal) & (size <= limits.max)).all())


@operation(
    cases=_others_cases,
    reference=_others_reference,
    dweight=lambda g, x, axis: times_others(g, x, axis),
    dx=lambda g, weight, x, axis: _without_two(g * weight, x, axis),
)
def times_others(weight: Any, x: Any, axis: Axis, product: Array | None = None) -> Any:
    """`weight` times the product of all factors over `axis` but the one in each place.

    Args:
        weight: a number for each product, in a shape that broadcasts to that of x.
        x: the factors.
        axis: the axes of the product.
        product: its value, where it is known: the others are its quotients where that is exact.
    """
    values = np.asarray(x)
    if product is None:
        product = np.asarray(np.multiply.reduce(values, axis=axis))
    if values.dtype.kind != "f" or not _divisible(product):
        return weight * _by_scans(values, axis)
    product = expand(product, values.shape, axis)
    weighted = np.asarray(product * weight)
    if weighted.shape == product.shape and _divisible(weighted):
        return np.divide(weighted, values)
    out = np.asarray(np.divide(product, values))
    return np.multiply(out, weight, out if np.ndim(weight) <= out.ndim else None)
