"""Derivatives of arithmetic: each row is a line of calculus.

`g` is the cotangent of the output; a rule returns the cotangent of its operand. Broadcasting is
undone by the engine. Where several conventions exist at a kink, the docstring states ours.
"""

from __future__ import annotations

import operator
from typing import Any

from ...engine.define import operation
from ...engine.record import BY_NUMPY, ELEMENTWISE, same
from ...engine.types import T, np

__all__ = ["add", "divide", "multiply", "negative", "positive", "reciprocal", "square", "subtract"]


@operation(ELEMENTWISE, numpy=np.add, scalar=operator.add, da=same, db=same)
def add(a: Any, b: Any) -> Any:
    """Sum a + b.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.add(1.0, 2.0)
        3.0
    """
    return np.add(a, b)


@operation(ELEMENTWISE, numpy=np.subtract, scalar=operator.sub, da=same, db=lambda g: -g)
def subtract(a: Any, b: Any) -> Any:
    """Difference a - b.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.subtract(1.0, 2.0)
        -1.0
    """
    return np.subtract(a, b)


@operation(
    ELEMENTWISE,
    numpy=np.multiply,
    scalar=operator.mul,
    da=lambda g, b: g * b,
    db=lambda g, a: g * a,
)
def multiply(a: Any, b: Any) -> Any:
    """Product a b.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.multiply(3.0, 2.0)
        6.0
    """
    return np.multiply(a, b)


@operation(
    ELEMENTWISE,
    numpy=np.divide,
    scalar=operator.truediv,
    domain={"a": (-2.0, 2.0), "b": (0.5, 2.0)},
    da=lambda g, b: g / b,
    db=lambda g, b, out: -g * out / b,  # d(a/b)/db = -a/b^2
)
def divide(a: Any, b: Any) -> Any:
    """Quotient a / b; division by zero gives the IEEE value, for Python floats too.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.divide(1.0, 0.0)
        inf
    """
    return np.divide(a, b)


@operation(ELEMENTWISE, numpy=np.negative, scalar=operator.neg, dx=lambda g: -g)
def negative(x: T) -> T:
    """Negation -x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.negative(1.0)
        -1.0
    """
    return np.negative(x)


@operation(ELEMENTWISE, numpy=np.positive, scalar=operator.pos, dx=same)
def positive(x: T) -> T:
    """The same values, +x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.positive(-1.0)
        -1.0
    """
    return np.positive(x)


@operation(ELEMENTWISE, numpy=np.square, scalar=lambda x: x * x, dx=lambda g, x: 2 * g * x)
def square(x: T) -> T:
    """Square x^2.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.square(-3.0)
        9.0
    """
    return np.square(x)


@operation(
    ELEMENTWISE,
    scalar=lambda x: 1 / x,
    domain=(0.5, 2.0),
    reference=lambda x: 1 / x,
    dx=lambda g, out: -g * out * out,
)
def reciprocal(x: T) -> T:
    """Reciprocal 1 / x, of integers too; 1 / 0 is infinite with derivative -inf.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.reciprocal(4.0)
        0.25
    """
    return np.divide(1, x)


BY_NUMPY[np.reciprocal] = reciprocal  # whose own value for integers is 0
