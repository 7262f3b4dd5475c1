"""Derivatives of exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from .selection import where

__all__ = ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "xlogy"]

LN2, LN10 = math.log(2), math.log(10)


@operation(ELEMENTWISE, numpy=np.exp, scalar=math.exp, dx=lambda g, out: g * out)
def exp(x: T) -> T:
    """Exponential e^x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.exp(0.0), tg.exp(1000.0)
        (1.0, inf)
    """
    return np.exp(x)


@operation(
    ELEMENTWISE,
    numpy=np.exp2,
    scalar=lambda x: math.pow(2.0, x),
    dx=lambda g, out: LN2 * g * out,
)
def exp2(x: T) -> T:
    """Power of two 2^x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.exp2(3.0)
        8.0
    """
    return np.exp2(x)


@operation(ELEMENTWISE, numpy=np.expm1, scalar=math.expm1, dx=lambda g, x: g * exp(x))
def expm1(x: T) -> T:
    """e^x - 1 without losing digits for small x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.expm1(1e-20)
        1e-20
    """
    return np.expm1(x)


@operation(ELEMENTWISE, numpy=np.log, scalar=math.log, domain=(0.2, 3.0), dx=lambda g, x: g / x)
def log(x: T) -> T:
    """Natural logarithm; log 0 = -inf with derivative +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.log(1.0), tg.log(0.0)
        (0.0, -inf)
    """
    return np.log(x)


@operation(
    ELEMENTWISE,
    numpy=np.log1p,
    scalar=math.log1p,
    domain=(-0.8, 3.0),
    dx=lambda g, x: g / (1 + x),
)
def log1p(x: T) -> T:
    """log(1 + x) without losing digits for small x; at -1 it is -inf with derivative +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.log1p(1e-20)
        1e-20
    """
    return np.log1p(x)


@operation(
    ELEMENTWISE,
    numpy=np.log2,
    scalar=math.log2,
    domain=(0.2, 3.0),
    dx=lambda g, x: g / (LN2 * x),
)
def log2(x: T) -> T:
    """Logarithm to base 2; of 0 it is -inf with derivative +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.log2(8.0)
        3.0
    """
    return np.log2(x)


@operation(
    ELEMENTWISE,
    numpy=np.log10,
    scalar=math.log10,
    domain=(0.2, 3.0),
    dx=lambda g, x: g / (LN10 * x),
)
def log10(x: T) -> T:
    """Logarithm to base 10; of 0 it is -inf with derivative +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.log10(1000.0)
        3.0
    """
    return np.log10(x)


def _xlogy_float(x: float, y: float) -> float:
    return 0.0 if x == 0 and y == y else x * math.log(y)


def _nothing(x: Any, y: Any) -> Any:
    """Where the convention 0 log 0 = 0 holds, not calculus: x = 0 without a logarithm of y."""
    return np.logical_and(x == 0, y <= 0)


@operation(
    ELEMENTWISE,
    scalar=_xlogy_float,
    domain={"x": (-2.0, 2.0), "y": (0.2, 3.0)},
    reference=lambda x, y: x * np.log(y),
    dx=lambda g, x, y: g * where(_nothing(x, y), 0, log(y)),
    dy=lambda g, x, y: g * where(_nothing(x, y), 0, x / y),
)
def xlogy(x: Any, y: Any) -> Any:
    """x log y, where 0 times any logarithm is 0: the summand of entropies and likelihoods.

    At x = 0, y = 0 (and y < 0) both derivatives are 0; at x = 0, y > 0 that of x is log y.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.xlogy(0.0, 0.0), tg.xlogy(2.0, 1.0)
        (0.0, 0.0)
    """
    nothing = np.logical_and(np.equal(x, 0), np.equal(y, y))
    if not nothing.any():
        return x * np.log(y)
    return np.where(nothing, 0, x * np.log(np.where(nothing, 1, y)))
