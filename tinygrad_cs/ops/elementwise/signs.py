"""Derivatives of operations that look at the sign: constant or linear on either side of 0."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from .selection import where

__all__ = ["abs", "copysign", "sign"]


@operation(
    ELEMENTWISE,
    numpy=(np.absolute, np.fabs),
    scalar=math.fabs,
    kinks=(0.0,),
    dx=lambda g, x: g * sign(x),
)
def abs(x: T) -> T:
    """Absolute value; its derivative at 0 is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.abs(-2.0)
        2.0
    """
    return np.absolute(x)


def _sign_float(x: float) -> float:
    return x if x != x else float((x > 0) - (x < 0))


@operation(
    ELEMENTWISE,
    numpy=np.sign,
    scalar=_sign_float,
    kinks=(0.0,),
    cuts=True,
    dx=lambda g: where(False, g, 0),
)
def sign(x: T) -> T:
    """-1, 0 or 1, as x is negative, zero or positive; its derivative is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sign(-2.0)
        -1.0
    """
    return np.sign(x)


@operation(
    ELEMENTWISE,
    numpy=np.copysign,
    scalar=math.copysign,
    kinks=(0.0,),
    da=lambda g, a, out: where(a != 0, g * (sign(a) * sign(out)), 0),
    db=lambda g: where(False, g, 0),
)
def copysign(a: Any, b: Any) -> Any:
    """The size of a with the sign of b; the derivative of a is 1 or -1, 0 at a = 0, that of b 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.copysign(2.0, -0.0)
        -2.0
    """
    return np.copysign(a, b)


def _heaviside_float(a: float, b: float) -> float:
    if a == 0:
        return b
    return a if a != a else float(a > 0)


@operation(
    ELEMENTWISE,
    numpy=np.heaviside,
    scalar=_heaviside_float,
    kinks=(0.0,),
    cuts=True,
    da=lambda g: where(False, g, 0),
    db=lambda g, a: where(a == 0, g, 0),
)
def heaviside(a: Any, b: Any) -> Any:
    """The unit step: 0 for a < 0, 1 for a > 0, and b for a = 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.signs.heaviside(0.0, 0.5)
        0.5
    """
    return np.heaviside(a, b)
