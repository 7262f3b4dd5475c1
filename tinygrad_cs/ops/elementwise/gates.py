"""Activations that multiply x by a gate in (0, 1) computed from x: silu and gelu by tanh.

A gate is 0 in float64 long before |x| is `FAR`: beyond, products with the gate take `FAR` for x,
so that infinity times 0 does not become NaN.
"""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from .extremes import minimum
from .logistic import in_wider_floats, sigmoid
from .selection import clip

FAR = 1e4


def _silu_float(x: float) -> float:
    z = math.exp(-math.fabs(x))
    return (x if x >= 0 else max(x, -FAR) * z) / (1 + z)


def _silu_rule(g: Any, x: Any, out: Any) -> Any:
    """d/dx x s(x) = s + x s (1 - s)."""
    s = sigmoid(x)
    return g * (s + minimum(out, FAR) * (1 - s))


@operation(ELEMENTWISE, scalar=_silu_float, reference=lambda x: x / (1 + np.exp(-x)), dx=_silu_rule)
def silu(x: T) -> T:
    """x sigmoid(x).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.silu(0.0), tg.ops.silu(1000.0), tg.ops.silu(-1000.0)
        (0.0, 1000.0, -0.0)
    """
    plain = np.asarray(x).dtype.char in "fd"
    return _silently(x) if plain else in_wider_floats(_silently, x)


def _silu(x: Any) -> Any:
    out = np.asarray(np.exp(np.negative(x)))
    out += 1
    return np.divide(np.maximum(x, -FAR), out, out=out)


_silently: Any = np.errstate(over="ignore")(_silu)  # -x / (1 + inf) is the right limit, -0

# tanh(u) = 2 sigmoid(2u) - 1, so the gate (1 + tanh(u)) / 2 is sigmoid(2u), here with
# 2u = 2 sqrt(2/pi) (x + 0.044715 x^3)
_LINEAR = 2 * math.sqrt(2 / math.pi)
_CUBIC = _LINEAR * 0.044715
_EDGE = 40.0  # |2u| = 2344: the gate is 0 or 1, and its cube is no trouble in float16


def _gelu_tanh_float(x: float) -> float:
    b = max(min(x, _EDGE), -_EDGE)
    u = b * (_LINEAR + _CUBIC * b * b)
    z = math.exp(-math.fabs(u))
    return (x if x >= 0 else b * z) / (1 + z)


def _gelu_tanh_reference(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _gelu_tanh_rule(g: Any, x: Any) -> Any:
    """d/dx x s(v) = s + x s (1 - s) v', where 1 - s = s(-v) keeps its digits."""
    b = clip(x, -_EDGE, _EDGE)
    square = b * b
    v = b * (_LINEAR + _CUBIC * square)
    s = sigmoid(v)
    return g * (s + s * sigmoid(-v) * (b * (_LINEAR + 3 * _CUBIC * square)))


@operation(ELEMENTWISE, scalar=_gelu_tanh_float, reference=_gelu_tanh_reference, dx=_gelu_tanh_rule)
def gelu_tanh(x: T) -> T:
    """x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, close to `gelu` to 0.0005.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.gelu_tanh(0.0), tg.ops.gelu_tanh(1000.0), tg.ops.gelu_tanh(-1000.0)
        (0.0, 1000.0, -0.0)
    """
    if getattr(x, "dtype", None) == np.float16:
        return _gelu_tanh(np.asarray(x, np.float32)).astype(np.float16)
    return _gelu_tanh(x)


def _gelu_tanh(x: Any) -> Any:
    b = np.asarray(np.minimum(np.maximum(x, -_EDGE), _EDGE))
    v = np.asarray(b * b)
    v *= _CUBIC
    v += _LINEAR
    v *= b
    return np.maximum(x, -_EDGE) * sigmoid(v)
