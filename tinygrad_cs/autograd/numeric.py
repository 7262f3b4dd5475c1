"""Numeric derivatives: differences of a function of several float64 arrays.

The central difference (f(x + h) - f(x - h)) / 2h errs by about h^2 f'''/6 + eps |f| / h, least
near h = eps^(1/3), about 6e-6. In float32 that optimum is off by a factor of a thousand, which is
why checks run in float64 whatever comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..engine.types import Array

Vector = Callable[[Sequence[Array]], Array]
"""A function of several arrays whose outputs have been laid end to end."""

STEP = float(np.finfo(np.float64).eps ** (1 / 3))


def step_at(x: float, step: float) -> float:
    """The step for an entry of this size."""
    return step * max(1.0, abs(x))


def difference(f: Vector, arrays: Sequence[Array], which: int, index: int, h: float) -> Array:
    """Central difference along one entry; the arrays are as before afterwards."""
    flat = arrays[which].reshape(-1)
    x = flat[index]
    try:
        flat[index] = x + h
        above = f(arrays)
        flat[index] = x - h
        below = f(arrays)
    finally:
        flat[index] = x
    result: Array = (above - below) / ((x + h) - (x - h))
    return result


def jacobian_rows(f: Vector, arrays: Sequence[Array], which: int, step: float) -> Iterator[Array]:
    """The derivatives of all outputs along each entry of one array in turn."""
    for index, x in enumerate(arrays[which].reshape(-1).tolist()):
        yield difference(f, arrays, which, index, step_at(x, step))


def along(f: Vector, arrays: Sequence[Array], which: int, direction: Array, h: float) -> Array:
    """Central difference along a direction of one array."""
    original = arrays[which].copy()
    try:
        arrays[which][...] = original + h * direction
        above = f(arrays)
        arrays[which][...] = original - h * direction
        below = f(arrays)
    finally:
        arrays[which][...] = original
    result: Array = (above - below) / (2 * h)
    return result


def has_kink(f: Vector, arrays: Sequence[Array], which: int, index: int, h: float) -> Array:
    """For each output: do the derivatives from the left and from the right differ at this entry?

    For a smooth function their difference is h f'' and shrinks with the step; at a kink it stays,
    at a jump it grows.
    """
    flat = arrays[which].reshape(-1)
    x = flat[index]
    here = f(arrays)
    gaps = []
    for step in (h, h / 8):
        sides = []
        for sign in (1, -1):
            flat[index] = x + sign * step
            sides.append((f(arrays) - here) / (sign * step))
        gaps.append(np.abs(sides[0] - sides[1]))
    flat[index] = x
    noise = 1e-9 * (1 + np.abs(here)) / h * 1e-3
    result: Array = (gaps[1] > 0.5 * gaps[0]) & (gaps[0] > noise)
    return result
