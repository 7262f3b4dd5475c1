"""The logistic function, its logarithm and its integral: each is the other's derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from ..axes import floats
from .exponential import LN2
from .selection import where

__all__ = ["logaddexp", "logsigmoid", "sigmoid", "softplus"]


_DOUBLE = np.dtype("f8")


def in_wider_floats(function: Callable[[Any], Any], x: Any) -> Any:
    """`function` of float16 and of integers, computed in floats in which e^-x is no trouble.

    float16 overflows where values are still far from its smallest number, and -x of unsigned
    integers wraps.
    """
    values = np.asarray(x)
    wide = function(values.astype(np.result_type(values, np.float32)))
    return wide.astype(np.result_type(values, np.float16))


def _sigmoid_float(x: float) -> float:
    z = math.exp(-math.fabs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


def _sigmoid_reference(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@operation(
    ELEMENTWISE,
    scalar=_sigmoid_float,
    reference=_sigmoid_reference,
    dx=lambda g, out: g * (out * (1 - out)),
)
def sigmoid(x: T) -> T:
    """Logistic function 1 / (1 + e^-x); saturates on both sides.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-10.0, 0.0, 10.0], requires_grad=True)
        >>> tg.sigmoid(x).sum().backward()
        >>> x.grad.round(4)
        array([0.  , 0.25, 0.  ], dtype=float32)
    """
    plain = getattr(x, "dtype", _DOUBLE).char in "fd"
    return _silently(x) if plain else in_wider_floats(_silently, x)


def _logistic(x: Any) -> Any:
    out = np.asarray(np.exp(np.negative(x)))
    out += 1
    return np.divide(1, out, out=out)


_silently: Any = np.errstate(over="ignore")(_logistic)  # 1 / (1 + inf) is the right limit, 0


def _logsigmoid_float(x: float) -> float:
    return min(x, 0.0) - math.log1p(math.exp(-math.fabs(x)))


@operation(
    ELEMENTWISE,
    scalar=_logsigmoid_float,
    reference=lambda x: -np.logaddexp(0, -x),
    dx=lambda g, x: g * sigmoid(-x),
)
def logsigmoid(x: T) -> T:
    """log(sigmoid(x)) = -log(1 + e^-x), without overflow and without taking log 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logsigmoid(-1000.0), tg.logsigmoid(1000.0)
        (-1000.0, 0.0)
    """
    x = floats(x)
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def _softplus_float(x: float, beta: float, threshold: float) -> float:
    z = beta * x
    if z > threshold:
        return x
    return (max(z, 0.0) + math.log1p(math.exp(-math.fabs(z)))) / beta


@operation(
    ELEMENTWISE,
    scalar=_softplus_float,
    reference=lambda x, beta=1.0, threshold=20.0: np.logaddexp(0, beta * x) / beta,
    dx=lambda g, x, beta, threshold: where(beta * x > threshold, g, g * sigmoid(beta * x)),
)
def softplus(x: T, beta: float = 1.0, threshold: float = 20.0) -> T:
    """log(1 + e^(beta x)) / beta, a smooth `relu`, without overflow.

    Args:
        x: values.
        beta: sharpness (default 1); the larger, the closer to `relu`.
        threshold: above beta x = threshold (default 20) the value is x itself and the slope 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.softplus(tg.tensor([-1000.0, 0.0, 1000.0]))
        tensor([0.000000e+00, 6.931472e-01, 1.000000e+03])
    """
    x, beta = floats(x), float(beta)
    z = np.multiply(beta, x)
    smooth = (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta
    return np.where(z > float(threshold), x, smooth)


def _logaddexp_float(a: float, b: float) -> float:
    if a == b:
        return a + LN2
    return max(a, b) + math.log1p(math.exp(-math.fabs(a - b)))


def _weight(g: Any, gap: Any, out: Any) -> Any:
    """The share sigmoid(gap) of one operand; log(0 + 0) = -inf has gradient 0, as `logsumexp`."""
    return where(out == -math.inf, 0, g * sigmoid(gap))


@operation(
    ELEMENTWISE,
    numpy=np.logaddexp,
    scalar=_logaddexp_float,
    da=lambda g, a, b, out: _weight(g, a - b, out),
    db=lambda g, a, b, out: _weight(g, b - a, out),
)
def logaddexp(a: Any, b: Any) -> Any:
    """log(e^a + e^b) without overflow; of two -inf it is -inf with gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logaddexp(1000.0, 0.0)
        1000.0
    """
    return np.logaddexp(a, b)


def _logaddexp2_float(a: float, b: float) -> float:
    if a == b:
        return a + 1
    return max(a, b) + math.log1p(math.pow(2, -math.fabs(a - b))) / LN2


@operation(
    ELEMENTWISE,
    numpy=np.logaddexp2,
    scalar=_logaddexp2_float,
    da=lambda g, a, b, out: _weight(g, LN2 * (a - b), out),
    db=lambda g, a, b, out: _weight(g, LN2 * (b - a), out),
)
def logaddexp2(a: Any, b: Any) -> Any:
    """log2(2^a + 2^b) without overflow.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.logistic.logaddexp2(3.0, 3.0)
        4.0
    """
    return np.logaddexp2(a, b)
