"""Derivatives of the larger and the smaller of two: the cotangent goes to the one that was taken.

Equal values get half of it each. A comparison with NaN is false, and the rules are written so that
the cotangent then passes: a NaN must not end in a gradient of 0 that looks like any other.
"""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import np
from .selection import occurs, where

__all__ = ["maximum", "minimum"]


def _maximum_float(a: float, b: float) -> float:
    return a if a >= b or a != a else b


def _minimum_float(a: float, b: float) -> float:
    return a if a <= b or a != a else b


def _share(g: Any, lost: Any, even: Any) -> Any:
    """Nothing of g where the other was taken, half of it where both are equal, else all."""
    if occurs(even):
        g = where(even, g / 2, g)
    return where(lost, 0, g)


@operation(
    ELEMENTWISE,
    numpy=np.maximum,
    scalar=_maximum_float,
    cuts=True,
    da=lambda g, a, b: _share(g, a < b, a == b),
    db=lambda g, a, b: _share(g, b < a, a == b),
)
def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b; equal values get half of the gradient each, beside NaN both get it.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.maximum(1.0, 2.0)
        2.0
    """
    return np.maximum(a, b)


@operation(
    ELEMENTWISE,
    numpy=np.minimum,
    scalar=_minimum_float,
    cuts=True,
    da=lambda g, a, b: _share(g, a > b, a == b),
    db=lambda g, a, b: _share(g, b > a, a == b),
)
def minimum(a: Any, b: Any) -> Any:
    """The smaller of a and b; equal values get half of the gradient each, beside NaN both get it.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.minimum(1.0, 2.0)
        1.0
    """
    return np.minimum(a, b)


def _or_nan(condition: Any, x: Any) -> Any:
    return condition | (x != x)


@operation(
    ELEMENTWISE,
    numpy=np.fmax,
    scalar=lambda a, b: b if a < b or a != a else a,
    cuts=True,
    da=lambda g, a, b: where(_or_nan(a > b, b), g, where(a == b, g / 2, 0)),
    db=lambda g, a, b: where(_or_nan(b > a, a), g, where(a == b, g / 2, 0)),
)
def fmax(a: Any, b: Any) -> Any:
    """The larger of a and b, of a number and NaN the number.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> np.fmax(tg.Scalar(1.0), np.nan)
        Scalar(1, made_by=fmax)
    """
    return np.fmax(a, b)


@operation(
    ELEMENTWISE,
    numpy=np.fmin,
    scalar=lambda a, b: b if a > b or a != a else a,
    cuts=True,
    da=lambda g, a, b: where(_or_nan(a < b, b), g, where(a == b, g / 2, 0)),
    db=lambda g, a, b: where(_or_nan(b < a, a), g, where(a == b, g / 2, 0)),
)
def fmin(a: Any, b: Any) -> Any:
    """The smaller of a and b, of a number and NaN the number.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> np.fmin(tg.Scalar(1.0), np.nan)
        Scalar(1, made_by=fmin)
    """
    return np.fmin(a, b)
