"""Derivative of leaving entries out at random: what dropout does, in one operation."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import ELEMENTWISE
from ...engine.types import Array, np
from ..families import Case, Draw


def _cases(draw: Draw) -> Case:
    shape = draw.shape()
    kept = np.asarray(draw.array(draw.broadcastable(shape)) > 0)
    numbers = {"scale": 2.0, "shift": draw.choice([0.0, 0.5]), "otherwise": draw.choice([0.0, -1])}
    return [draw.array(shape)], {"kept": kept, **numbers}


@operation(
    ELEMENTWISE,
    cases=_cases,
    reference=lambda x, kept, scale, shift, otherwise: np.where(kept, scale * x + shift, otherwise),
    cuts=True,
    dx=lambda g, kept, scale: drop(g, kept, scale),
)
def drop(
    x: Any, kept: Array, scale: float = 1.0, shift: float = 0.0, otherwise: float = 0.0
) -> Any:
    """Scale * x + shift where `kept` holds, `otherwise` elsewhere, whatever x is there.

    Args:
        x: values.
        kept: boolean array that broadcasts to the shape of x.
        scale, shift, otherwise: numbers.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, kept = tg.tensor([1.0, np.inf]), np.array([True, False])
        >>> tg.ops.elementwise.dropping.drop(x, kept, 2.0)
        tensor([2., 0.])
    """
    out = np.asarray(np.multiply(x, float(scale)))
    if shift:
        out += shift
    # an AND with bits that are all set or all clear: several times faster than np.where
    words = out.view(f"i{out.itemsize}")
    np.bitwise_and(words, np.negative(kept.view(np.int8), dtype=words.dtype), words)
    if otherwise:
        out += np.multiply(np.logical_not(kept), otherwise, dtype=out.dtype)
    return out
