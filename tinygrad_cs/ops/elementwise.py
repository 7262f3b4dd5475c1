"""Derivatives of elementwise operations: each row is a line of calculus.

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


def _relu_reference(x: Any) -> Any:
    return np.where(x > 0, x, 0)


@operation(
    ELEMENTWISE,
    scalar=lambda x: x if x > 0 or x != x else 0.0,
    reference=_relu_reference,
    kinks=(0.0,),
    cuts=True,
    dx=lambda g, out: where(out > 0, g, 0),
)
def relu(x: T) -> T:
    """Rectifier max(x, 0); its derivative at 0 is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.relu(-1.0), tg.relu(2.0)
        (0.0, 2.0)
    """
    return np.maximum(x, 0)


@operation(
    ELEMENTWISE,
    numpy=np.absolute,
    scalar=math.fabs,
    kinks=(0.0,),
    dx=lambda g, x: where(x > 0, g, where(x < 0, -g, 0)),
)
def abs(x: T) -> T:
    """Absolute value; its derivative at 0 is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.abs(-2.0)
        2.0
    """
    return np.absolute(x)


def _maximum_float(a: float, b: float) -> float:
    return a if a >= b or a != a else b


def _minimum_float(a: float, b: float) -> float:
    return a if a <= b or a != a else b


@operation(
    ELEMENTWISE,
    numpy=np.maximum,
    scalar=_maximum_float,
    cuts=True,
    da=lambda g, a, b: where(a > b, g, where(a == b, g / 2, 0)),
    db=lambda g, a, b: where(b > a, g, where(a == b, g / 2, 0)),
)
def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b; equal values get half of the gradient each.

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
    da=lambda g, a, b: where(a < b, g, where(a == b, g / 2, 0)),
    db=lambda g, a, b: where(b < a, g, where(a == b, g / 2, 0)),
)
def minimum(a: Any, b: Any) -> Any:
    """The smaller of a and b; equal values get half of the gradient each.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.minimum(1.0, 2.0)
        1.0
    """
    return np.minimum(a, b)


def _where_cases(draw: Draw) -> Case:
    shape = draw.shape()
    condition = draw.array(draw.broadcastable(shape)) > 0
    operands = [draw.array(draw.broadcastable(shape)) for _ in range(2)]
    return operands, {"condition": condition}


@operation(
    ELEMENTWISE,
    numpy=np.where,
    scalar=lambda a, b, condition: a if condition else b,
    cases=_where_cases,
    cuts=True,
    da=lambda g, condition: where(condition, g, 0),
    db=lambda g, condition: where(condition, 0, g),
)
def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where `condition` holds, else `b`; the branch not taken is not connected.

    Its gradient is 0 there even if its own derivative is infinite.

    Args:
        condition: booleans, broadcast with a and b; not differentiated.
        a, b: values, broadcast with each other.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([0.0, 4.0], requires_grad=True)
        >>> tg.where(x > 0, tg.sqrt(x), 0).sum().backward()
        >>> x.grad
        array([0.  , 0.25], dtype=float32)
    """
    return np.where(getattr(condition, "_data", condition), a, b)


def _clip_float(x: float, min: float | None, max: float | None) -> float:
    if min is not None and x < min:
        x = min
    return max if max is not None and x > max else x


def _clip_cases(draw: Draw) -> Case:
    low, high = draw.choice([(-1.0, 1.0), (None, 1.0), (-1.0, None)])
    return [draw.array(draw.shape(), kinks=(-1.0, 1.0))], {"min": low, "max": high}


def _inside(x: Any, low: Any, high: Any) -> Any:
    above = True if low is None else x >= getattr(low, "_data", low)
    return above & (True if high is None else x <= getattr(high, "_data", high))


@operation(
    ELEMENTWISE,
    numpy=np.clip,
    scalar=_clip_float,
    cases=_clip_cases,
    cuts=True,
    dx=lambda g, x, min, max: where(_inside(x, min, max), g, 0),
)
def clip(x: T, min: Any = None, max: Any = None) -> T:
    """Values limited to [min, max]; at a bound the gradient passes (the interval is closed).

    Args:
        x: values.
        min, max: bounds, not differentiated; None for no bound.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.clip(tg.tensor([-2.0, 0.5, 2.0]), -1, 1)
        tensor([-1. ,  0.5,  1. ])
    """
    return np.clip(x, getattr(min, "_data", min), getattr(max, "_data", max))
