"""The error function: erf x = 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

Floats and small arrays take `math.erf` entry by entry. NumPy has none, so large arrays take

    |x| <  3/4:   erf x = 2/sqrt(pi) (x - x^3/3 + x^5/10 - ...), the Maclaurin series
    |x| >= 3/4:   erf x = 1 - exp(-x^2) r P(r),  r = 1 / (x + 2)

where P is a polynomial through values of Laplace's continued fraction (DLMF 7.9.1),

    exp(x^2) erfc x = 1/sqrt(pi) 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))))

Both are good to two units in the last place of a float64, in which everything here is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import Array, T, np
from .exponential import exp

__all__ = ["erf", "erfc"]

_SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0


def _one_by_one(function: Callable[[float], float], x: Any) -> Any:
    values = np.asarray(x)
    flat = [function(v) for v in values.ravel().tolist()]
    dtype = np.result_type(values, np.float16)
    return np.array(flat, dtype).reshape(values.shape)


@operation(
    ELEMENTWISE,
    scalar=math.erf,
    reference=lambda x: _one_by_one(math.erf, x),
    dx=lambda g, x: _SLOPE * g * exp(-x * x),
)
def erf(x: T) -> T:
    """Error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.erf(tg.tensor([0.0, 0.5, 10.0]))
        tensor([0.       , 0.5204999, 1.       ])
    """
    return _one_by_one(math.erf, x) if np.size(x) <= _FEW else _in_blocks(x)


@operation(
    ELEMENTWISE,
    scalar=math.erfc,
    reference=lambda x: _one_by_one(math.erfc, x),
    dx=lambda g, x: -_SLOPE * g * exp(-x * x),
)
def erfc(x: T) -> T:
    """Complement 1 - erf(x), with all its digits where erf(x) is nearly 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> round(tg.erfc(10.0) * 1e45, 6)
        2.088488
    """
    return _one_by_one(math.erfc, x)


_FEW = 256
_BLOCK = 8192


def _in_blocks(x: Any) -> Any:
    """Block by block, which stays in the processor's cache while some fifty passes go over it."""
    values = np.asarray(x)
    out = np.empty(values.shape, np.result_type(values, np.float16))
    source, target = values.reshape(-1), out.reshape(-1)
    for start in range(0, out.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        target[block] = _on_block(source[block].astype(np.float64))
    return out


_EDGE, _SHIFT, _LAST = 0.75, 2.0, 6.0
_SERIES = [_SLOPE * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(16)]
_DEGREE, _POINTS, _LEVELS = 16, 64, 500


def _on_block(x: Array) -> Array:
    size = np.minimum(np.abs(x), _LAST)  # beyond, erf is 1 - 2e-17
    coefficients, middle, half = _polynomial()
    r = 1 / (size + _SHIFT)
    out = 1 - np.exp(-size * size) * r * _horner(coefficients, (r - middle) / half)
    near = size < _EDGE
    small = size[near]
    out[near] = small * _horner(_SERIES, small * small)
    return np.copysign(out, x)


def _horner(coefficients: Sequence[float], x: Array) -> Array:
    total = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total *= x
        total += c
    return total


@cache
def _polynomial() -> tuple[list[float], float, float]:
    """P as coefficients in (r - middle) / half, which runs from -1 to 1.

    More points than the degree needs, because their rounding errors average out.
    """
    low, high = 1 / (_LAST + _SHIFT), 1 / (_EDGE + _SHIFT)
    middle, half = (high + low) / 2, (high - low) / 2

    def p(u: Array) -> Array:
        r = middle + half * u
        x = 1 / r - _SHIFT
        fraction = x
        for k in range(_LEVELS, 0, -1):
            fraction = x + k / 2 / fraction
        return 1 / (math.sqrt(math.pi) * fraction * r)

    chebyshev = np.polynomial.chebyshev
    terms = chebyshev.chebinterpolate(p, _POINTS - 1)[: _DEGREE + 1]
    return chebyshev.cheb2poly(terms).tolist(), middle, half
