"""Derivatives of the softmax family: exponentials divided by their sum, and the logarithms.

With -inf among the entries nothing is NaN: they have probability 0, and a slice of only -inf has
gradient 0. With NaN or +inf among them all probabilities of the slice are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.define import operation
from ...engine.types import Array, Axis, np
from ..axes import floats, raw
from ..elementwise.exponential import exp
from ..elementwise.selection import where
from ..families import along_axis, reduction
from .softmax_derivatives import centred_by, less_share
from .sums import expand, reduced_axes, sum

__all__ = ["log_softmax", "logsumexp", "softmax"]


def _below_peak(
    x: Any, axis: Axis, spared: Callable[[Any], Any] = np.isneginf
) -> tuple[Array, Any, bool]:
    """x less its largest entry (0 where that is `spared`), that entry, and whether all are finite.

    With a finite peak the exponentials sum to 1 at least, and need no care.
    """
    values = floats(x)
    if not values.size:
        return np.array(values), 0.0, False
    peak = np.maximum.reduce(values, axis=axis, keepdims=True)
    safe = bool(np.logical_and.reduce(np.isfinite(peak), axis=None))
    if not safe:
        peak = np.where(spared(peak), 0, peak)
    return np.asarray(np.subtract(values, peak)), peak, safe


def _exponentials(x: Any, axis: Axis) -> Any:
    """exp(x - peak), whose quotients do not depend on the peak: a constant, then."""
    return exp(x - _below_peak(raw(x), axis, np.isinf)[1])


def _total(x: Any, axis: Axis) -> Any:
    total = sum(_exponentials(x, axis), axis, keepdims=True)
    return where(total == 0, 1, total)


@operation(
    numpy=(),
    keep={"e": _exponentials, "total": _total},
    cases=reduction(),
    reference=lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    # softmax times g; the sum is divided by before there are many entries
    dx=lambda g, e, total, x_shape, axis: expand(g, x_shape, axis) / total * e,
)
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis` (default all) without overflow; of all -inf it is -inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]))
        tensor(1000.6932)
    """
    z, peak, safe = _below_peak(x, axis, np.isinf)
    e = np.exp(z, z)
    total = np.add.reduce(e, axis=axis, keepdims=True)
    if safe:
        out = np.log(total) + peak
    else:
        with np.errstate(divide="ignore"):
            out = np.log(total) + peak
        total = np.where(total == 0, 1, total)
    if not keepdims:
        out = np.squeeze(out, reduced_axes(z.ndim, axis))
    return out, e, total


def _softmax_reference(x: Any, axis: Axis) -> Any:
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


@operation(
    cases=along_axis,
    reference=_softmax_reference,
    # dp_i/dx_j = p_i (delta_ij - p_j)
    dx=lambda g, out, axis: centred_by(g, out, axis),
)
def softmax(x: Any, axis: Axis = -1) -> Any:
    """Probabilities exp(x) / sum(exp(x)) along `axis`, stable for large values.

    A slice of only -inf gives zeros with gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.softmax(tg.tensor([1000.0, 1000.0]))
        tensor([0.5, 0.5])
    """
    z, _, safe = _below_peak(x, axis)
    p = np.exp(z, z)
    total = np.add.reduce(p, axis=axis, keepdims=True)
    return np.divide(p, total if safe else np.where(total == 0, 1, total), p)


@operation(
    cases=along_axis,
    reference=lambda x, axis: np.log(_softmax_reference(x, axis)),
    # d log p_i / dx_j = delta_ij - p_j
    dx=lambda g, out, axis: less_share(g, out, axis),
)
def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """Logarithm of `softmax` along `axis`, computed without taking the log of a small number.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.log_softmax(tg.tensor([0.0, 0.0]))
        tensor([-0.6931472, -0.6931472])
    """
    z, _, safe = _below_peak(x, axis)
    total = np.add.reduce(np.exp(z), axis=axis, keepdims=True)
    if not safe:
        total = np.where(total == 0, 1, total)
    return np.subtract(z, np.log(total), z)
