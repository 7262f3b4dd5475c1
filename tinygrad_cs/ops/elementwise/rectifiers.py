"""Piecewise linear activations: the relatives of `relu`.

At a bend the slope is that of the negative side, or 0 where a side is flat.
"""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from ..families import Case, Draw
from .selection import where


def _slope_cases(draw: Draw) -> Case:
    slope = draw.choice([0.01, 0.2, 3.0, -0.5])
    return [draw.array(draw.shape(), kinks=(0.0,))], {"negative_slope": slope}


@operation(
    ELEMENTWISE,
    scalar=lambda x, negative_slope: negative_slope if x <= 0 else 1.0,
    reference=lambda x, negative_slope=0.01: np.where(x <= 0, negative_slope, 1.0),
    kinks=(0.0,),
    cases=_slope_cases,
    dx=lambda g: where(False, g, 0),
)
def leaky_relu_slope(x: T, negative_slope: float = 0.01) -> T:
    """The derivative of `leaky_relu`: `negative_slope` where x <= 0, else (also at NaN) 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.rectifiers.leaky_relu_slope(-2.0)
        0.01
    """
    below = np.asarray(np.less_equal(x, 0))
    # as a sum: np.where is several times slower where signs are irregular
    out = np.asarray(np.multiply(below, negative_slope, dtype=np.result_type(x, np.float16)))
    return np.add(out, ~below, out=out)


@operation(
    ELEMENTWISE,
    scalar=lambda x, negative_slope: x if x > 0 else negative_slope * x,
    reference=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
    kinks=(0.0,),
    cases=_slope_cases,
    dx=lambda g, x, negative_slope: g * leaky_relu_slope(x, negative_slope),
)
def leaky_relu(x: T, negative_slope: float = 0.01) -> T:
    """x where x > 0, else `negative_slope` times x; with a slope of 0 write `relu`, which cuts.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.leaky_relu(-2.0), tg.ops.leaky_relu(2.0)
        (-0.02, 2.0)
    """
    leak = np.multiply(x, negative_slope)
    return np.maximum(x, leak) if negative_slope <= 1 else np.minimum(x, leak)


@operation(
    ELEMENTWISE,
    scalar=lambda x, weight: x if x > 0 else weight * x,
    reference=lambda x, weight: np.where(x > 0, x, weight * x),
    kinks=(0.0,),
    dx=lambda g, x, weight: where(x <= 0, weight * g, g),
    dweight=lambda g, x: g * where(x > 0, 0, x),
)
def prelu(x: Any, weight: Any) -> Any:
    """x where x > 0, else `weight` times x, for a weight that is learned.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.prelu(-2.0, 0.25), tg.ops.prelu(2.0, 0.25)
        (-0.5, 2.0)
    """
    # (an infinite x times a weight of 0 that is not asked for would warn)
    return np.where(np.greater(x, 0), x, np.multiply(weight, np.minimum(x, 0)))


def _hardtanh_cases(draw: Draw) -> Case:
    low, high = draw.choice([(-1.0, 1.0), (0.0, 1.5)])
    return [draw.array(draw.shape(), kinks=(low, high))], {"min_val": low, "max_val": high}


def _hardtanh_float(x: float, min_val: float, max_val: float) -> float:
    return min_val if x < min_val else max_val if x > max_val else x


@operation(
    ELEMENTWISE,
    scalar=_hardtanh_float,
    reference=lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
    kinks=(-1.0, 1.0),
    cases=_hardtanh_cases,
    cuts=True,
    dx=lambda g, out, min_val, max_val: where((out <= min_val) | (out >= max_val), 0, g),
)
def hardtanh(x: T, min_val: float = -1.0, max_val: float = 1.0) -> T:
    """x limited to [min_val, max_val]; unlike that of `clip`, its derivative at the bounds is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.hardtanh(-2.0), tg.ops.hardtanh(0.5)
        (-1.0, 0.5)
    """
    return np.minimum(np.maximum(x, min_val), max_val)


def _hardsigmoid_float(x: float) -> float:
    y = x / 6 + 0.5
    return 0.0 if y < 0 else 1.0 if y > 1 else y


@operation(
    ELEMENTWISE,
    scalar=_hardsigmoid_float,
    reference=lambda x: np.clip(x / 6 + 0.5, 0, 1),
    domain=(-4.0, 4.0),
    kinks=(-3.0, 3.0),
    cuts=True,
    dx=lambda g, x: where(abs(x) >= 3, 0, g / 6),
)
def hardsigmoid(x: T) -> T:
    """x / 6 + 1/2 limited to [0, 1]; its derivative at -3 and 3 is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.hardsigmoid(-3.0), tg.ops.hardsigmoid(0.0)
        (0.0, 0.5)
    """
    return np.minimum(np.maximum(np.divide(x, 6) + 0.5, 0), 1)
