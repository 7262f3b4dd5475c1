"""Derivatives of the softmax family: exponentials divided by their sum, and the logarithms."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.types import Axis, T, np
from ..elementwise.exponential import exp
from ..elementwise.selection import where
from ..families import along_axis, reduction
from .reductions import reduced_axes, spread, sum

__all__ = ["log_softmax", "logsumexp", "softmax"]


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


def _unless_empty(g: Any, out: Any, axis: Axis) -> Any:
    """The cotangent, or 0 for a slice of only -inf."""
    values = getattr(out, "_data", out)
    if not values.size:
        return g
    nothing = np.maximum.reduce(values, axis=axis, keepdims=True) == -np.inf
    return where(nothing, 0, g) if nothing.any() else g


@operation(
    cases=along_axis,
    reference=lambda x, axis: np.log(_softmax_reference(x, axis)),
    # d log p_i / dx_j = delta_ij - p_j
    dx=lambda g, out, axis: _unless_empty(
        g - exp(out) * sum(g, axis=axis, keepdims=True), out, axis
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
