"""Linear above 0, exponential below: elu, and with other constants selu and celu.

    f(x)  = scale x                               f'(x) = scale                            x > 0
    f(x)  = scale alpha (e^(input_scale x) - 1)   f'(x) = scale alpha input_scale e^(...)  x <= 0

At 0 the slope is that from the left.
"""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import T, np
from ..families import Case, Draw
from .selection import where


def _cases(draw: Draw) -> Case:
    alpha, scale, input_scale = draw.choice([(1.0, 1.0, 1.0), (1.7, 1.05, 1.0), (0.5, 1.0, 2.0)])
    params = {"alpha": alpha, "scale": scale, "input_scale": input_scale}
    return [draw.array(draw.shape(), kinks=(0.0,))], params


def _slope_float(x: float, alpha: float, scale: float, input_scale: float) -> float:
    return scale if x > 0 else scale * alpha * input_scale * math.exp(input_scale * x)


def _slope_reference(x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    return scale * np.where(x > 0, 1, alpha * input_scale * np.exp(input_scale * x))


@operation(
    ELEMENTWISE,
    scalar=_slope_float,
    reference=_slope_reference,
    kinks=(0.0,),
    cases=_cases,
    dx=lambda g, x, out, input_scale: where(x > 0, 0, g * (input_scale * out)),
)
def elu_slope(x: T, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> T:
    """The derivative of `elu`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elementwise.exponential_units.elu_slope(0.0, alpha=0.5)
        0.5
    """
    out = _below(x, input_scale)
    np.exp(out, out=out)
    left = alpha * input_scale
    if left != 1:
        below = np.asarray(np.less_equal(x, 0))
        out *= np.multiply(below, left, dtype=out.dtype)
        out += ~below
    if scale != 1:
        out *= scale
    return out


def _elu_float(x: float, alpha: float, scale: float, input_scale: float) -> float:
    return scale * x if x > 0 else scale * alpha * math.expm1(input_scale * x)


def _elu_reference(x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    return scale * np.where(x > 0, x, alpha * np.expm1(input_scale * x))


@operation(
    ELEMENTWISE,
    scalar=_elu_float,
    reference=_elu_reference,
    kinks=(0.0,),
    cases=_cases,
    dx=lambda g, x, alpha, scale, input_scale: g * elu_slope(x, alpha, scale, input_scale),
)
def elu(x: T, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> T:
    """scale x for x > 0, else scale alpha (e^(input_scale x) - 1).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.elu(2.0), round(tg.ops.elu(-2.0), 4), tg.ops.elu(-1000.0)
        (2.0, -0.8647, -1.0)
    """
    out = _below(x, input_scale)
    np.expm1(out, out=out)
    if alpha != 1:
        out *= alpha
    out += np.maximum(x, 0)  # one of the two summands is 0
    if scale != 1:
        out *= scale
    return out


def _below(x: Any, input_scale: float) -> Any:
    """input_scale x where x is negative, else 0, in an array of its own."""
    out = np.asarray(np.minimum(x, 0), dtype=np.result_type(x, np.float16))
    return out if input_scale == 1 else _scale_silently(out, input_scale)


# where a product overflows, e^-inf is the right limit, 0
_scale_silently: Any = np.errstate(over="ignore")(lambda x, by: np.multiply(x, by, out=x))
