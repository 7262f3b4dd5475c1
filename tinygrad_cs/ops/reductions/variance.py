"""Derivatives of variance and standard deviation: how far entries are from their mean."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.types import Axis, Shape, np
from ..elementwise.selection import where
from ..families import reduction
from .sums import count_of, expand, mean

__all__ = ["std", "var"]


def _centred(x: Any, axis: Axis) -> Any:
    return x - mean(x, axis=axis, keepdims=True)


def _two_passes(x: Any, axis: Axis, correction: float, keepdims: bool) -> tuple[Any, Any]:
    """The variance and what it was made of: np.var alone takes three times as long."""
    values, correction = np.asarray(x), float(correction)
    whole = np.add.reduce(values, axis=axis, keepdims=True)
    count = count_of(values.shape, axis)
    if count <= correction or values.dtype.itemsize < 4:
        # of too few, NaN with NumPy's warning; in float16, NumPy's sums in float32
        variance = np.var(values, axis=axis, ddof=correction, keepdims=keepdims)
        with np.errstate(all="ignore"):
            return variance, values - whole / count
    centred = values - whole / count
    total = np.add.reduce(centred * centred, axis=axis, keepdims=keepdims)
    return total / (count - correction), centred


def _var_rule(g: Any, x_shape: Shape, centred: Any, axis: Axis, correction: float) -> Any:
    """2 (x_i - mean) / (n - correction): the mean's own share cancels."""
    return expand(g, x_shape, axis) * 2 / (count_of(x_shape, axis) - correction) * centred


@operation(
    numpy=np.var,
    keep={"centred": _centred},
    cases=reduction(correction=[0]),
    dx=_var_rule,
)
def var(x: Any, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    """Variance over `axis` (default all), divided by n - correction (default 0).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.var(tg.tensor([1.0, 3.0])), tg.var(tg.tensor([1.0, 3.0]), correction=1)
        (tensor(1.), tensor(2.))
    """
    return _two_passes(x, axis, correction, keepdims)


def _std_rule(g: Any, x_shape: Shape, out: Any, centred: Any, axis: Axis, correction: float) -> Any:
    """(x_i - mean) / ((n - correction) std); 0 where all entries are equal."""
    g = g / (count_of(x_shape, axis) - correction)
    scale = where(out == 0, math.inf, out)
    return expand(g, x_shape, axis) * (centred / expand(scale, x_shape, axis))


@operation(
    numpy=np.std,
    keep={"centred": _centred},
    # one entry has standard deviation 0: a kink, where the rule gives 0 by convention
    cases=lambda draw: ([draw.array((2, *draw.shape(max_dims=2)))],
                        {"axis": draw.choice([None, 0, (0,)]), "correction": draw.choice([0, 1]),
                         "keepdims": draw.flag()}),
    dx=_std_rule,
)  # fmt: skip
def std(x: Any, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    """Standard deviation over `axis` (default all); a constant has gradient 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.std(tg.tensor([1.0, 3.0]))
        tensor(1.)
    """
    variance, centred = _two_passes(x, axis, correction, keepdims)
    return np.sqrt(variance), centred
