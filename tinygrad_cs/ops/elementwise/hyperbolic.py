"""Derivatives of hyperbolic functions and their inverses."""

from __future__ import annotations

import math

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from .powers import hypot, sqrt

__all__ = ["acosh", "asinh", "atanh", "cosh", "sinh", "tanh"]


@operation(ELEMENTWISE, numpy=np.sinh, scalar=math.sinh, dx=lambda g, x: g * cosh(x))
def sinh(x: T) -> T:
    """Hyperbolic sine (e^x - e^-x) / 2.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sinh(0.0)
        0.0
    """
    return np.sinh(x)


@operation(ELEMENTWISE, numpy=np.cosh, scalar=math.cosh, dx=lambda g, x: g * sinh(x))
def cosh(x: T) -> T:
    """Hyperbolic cosine (e^x + e^-x) / 2.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.cosh(0.0)
        1.0
    """
    return np.cosh(x)


@operation(ELEMENTWISE, numpy=np.tanh, scalar=math.tanh, dx=lambda g, out: g * (1 - out * out))
def tanh(x: T) -> T:
    """Hyperbolic tangent; saturates: its derivative is 1 at 0 and vanishes beyond |x| of about 5.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.tanh(0.0)
        0.0
    """
    return np.tanh(x)


@operation(ELEMENTWISE, numpy=np.arcsinh, scalar=math.asinh, dx=lambda g, x: g / hypot(x, 1))
def asinh(x: T) -> T:
    """Inverse hyperbolic sine log(x + sqrt(x^2 + 1)).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.asinh(0.0)
        0.0
    """
    return np.arcsinh(x)


@operation(
    ELEMENTWISE,
    numpy=np.arccosh,
    scalar=math.acosh,
    domain=(1.3, 3.0),
    # sqrt(x^2 - 1) without overflow, and NaN where the value is
    dx=lambda g, x: g / (sqrt(x - 1) * sqrt(x + 1)),
)
def acosh(x: T) -> T:
    """Inverse hyperbolic cosine log(x + sqrt(x^2 - 1)) of x >= 1; its derivative at 1 is +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.acosh(1.0)
        0.0
    """
    return np.arccosh(x)


@operation(
    ELEMENTWISE,
    numpy=np.arctanh,
    scalar=math.atanh,
    domain=(-0.8, 0.8),
    dx=lambda g, x: g / ((1 - x) * (1 + x)),
)
def atanh(x: T) -> T:
    """Inverse hyperbolic tangent log((1 + x) / (1 - x)) / 2; infinite at -1 and 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.atanh(0.0)
        0.0
    """
    return np.arctanh(x)
