"""Derivatives of operations that select: `where` and its relatives.

Each sends the cotangent to the branch that was taken. What it cuts off is not connected, which is
more than having a zero cotangent: see `engine/marks.py`. Rules therefore say `where(mask, g, 0)`;
`g * mask` would turn an infinite tangent into NaN.
"""

from __future__ import annotations

import math
from typing import Any

from ..engine.define import operation
from ..engine.record import BY_NUMPY, ELEMENTWISE, FUNCTIONS
from ..engine.types import T, np
from .families import Case, Draw

__all__ = ["abs", "clip", "maximum", "minimum", "relu", "where"]


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
    condition = getattr(condition, "_data", condition)
    if type(b) is int and b == 0 and np.size(a) >= _WORTH_IT and _same_layout(condition, a):
        return _masked(condition, a)
    return np.where(condition, a, b)


_WORTH_IT = 1024
_WORDS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def _same_layout(condition: Any, a: Any) -> bool:
    return (
        type(condition) is type(a) is np.ndarray
        and condition.dtype == bool
        and condition.shape == a.shape
        and a.dtype in _WORDS
    )


def _masked(condition: Any, a: Any) -> Any:
    """`a` where the condition holds, else 0, by masking bits: half the time of `np.where`.

    A product with the mask would be as fast, but infinity times 0 is NaN.
    """
    word = _WORDS[a.dtype]
    ones = np.negative(condition.view(np.int8)).astype(word)  # all bits set where true
    return np.bitwise_and(a.view(word), ones).view(a.dtype)


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
    name="clip",
    scalar=_clip_float,
    reference=lambda x, min, max: np.clip(x, min, max),
    cases=_clip_cases,
    cuts=True,
    dx=lambda g, x, min, max: where(_inside(x, min, max), g, 0),
)
def _clip(x: Any, min: Any = None, max: Any = None) -> Any:
    return np.clip(x, getattr(min, "_data", min), getattr(max, "_data", max))


def clip(x: T, min: Any = None, max: Any = None) -> T:
    """Values limited to [min, max]; at a bound the gradient passes (the interval is closed).

    Args:
        x: values.
        min, max: bounds; None for no bound. Bounds that require a gradient get one: then this is
            `minimum(maximum(x, min), max)`, with half of it to each where values are equal.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.clip(tg.tensor([-2.0, 0.5, 2.0]), -1, 1)
        tensor([-1. ,  0.5,  1. ])
    """
    if getattr(min, "requires_grad", False) or getattr(max, "requires_grad", False):
        raised: Any = x if min is None else maximum(x, min)
        return raised if max is None else minimum(raised, max)
    return _clip(x, min, max)


FUNCTIONS["clip"] = BY_NUMPY[np.clip] = clip
