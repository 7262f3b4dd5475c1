"""Derivatives of powers and roots."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import BY_NUMPY, ELEMENTWISE, FUNCTIONS
from ...engine.types import T, np
from ..axes import raw
from ..families import Case, Draw
from .exponential import log
from .selection import occurs, where

__all__ = ["hypot", "power", "sqrt"]


def _power_cases(draw: Draw) -> Case:
    shape = draw.shape()
    x = draw.array(shape, (0.3, 2.0))
    return [x, draw.array(draw.broadcastable(shape), (-1.5, 2.5), kinks=(0.0, 1.0))], {}


@operation(
    ELEMENTWISE,
    numpy=(np.power, np.float_power),
    name="power",
    scalar=math.pow,
    cases=_power_cases,
    # y x^(y-1); x^0 is constant, so its derivative is 0 even where x^-1 is not finite
    dx=lambda g, x, y: g * (y * power(*_one_less(x, y))),
    # x^y log x; 0^y is 0 for every y > 0, so its derivative there is 0
    dy=lambda g, x, y, out: _of_base(x, y, g * out * log(x)),
)
def _power(x: Any, y: Any) -> Any:
    return np.power(x, y)


@operation(
    ELEMENTWISE,
    scalar=lambda x: math.pow(x, x),
    domain=(0.3, 2.0),
    reference=lambda x: np.power(x, x),
    dx=lambda g, x, out: g * out * (1 + log(x)),
)
def self_power(x: T) -> T:
    """x^x, whose derivative x^x (1 + log x) is -inf at 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.self_power(2.0)
        4.0
    """
    return np.power(x, x)


def power(x: Any, y: Any) -> Any:
    """Power x^y; x**0 has derivative 0 everywhere, a negative base has derivative NaN in y.

    x**x is an operation of its own: at 0 neither partial derivative alone tells that it falls.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.power(2.0, 3.0)
        8.0
    """
    return self_power(x) if x is y else _power(x, y)


FUNCTIONS["power"] = BY_NUMPY[np.power] = BY_NUMPY[np.float_power] = power


def _one_less(x: Any, y: Any) -> tuple[Any, Any]:
    """x and y - 1, but 1 and 1 where y = 0 meets an x without a finite inverse."""
    zero = y == 0
    if not occurs(zero):
        return x, y - 1
    constant = np.logical_and(zero, np.logical_or(x == 0, np.logical_not(np.abs(raw(x)) < np.inf)))
    return where(constant, 1, x), where(constant, 1, y - 1)


def _of_base(x: Any, y: Any, slope: Any) -> Any:
    """The slope, but 0 where a base of 0 has an exponent that is not negative."""
    zero = x == 0
    return where(np.logical_and(zero, y >= 0), 0, slope) if occurs(zero) else slope


@operation(
    ELEMENTWISE,
    numpy=np.sqrt,
    scalar=math.sqrt,
    domain=(0.2, 3.0),
    dx=lambda g, out: g / (2 * out),
)
def sqrt(x: T) -> T:
    """Square root; its derivative at 0 is +inf, and 0 where `where` or a mask cut it off.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.sqrt(4.0)
        2.0
    """
    return np.sqrt(x)


@operation(
    ELEMENTWISE,
    numpy=np.cbrt,
    scalar=math.cbrt,
    kinks=(0.0,),
    dx=lambda g, out: g / (3 * out * out),  # x^(-2/3) / 3
)
def cbrt(x: T) -> T:
    """Cube root, of negative numbers too; its derivative at 0 is +inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.powers.cbrt(-8.0)
        -2.0
    """
    return np.cbrt(x)


def _part(g: Any, leg: Any, out: Any) -> Any:
    """The slope leg / out of the length `out` along one leg; 0 where both legs are 0."""
    return g * (leg / where(out == 0, math.inf, out))


@operation(
    ELEMENTWISE,
    numpy=np.hypot,
    scalar=math.hypot,
    domain={"a": (0.3, 2.0), "b": (-2.0, 2.0)},
    da=lambda g, a, out: _part(g, a, out),
    db=lambda g, b, out: _part(g, b, out),
)
def hypot(a: Any, b: Any) -> Any:
    """Length sqrt(a^2 + b^2), computed without overflow; its gradient at (0, 0) is (0, 0).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.hypot(3.0, 4.0)
        5.0
    """
    return np.hypot(a, b)
