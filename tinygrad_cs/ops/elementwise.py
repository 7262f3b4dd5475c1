"""Derivatives of arithmetic and of elementary functions: each row is a line of calculus.

`g` is the cotangent of the output; a rule returns the cotangent of its operand. Broadcasting is
undone by the engine. Where several conventions exist at a kink, the docstring states ours.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from ..engine.define import operation
from ..engine.record import BY_NUMPY, ELEMENTWISE, FUNCTIONS, same
from ..engine.types import T, np
from .families import Case, Draw
from .selection import where

__all__ = [
    "add",
    "cos",
    "divide",
    "exp",
    "log",
    "multiply",
    "negative",
    "power",
    "sigmoid",
    "sin",
    "sqrt",
    "subtract",
    "tanh",
]


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
    # y x^(y-1); x^0 is constant, so its derivative is 0 even where x^-1 is infinite
    dx=lambda g, x, y: g * (y * power(x, where(y == 0, 1, y - 1))),
    # x^y log x; 0^y is 0 for every y > 0, so its derivative there is 0
    dy=lambda g, x, y, out: where(_both(x == 0, y >= 0), 0, g * out * log(x)),
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


def _both(a: Any, b: Any) -> Any:
    return np.logical_and(a, b)


@operation(ELEMENTWISE, numpy=np.exp, scalar=math.exp, dx=lambda g, out: g * out)
def exp(x: T) -> T:
    """Exponential e^x.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.exp(0.0), tg.exp(1000.0)
        (1.0, inf)
    """
    return np.exp(x)


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


@operation(ELEMENTWISE, numpy=np.tanh, scalar=math.tanh, dx=lambda g, out: g * (1 - out * out))
def tanh(x: T) -> T:
    """Hyperbolic tangent; saturates: its derivative is 1 at 0 and vanishes beyond |x| of about 5.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.tanh(0.0)
        0.0
    """
    return np.tanh(x)


def _sigmoid_float(x: float) -> float:
    z = math.exp(-math.fabs(x))
    return (1.0 if x >= 0 else z) / (1.0 + z)


def _sigmoid_reference(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@operation(
    ELEMENTWISE,
    scalar=_sigmoid_float,
    reference=_sigmoid_reference,
    dx=lambda g, out: g * (out * (1 - out)),
)
def sigmoid(x: T) -> T:
    """Logistic function 1 / (1 + e^-x), computed without overflow; saturates on both sides.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-10.0, 0.0, 10.0], requires_grad=True)
        >>> tg.sigmoid(x).sum().backward()
        >>> x.grad.round(4)
        array([0.  , 0.25, 0.  ], dtype=float32)
    """
    z = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1, z) / (1 + z)
