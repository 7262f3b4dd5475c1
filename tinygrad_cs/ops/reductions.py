"""Derivatives of reductions: the cotangent is spread back over the axes that were reduced."""

from __future__ import annotations

import math
from typing import Any

from ..engine.define import operation
from ..engine.record import MOVE
from ..engine.types import Array, Axis, Shape, T, np
from .elementwise import exp
from .families import along_axis, reduction
from .selection import where
from .shaping import broadcast_to, reshape

__all__ = ["log_softmax", "logsumexp", "max", "mean", "min", "softmax", "std", "sum", "var"]


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


def _shares(x: Any, out: Any, axis: Axis) -> Array:
    """How much of the gradient each entry gets: ties share equally; plain values, constant.

    Counted in float32 at least: in float16 2048 + 1 = 2048.
    """
    x, out = np.asarray(getattr(x, "_data", x)), getattr(out, "_data", out)
    ties = x == expand(np.asarray(out), x.shape, axis)
    count = np.sum(ties, axis=axis, keepdims=True, dtype=np.result_type(x.dtype, np.float32))
    shares: Array = (ties / count).astype(x.dtype)
    return shares


def _to_extremes(g: Any, x: Any, out: Any, axis: Axis) -> Any:
    shares = _shares(x, out, axis)
    return where(shares > 0, expand(g, shares.shape, axis) * shares, 0)


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
    return slope * _centred(x, axis) / (_count(x.shape, axis) - correction)


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


def _peak(x: Any, axis: Axis) -> Any:
    """The largest entry, to be subtracted before exp; 0 where it is infinite."""
    if not x.size:
        return 0.0
    peak = np.maximum.reduce(x, axis=axis, keepdims=True)
    finite = np.isfinite(peak)
    return peak if finite.all() else np.where(finite, peak, 0)


@operation(
    numpy=(),
    cases=reduction(),
    reference=lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    dx=lambda g, x, axis: spread(g, x.shape, axis) * softmax(x, axis),
)
def logsumexp(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """log(sum(exp(x))) over `axis` (default all) without overflow; of all -inf it is -inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]))
        tensor(1000.6932)
    """
    values = np.asarray(x)
    peak = _peak(values, axis)
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(values - peak), axis=axis, keepdims=True)) + peak
    return out if keepdims else np.squeeze(out, reduced_axes(values.ndim, axis))


def _softmax_reference(x: Any, axis: Axis) -> Any:
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


@operation(
    cases=along_axis,
    reference=_softmax_reference,
    # dp_i/dx_j = p_i (delta_ij - p_j)
    dx=lambda g, out, axis: out * (g - sum(g * out, axis=axis, keepdims=True)),
)
def softmax(x: T, axis: Axis = -1) -> T:
    """Probabilities exp(x) / sum(exp(x)) along `axis`, stable for large values.

    A slice of only -inf gives zeros with gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.softmax(tg.tensor([1000.0, 1000.0]))
        tensor([0.5, 0.5])
    """
    e = np.exp(x - _peak(x, axis))
    total = np.sum(e, axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


def _nothing_finite(out: Any, axis: Axis) -> Any:
    out = getattr(out, "_data", out)
    return np.max(out, axis=axis, keepdims=True) == -np.inf if out.size else False


@operation(
    cases=along_axis,
    reference=lambda x, axis: np.log(_softmax_reference(x, axis)),
    # d log p_i / dx_j = delta_ij - p_j
    dx=lambda g, out, axis: where(
        _nothing_finite(out, axis), 0, g - exp(out) * sum(g, axis=axis, keepdims=True)
    ),
)
def log_softmax(x: T, axis: Axis = -1) -> T:
    """Logarithm of `softmax` along `axis`, computed without taking the log of a small number.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.log_softmax(tg.tensor([0.0, 0.0]))
        tensor([-0.6931472, -0.6931472])
    """
    shifted = x - _peak(x, axis)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    return shifted - np.where(np.isfinite(total), total, 0)
