"""Derivatives of operations that round: steps have slope 0, what remains has slope 1.

A step cuts off what it rounds: floor(sqrt(x)) has gradient 0 at x = 0, where sqrt'(x) is infinite.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from ...engine.define import operation
from ...engine.record import BY_NUMPY, ELEMENTWISE, same
from ...engine.types import T, np
from ..families import Case, Draw
from .selection import where

__all__ = ["ceil", "floor", "floor_divide", "remainder", "round", "trunc"]

_WHOLE = (-2.0, -1.0, 0.0, 1.0, 2.0)


def _signed(step: Callable[[float], int]) -> Callable[[float], float]:
    """Python rounds to an `int`, which has no -0."""
    return lambda x: math.copysign(step(x), x)


@operation(
    ELEMENTWISE,
    numpy=np.floor,
    scalar=_signed(math.floor),
    kinks=_WHOLE,
    cuts=True,
    dx=lambda g: where(False, g, 0),
)
def floor(x: T) -> T:
    """The largest whole number not above x; its derivative is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.floor(-1.5)
        -2.0
    """
    return np.floor(x)


@operation(
    ELEMENTWISE,
    numpy=np.ceil,
    scalar=_signed(math.ceil),
    kinks=_WHOLE,
    cuts=True,
    dx=lambda g: where(False, g, 0),
)
def ceil(x: T) -> T:
    """The smallest whole number not below x; its derivative is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ceil(-1.5)
        -1.0
    """
    return np.ceil(x)


@operation(
    ELEMENTWISE,
    numpy=(np.trunc, np.fix) if np.fix is not np.trunc else np.trunc,
    scalar=_signed(math.trunc),
    kinks=_WHOLE,
    cuts=True,
    dx=lambda g: where(False, g, 0),
)
def trunc(x: T) -> T:
    """The nearest whole number towards 0; its derivative is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.trunc(-1.5)
        -1.0
    """
    return np.trunc(x)


def _round_cases(draw: Draw) -> Case:
    """Values away from the middle between two neighbours of the rounded grid."""
    decimals = draw.choice([0, 1, -1])
    shape = draw.shape()
    steps = draw.rng.integers(-2, 3, size=shape)
    return [np.asarray((steps + draw.array(shape, (-0.3, 0.3))) * 10.0**-decimals)], {
        "decimals": decimals
    }


@operation(
    ELEMENTWISE,
    numpy=np.round,
    scalar=lambda x, decimals: float(np.round(x, decimals)),
    cases=_round_cases,
    cuts=True,
    dx=lambda g: where(False, g, 0),
)
def round(x: T, decimals: int = 0) -> T:
    """The nearest number with `decimals` decimals (default 0), of two the even one; slope 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.round(tg.tensor([0.5, 1.5, -1.7]))
        tensor([ 0.,  2., -2.])
    """
    return np.round(x, decimals)


BY_NUMPY[np.rint] = round


def _quotient_cases(draw: Draw) -> Case:
    """Quotients away from whole numbers, where all three operations jump."""
    shape = draw.shape()
    b = draw.array(draw.broadcastable(shape), (0.8, 1.6))
    steps = draw.rng.integers(-2, 3, size=shape)
    return [np.asarray((steps + draw.array(shape, (0.2, 0.8))) * b), b], {}


@operation(
    ELEMENTWISE,
    numpy=np.floor_divide,
    scalar=operator.floordiv,
    cases=_quotient_cases,
    cuts=True,
    da=lambda g: where(False, g, 0),
    db=lambda g: where(False, g, 0),
)
def floor_divide(a: Any, b: Any) -> Any:
    """The largest whole number not above a / b; its derivative is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.floor_divide(7.0, 2.0)
        3.0
    """
    return np.floor_divide(a, b)


@operation(
    ELEMENTWISE,
    numpy=np.remainder,
    scalar=operator.mod,
    cases=_quotient_cases,
    da=same,
    db=lambda g, a, b: -g * floor_divide(a, b),  # a % b = a - b floor(a / b)
)
def remainder(a: Any, b: Any) -> Any:
    """What is left of a after `floor_divide(a, b)` times b; it has the sign of b.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.remainder(7.0, 2.0), tg.remainder(-7.0, 2.0)
        (1.0, 1.0)
    """
    return np.remainder(a, b)


@operation(
    ELEMENTWISE,
    numpy=np.fmod,
    scalar=math.fmod,
    cases=_quotient_cases,
    da=same,
    # minus trunc(a / b), from the remainder itself: a / b alone may be rounded up to a whole number
    db=lambda g, a, b, out: -g * round((a - out) / b),
)
def fmod(a: Any, b: Any) -> Any:
    """What is left of a after trunc(a / b) times b; it has the sign of a.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.rounding.fmod(-7.0, 2.0)
        -1.0
    """
    return np.fmod(a, b)
