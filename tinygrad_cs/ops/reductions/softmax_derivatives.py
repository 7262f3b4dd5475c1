"""What the derivatives of softmax and its logarithm do to a cotangent, each in as few passes."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.types import Array, np
from ..axes import at_axis, raw
from ..elementwise.exponential import exp
from ..elementwise.selection import where
from ..families import Case, Draw, along_axis
from .sums import sum


def _two(draw: Draw) -> Case:
    (x,), params = along_axis(draw)
    return [x, draw.array(x.shape)], params


def _d_weights(g: Any, x: Any, p: Any, axis: int) -> Any:
    mean = sum(p * x, axis, keepdims=True)
    return g * (x - mean) - x * sum(g * p, axis, keepdims=True)


@operation(
    cases=_two,
    reference=lambda x, p, axis: p * (x - np.sum(p * x, axis=axis, keepdims=True)),
    dx=lambda g, p, axis: centred_by(g, p, axis),  # it is symmetric in g and x
    dp=_d_weights,
)
def centred_by(x: Any, p: Any, axis: int = -1) -> Any:
    """p (x - sum(p x)): how far x is from its mean under the probabilities p, times these.

    Example:
        >>> import tinygrad_cs as tg
        >>> p = tg.tensor([0.25, 0.75])
        >>> tg.ops.reductions.softmax_derivatives.centred_by(tg.tensor([4.0, 8.0]), p)
        tensor([-0.75,  0.75])
    """
    out = np.multiply(x, p)
    mean = np.add.reduce(out, axis=axis, keepdims=True)
    if out.ndim and np.ndim(x) == out.ndim:
        np.subtract(x, mean, out)
        out *= p
        return out
    return p * (x - mean)


def _impossible(log_p: Any, axis: int) -> Array | None:
    """Which slices are -inf throughout; None if none is."""
    values = raw(log_p)
    # such a slice begins with -inf: most of the time a look at the first entries is enough
    if not values.size or not (values[at_axis(axis % values.ndim, 0)] == -np.inf).any():
        return None
    found: Array = np.maximum.reduce(values, axis=axis, keepdims=True) == -np.inf
    return found


def _possible(x: Any, log_p: Any, axis: int) -> Any:
    """x, but 0 in slices that are -inf throughout."""
    nothing = _impossible(log_p, axis)
    return x if nothing is None else where(nothing, 0, x)


@operation(
    cases=_two,
    reference=lambda x, log_p, axis: x - np.exp(log_p) * np.sum(x, axis=axis, keepdims=True),
    dx=lambda g, log_p, axis: _possible(g - sum(g * exp(log_p), axis, keepdims=True), log_p, axis),
    dlog_p=lambda g, x, log_p, axis: -g * exp(log_p) * sum(x, axis, keepdims=True),
)
def less_share(x: Any, log_p: Any, axis: int = -1) -> Any:
    """x - p sum(x), what each entry has beyond its share of all; 0 where log_p is all -inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> log_p = tg.log(tg.tensor([0.25, 0.75]))
        >>> tg.ops.reductions.softmax_derivatives.less_share(tg.tensor([4.0, 8.0]), log_p)
        tensor([ 1., -1.])
    """
    out = np.exp(log_p)
    total = np.add.reduce(x, axis=axis, keepdims=True)
    if out.ndim and out.dtype == np.result_type(x, total):
        out *= total
        np.subtract(x, out, out)
    else:
        out = x - out * total
    nothing = _impossible(log_p, axis)
    if nothing is not None:
        out = np.where(nothing, 0, out)
    return out
