"""Sorted values: each is copied from where it stood, and its cotangent goes back there."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, IndexOutOfRange
from ...engine.types import Array, Axis, Shape, np
from ..axes import axis_number, axis_numbers, raw, shape_of
from ..families import Case, Draw, along_axis, reduction
from ..indices.taking import flat_places, take
from ..reductions.reductions import mean
from .conversion import astype
from .joining import stack
from .shaping import permute_dims, reshape

__all__ = ["argsort", "median", "sort"]


def argsort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Array:
    """The indices that sort each line along `axis`, as a plain array: they have no derivative.

    Args:
        x: values; NaN counts as the largest.
        axis: of the lines (default last); None sorts the flattened array.
        descending: from the largest to the smallest.
        stable: keep equal entries in their order (default); False may be faster.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.argsort(tg.tensor([2.0, 3.0, 1.0, 2.0]))
        array([2, 0, 3, 1])
    """
    return _order("argsort", raw(x), axis, descending, stable)


def _order(name: str, values: Array, axis: int | None, descending: bool, stable: bool) -> Array:
    if axis is None:
        values, axis = values.reshape(-1), 0
    axis = axis_number(name, axis, values.shape)
    kind: Any = "stable" if stable else None
    if not descending:
        order: Array = values.argsort(axis, kind)
        return order
    # the opposite of the order of the opposite line: equal entries keep their order
    opposite: Array = np.flip(np.flip(values, axis).argsort(axis, kind), axis)
    return values.shape[axis] - 1 - opposite


def _sort_cases(draw: Draw) -> Case:
    operands, params = along_axis(draw)
    return operands, {"axis": draw.choice([params["axis"], params["axis"], None])}


@composition("x", numpy=np.sort, cases=_sort_cases)
def sort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Any:
    """Each line along `axis` sorted; gradients go to the entries in their old places.

    Args:
        x: values; NaN counts as the largest.
        axis: of the lines (default last); None sorts the flattened array.
        descending: from the largest to the smallest.
        stable: of equal entries the first comes first (default), and so do gradients; False may
            be faster.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([3.0, 1.0, 2.0], requires_grad=True)
        >>> (tg.sort(x) * [1.0, 10.0, 100.0]).sum().backward()
        >>> x.grad
        array([100.,   1.,  10.], dtype=float32)
    """
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    order = _order("sort", raw(x), axis, descending, stable)
    return take(x, flat_places(order.shape, order, axis % order.ndim))


def _in_lines(name: str, x: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The reduced axes as one last axis, and which they were."""
    shape = shape_of(x)
    axes = axis_numbers(name, axis, shape)
    if (len(shape) == 1 and axes) or axes == (len(shape) - 1,):
        return x, axes
    kept = [i for i in range(len(shape)) if i not in axes]
    lines = permute_dims(x, (*kept, *axes)) if axes != tuple(range(len(shape))) else x
    length = math.prod([shape[i] for i in axes])
    return reshape(lines, (*[shape[i] for i in kept], length)), axes


def _with_axes(out: Any, shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Any:
    if not keepdims:
        return out
    return reshape(out, tuple([1 if i in axes else n for i, n in enumerate(shape)]))


def _at_ranks(lines: Any, low: int, high: int) -> Any:
    """The entries of two ranks from each line; NaN where the line contains one."""
    values = raw(lines)
    chosen = values.argpartition((low, high), -1)[..., [low, high]]
    missing = np.isnan(values)
    if missing.any():
        first = missing.argmax(-1)[..., None]
        chosen = np.where(missing.any(-1, keepdims=True), first, chosen)
    return take(lines, flat_places(values.shape, chosen, values.ndim - 1))


@composition("x", numpy=np.median, cases=reduction())
def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle value over `axis` (default all); of an even number the mean of the middle two.

    The gradient goes to the middle entry, or half to each of two; of equal entries to one. A line
    with NaN has median NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([5.0, 1.0, 2.0, 9.0], requires_grad=True)
        >>> tg.median(x).backward()
        >>> x.grad
        array([0.5, 0. , 0.5, 0. ], dtype=float32)
    """
    lines, axes = _in_lines("median", x, axis)
    length = shape_of(lines)[-1]
    if not length or not raw(lines).size:
        return mean(x, axis, keepdims)
    middle = _at_ranks(lines, (length - 1) // 2, length // 2)
    return _with_axes(mean(middle, -1), shape_of(x), axes, keepdims)


def _quantile_cases(draw: Draw) -> Case:
    operands, params = reduction()(draw)
    return operands, {"q": draw.choice([0.0, 0.25, 0.5, 0.9, 1.0, [0.1, 0.7]])} | params


@composition("x", numpy=np.quantile, cases=_quantile_cases)
def quantile(x: Any, q: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The value below which the share `q` of the entries over `axis` lies, linear in between.

    Of several shares the results follow each other along the first axis.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> np.quantile(tg.tensor([1.0, 2.0, 4.0]), 0.75)
        tensor(3.)
    """
    if np.ndim(q):
        return stack([quantile(x, share, axis, keepdims) for share in q])
    if not 0 <= q <= 1:
        raise ArgumentError(f"quantile: q is a number from 0 to 1, or several, got {q!r}")
    if raw(x).dtype.kind != "f":
        x = astype(x, float)  # the difference of two small integers may wrap
    lines, axes = _in_lines("quantile", x, axis)
    length = shape_of(lines)[-1]
    if not length:
        raise IndexOutOfRange(f"quantile: no entries over axis {axis} of shape {shape_of(x)}")
    if not raw(lines).size:
        return mean(x, axis, keepdims)
    rank = float(q) * (length - 1)
    low = math.floor(rank)
    pair = _at_ranks(lines, low, min(low + 1, length - 1))
    out = pair[..., 0] + (pair[..., 1] - pair[..., 0]) * (rank - low)
    return _with_axes(out, shape_of(x), axes, keepdims)


def _percentile_cases(draw: Draw) -> Case:
    operands, params = _quantile_cases(draw)
    return operands, params | {"q": np.multiply(100, params["q"])}


@composition("x", numpy=np.percentile, cases=_percentile_cases)
def percentile(x: Any, q: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """`quantile` with `q` from 0 to 100.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> np.percentile(tg.tensor([1.0, 2.0, 4.0]), 75)
        tensor(3.)
    """
    shares = np.divide(q, 100)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ArgumentError(f"percentile: q is a number from 0 to 100, or several, got {q!r}")
    return quantile(x, shares, axis, keepdims)
