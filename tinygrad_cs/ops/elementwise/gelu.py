"""gelu: x Phi(x), where Phi is the distribution function of a normal number.

With the tail q(t) = 1 - Phi(t) at t = |x|, nothing is lost by subtraction and nothing selected:

    gelu(x)  = max(x, 0) - t q(t)
    gelu'(x) = Phi(x) + x phi(x) = 1/2 + sign(x) (1/2 - q(t) + t phi(t))

where phi(t) = e^(-t^2/2) / sqrt(2 pi). Floats and small arrays take `math.erfc`; NumPy has none,
so large arrays take

    q(t) = phi(t) r P(r),  r = 1 / (t + _SHIFT)

where P is a polynomial through values of the Mills ratio q / phi, from Laplace's continued fraction
(DLMF 7.9.1): of degree 10 it is good to a unit of float32, of degree 22 to twenty of float64, over
the whole half line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import Array, T, np
from .exponential import exp
from .selection import clip

_PEAK = 1 / math.sqrt(2 * math.pi)  # phi(0)
_ROOT_HALF = math.sqrt(0.5)
_EDGE = 40.0  # e^(-800) is 0


def _slope_float(x: float) -> float:
    b = max(min(x, _EDGE), -_EDGE)
    return 0.5 * math.erfc(-b * _ROOT_HALF) + b * _PEAK * math.exp(-0.5 * b * b)


def _slope_rule(g: Any, x: Any) -> Any:
    """d/dx (Phi(x) + x phi(x)) = phi(x) (2 - x^2)."""
    square = clip(x, -_EDGE, _EDGE) ** 2
    return g * (_PEAK * exp(-0.5 * square) * (2 - square))


@operation(
    ELEMENTWISE,
    scalar=_slope_float,
    reference=lambda x: np.vectorize(_slope_float, otypes=[float])(x),
    dx=_slope_rule,
)
def gelu_slope(x: T) -> T:
    """The derivative of `gelu`, Phi(x) + x phi(x).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.gelu.gelu_slope(0.0)
        0.5
    """
    return _evaluate(_slope_float, _slope_of_block, x)


def _gelu_float(x: float) -> float:
    return max(x, -_EDGE) * (0.5 * math.erfc(-x * _ROOT_HALF))


@operation(
    ELEMENTWISE,
    scalar=_gelu_float,
    reference=lambda x: np.vectorize(_gelu_float, otypes=[float])(x),
    dx=lambda g, x: g * gelu_slope(x),
)
def gelu(x: T) -> T:
    """x Phi(x).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.gelu(0.0), tg.ops.gelu(1000.0), tg.ops.gelu(-1000.0)
        (0.0, 1000.0, -0.0)
    """
    return _evaluate(_gelu_float, _gelu_of_block, x)


_FEW = 192
_BLOCK = 8192


def _evaluate(one: Callable[[float], float], many: Callable[[Array], Array], x: Any) -> Any:
    """One by one, or block by block: some thirty passes then stay in the processor's cache."""
    values = np.asarray(x)
    dtype = np.result_type(values, np.float16)
    if values.size <= _FEW:
        return np.array([one(v) for v in values.ravel().tolist()], dtype).reshape(values.shape)
    out = np.empty(values.shape, dtype)
    source, target = values.reshape(-1), out.reshape(-1)
    precise = np.result_type(dtype, np.float32)
    for start in range(0, out.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        target[block] = many(source[block].astype(precise, copy=False))
    return out


def _gelu_of_block(x: Array) -> Array:
    size, density = _size_and_density(x)
    tail = _mills(size)
    tail *= density
    tail *= size
    return np.subtract(np.maximum(x, 0), tail, out=tail)


def _slope_of_block(x: Array) -> Array:
    size, density = _size_and_density(x)
    out = size - _mills(size)
    out *= density
    out += 0.5
    np.copysign(out, x, out=out)
    out += 0.5
    return out


def _size_and_density(x: Array) -> tuple[Array, Array]:
    size = np.abs(x)
    np.minimum(size, _EDGE, out=size)
    density = size * size
    density *= -0.5
    np.exp(density, out=density)
    density *= _PEAK
    return size, density


_SHIFT = 3 * math.sqrt(2)


def _mills(size: Array) -> Array:
    """q(t) / phi(t) at t = `size`, by Horner's scheme."""
    coefficients = _polynomial(10 if size.dtype == np.float32 else 22)
    r = size + _SHIFT
    np.divide(1, r, out=r)
    u = r * (2 * _SHIFT)  # r runs from 0 to 1 / _SHIFT, u from -1 to 1
    u -= 1
    total = np.full_like(u, coefficients[-1])
    for c in coefficients[-2::-1]:
        total *= u
        total += c
    total *= r
    return total


@cache
def _polynomial(degree: int) -> list[float]:
    """P as coefficients in u; of many points, because their rounding errors average out."""

    def p(u: Array) -> Array:
        r = (u + 1) / (2 * _SHIFT)
        t = 1 / r - _SHIFT
        near = np.minimum(t, 1.0)
        small = [math.erfc(v * _ROOT_HALF) / 2 * math.exp(v * v / 2) / _PEAK for v in near]
        far = np.maximum(t, 1.0)
        fraction = far
        for k in range(500, 0, -1):
            fraction = far + k / fraction
        return np.where(t < 1, small, 1 / fraction) / r

    chebyshev = np.polynomial.chebyshev
    terms = chebyshev.chebinterpolate(p, 99)[: degree + 1]
    return [float(c) for c in chebyshev.cheb2poly(terms)]
