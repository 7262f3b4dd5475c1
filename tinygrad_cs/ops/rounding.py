"""Derivatives of operations that round: steps have slope 0, what remains has slope 1."""

from __future__ import annotations

import operator
from typing import Any

from ..engine.define import operation
from ..engine.record import ELEMENTWISE, same
from ..engine.types import np
from .families import Case, Draw

__all__ = ["floor_divide", "remainder"]


def _cases(draw: Draw) -> Case:
    """Quotients away from whole numbers, where both operations jump."""
    shape = draw.shape()
    b = draw.array(draw.broadcastable(shape), (0.8, 1.6))
    steps = draw.rng.integers(-2, 3, size=shape)
    return [np.asarray((steps + draw.array(shape, (0.2, 0.8))) * b), b], {}


@operation(
    ELEMENTWISE,
    numpy=np.floor_divide,
    scalar=operator.floordiv,
    cases=_cases,
    da=lambda g: g * 0,
    db=lambda g: g * 0,
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
    cases=_cases,
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
