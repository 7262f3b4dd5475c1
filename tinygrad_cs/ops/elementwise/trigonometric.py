"""Derivatives of trigonometric functions and their inverses; angles are in radians."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from .powers import hypot, sqrt

__all__ = ["acos", "asin", "atan", "atan2", "cos", "sin", "tan"]


@operation(ELEMENTWISE, numpy=np.sin, scalar=math.sin, dx=lambda g, x: g * cos(x))
def sin(x: T) -> T:
    """Sine of an angle in radians.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sin(0.0)
        0.0
    """
    return np.sin(x)


@operation(ELEMENTWISE, numpy=np.cos, scalar=math.cos, dx=lambda g, x: -g * sin(x))
def cos(x: T) -> T:
    """Cosine of an angle in radians.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.cos(0.0)
        1.0
    """
    return np.cos(x)


@operation(
    ELEMENTWISE,
    numpy=np.tan,
    scalar=math.tan,
    domain=(-1.0, 1.0),
    dx=lambda g, out: g * (1 + out * out),
)
def tan(x: T) -> T:
    """Tangent of an angle in radians.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.tan(0.0)
        0.0
    """
    return np.tan(x)


# sqrt((1 - x) (1 + x)) is sqrt(1 - x^2) without losing digits near the ends.


@operation(
    ELEMENTWISE,
    numpy=np.arcsin,
    scalar=math.asin,
    domain=(-0.8, 0.8),
    dx=lambda g, x: g / sqrt((1 - x) * (1 + x)),
)
def asin(x: T) -> T:
    """Inverse sine, an angle in [-pi/2, pi/2]; its derivative at -1 and 1 is +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.asin(0.0)
        0.0
    """
    return np.arcsin(x)


@operation(
    ELEMENTWISE,
    numpy=np.arccos,
    scalar=math.acos,
    domain=(-0.8, 0.8),
    dx=lambda g, x: -g / sqrt((1 - x) * (1 + x)),
)
def acos(x: T) -> T:
    """Inverse cosine, an angle in [0, pi]; its derivative at -1 and 1 is -inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.acos(1.0)
        0.0
    """
    return np.arccos(x)


@operation(ELEMENTWISE, numpy=np.arctan, scalar=math.atan, dx=lambda g, x: g / (1 + x * x))
def atan(x: T) -> T:
    """Inverse tangent, an angle in [-pi/2, pi/2].

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.atan(0.0)
        0.0
    """
    return np.arctan(x)


@operation(
    ELEMENTWISE,
    numpy=np.arctan2,
    scalar=math.atan2,
    domain={"a": (-2.0, 2.0), "b": (0.3, 2.0)},
    # b / r^2 and -a / r^2, where r = hypot(a, b) does not overflow as r^2 would
    da=lambda g, a, b: g * (b / hypot(a, b)) / hypot(a, b),
    db=lambda g, a, b: -g * (a / hypot(a, b)) / hypot(a, b),
)
def atan2(a: Any, b: Any) -> Any:
    """Angle of the point with ordinate a and abscissa b, in [-pi, pi].

    At the origin, where every angle is as good, the gradient is NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.atan2(0.0, 1.0)
        0.0
    """
    return np.arctan2(a, b)


@operation(
    ELEMENTWISE,
    numpy=(np.deg2rad, np.radians),
    scalar=math.radians,
    dx=lambda g: g * (math.pi / 180),
)
def deg2rad(x: T) -> T:
    """Degrees as radians, x pi / 180.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.trigonometric.deg2rad(0.0)
        0.0
    """
    return np.deg2rad(x)


@operation(
    ELEMENTWISE,
    numpy=(np.rad2deg, np.degrees),
    scalar=math.degrees,
    dx=lambda g: g * (180 / math.pi),
)
def rad2deg(x: T) -> T:
    """Radians as degrees, x 180 / pi.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.trigonometric.rad2deg(0.0)
        0.0
    """
    return np.rad2deg(x)
