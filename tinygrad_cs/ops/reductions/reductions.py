"""Derivatives of reductions: the cotangent is spread back over the axes that were reduced."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Axis, Shape, T, np
from ..elementwise.selection import where
from ..families import reduction
from ..shapes.shaping import broadcast_to, reshape

__all__ = ["max", "mean", "min", "std", "sum", "var"]


def reduced_axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    """The axes a reduction runs over, as numbers from 0."""
    if axis is None:
        return tuple(range(ndim))
    axes: Any = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(a % ndim for a in axes)


def expand(reduced: Any, shape: Shape, axis: Axis) -> Any:
    """A reduced array with its lost axes back as axes of length one."""
    if not shape:
        return reduced
    axes = reduced_axes(len(shape), axis)
    return reshape(reduced, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def spread(g: Any, shape: Shape, axis: Axis) -> Any:
    """A cotangent of the reduction copied over the reduced axes."""
    return broadcast_to(expand(g, shape, axis), shape)


def _count(shape: Shape, axis: Axis) -> int:
    return math.prod(shape[a] for a in reduced_axes(len(shape), axis))


@operation(
    MOVE,
    numpy=np.sum,
    cases=reduction(),
    dx=lambda g, x_shape, axis: spread(g, x_shape, axis),
)
def sum(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Sum over `axis` (default all); the sum of nothing is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        tensor([4., 6.])
    """
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


@operation(
    MOVE,
    numpy=np.mean,
    cases=reduction(),
    dx=lambda g, x_shape, axis: spread(g / _count(x_shape, axis), x_shape, axis),
)
def mean(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Mean over `axis` (default all).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.mean(tg.tensor([1.0, 2.0, 6.0]))
        tensor(3.)
    """
    values = np.asarray(x)
    count = values.size if axis is None else _count(values.shape, axis)
    if not count or values.dtype.itemsize < 4:
        return np.mean(values, axis=axis, keepdims=keepdims)
    # np.mean itself takes three times as long on small arrays
    return np.add.reduce(values, axis=axis, keepdims=keepdims) / count


def _to_extremes(g: Any, x: Any, out: Any, axis: Axis) -> Any:
    """The cotangent shared equally by all entries that are extreme: plain values, so constant.

    Of several entries with NaN among them, NaN is the largest and the smallest. Ties are counted
    in float32 at least: in float16 2048 + 1 = 2048.
    """
    x, out = (np.asarray(getattr(v, "_data", v)) for v in (x, out))
    extreme = expand(out, x.shape, axis)
    ties = x == extreme
    if (out != out).any():
        ties |= np.isnan(x) & np.isnan(extreme)
    count = np.add.reduce(ties, axis, np.result_type(x.dtype, np.float32), keepdims=True)
    return where(ties, expand(g, x.shape, axis) / count, 0)


@operation(numpy=(np.max, np.amax) if np.amax is not np.max else np.max, cases=reduction(),
           cuts=True, dx=lambda g, x, out, axis: _to_extremes(g, x, out, axis))  # fmt: skip
def max(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Largest entry over `axis` (default all); ties share the gradient equally.

    Raises `ShapeError` for the maximum of nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([1.0, 3.0, 3.0], requires_grad=True)
        >>> tg.max(x).backward()
        >>> x.grad
        array([0. , 0.5, 0.5], dtype=float32)
    """
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)


@operation(numpy=(np.min, np.amin) if np.amin is not np.min else np.min, cases=reduction(),
           cuts=True, dx=lambda g, x, out, axis: _to_extremes(g, x, out, axis))  # fmt: skip
def min(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Smallest entry over `axis` (default all); ties share the gradient equally.

    Raises `ShapeError` for the minimum of nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.min(tg.tensor([3.0, 1.0, 2.0]))
        tensor(1.)
    """
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)


def _centred(x: Any, axis: Axis) -> Any:
    return x - mean(x, axis=axis, keepdims=True)


@operation(
    numpy=np.var,
    cases=reduction(correction=[0]),
    # d var / dx_i = 2 (x_i - mean) / (n - correction): the mean's own share cancels
    dx=lambda g, x, axis, correction: (
        expand(g, x.shape, axis) * 2 / (_count(x.shape, axis) - correction) * _centred(x, axis)
    ),
)
def var(x: T, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> T:
    """Variance over `axis` (default all), divided by n - correction (default 0).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.var(tg.tensor([1.0, 3.0])), tg.var(tg.tensor([1.0, 3.0]), correction=1)
        (tensor(1.), tensor(2.))
    """
    return np.var(x, axis=axis, ddof=correction, keepdims=keepdims)


def _std_rule(g: Any, x: Any, out: Any, axis: Axis, correction: float) -> Any:
    """(x_i - mean) / ((n - correction) std); 0 where all entries are equal."""
    s = expand(out, x.shape, axis)
    constant = s == 0
    slope = where(constant, 0, expand(g, x.shape, axis) / where(constant, 1, s))
    return slope / (_count(x.shape, axis) - correction) * _centred(x, axis)


@operation(
    numpy=np.std,
    # one entry has standard deviation 0: a kink, where the rule gives 0 by convention
    cases=lambda draw: ([draw.array((2, *draw.shape(max_dims=2)))],
                        {"axis": draw.choice([None, 0, (0,)]), "correction": draw.choice([0, 1]),
                         "keepdims": draw.flag()}),
    dx=_std_rule,
)  # fmt: skip
def std(x: T, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> T:
    """Standard deviation over `axis` (default all); a constant has gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.std(tg.tensor([1.0, 3.0]))
        tensor(1.)
    """
    return np.std(x, axis=axis, ddof=correction, keepdims=keepdims)
