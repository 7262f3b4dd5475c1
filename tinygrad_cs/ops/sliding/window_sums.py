"""The sum over each window, and its transpose: each number copied into all of its window.

They are each other's derivative. A window is a rectangle, so both run along one axis after the
other.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Array, np
from ..families import Case, Draw
from .window_cases import draw_axes, draw_seeing, pooling_cases, reduce_windows, visits
from .windows import Axis, Place, along

Axes: TypeAlias = tuple[Axis, ...]
"""The windows along each of the last axes."""


def _add(out: Any, index: tuple[Any, ...], place: Place, values: Any) -> None:
    """out[index] += values, where an array of positions may repeat one."""
    if isinstance(place, slice) or (np.diff(place) > 0).all():
        out[index] += values
    else:
        np.add.at(out, index, values)


def _sum_reference(x: Any, axes: Axes) -> Array:
    return reduce_windows(x, axes, lambda seen: seen.sum(axis=0))


@operation(
    MOVE,
    cases=pooling_cases,
    reference=_sum_reference,
    dx=lambda g, axes: window_spread(g, axes),
)
def window_sum(x: Any, axes: Axes) -> Any:
    """The sum of each window of `x` (..., *size); padding adds nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.windows import Windows
        >>> from tinygrad_cs.ops.sliding.window_sums import window_sum
        >>> window_sum(tg.tensor([1.0, 2.0, 4.0]), (Windows(size=3, kernel=2),))
        tensor([3., 6.])
    """
    out = np.asarray(x)
    for k, axis in enumerate(axes, -len(axes)):
        if axis.identity:
            continue
        x = out
        overlaps = axis.overlaps
        u, y = overlaps[0]
        if isinstance(u, slice) and u == slice(0, axis.count):
            out = x[along(y, k)].copy()
            overlaps = overlaps[1:]
        else:
            out = np.zeros((*x.shape[:k], axis.count, *x.shape[k:][1:]), x.dtype)
        for u, y in overlaps:
            _add(out, along(u, k), u, x[along(y, k)])
    return out


def _spread_cases(draw: Draw) -> Case:
    axes = draw_axes(draw, draw_seeing)
    return [draw.array((*draw.shape(1, 2), *[axis.count for axis in axes]))], {"axes": axes}


def _spread_reference(x: Any, axes: Axes) -> Array:
    out = np.zeros((*x.shape[: -len(axes)], *[axis.size for axis in axes]))
    for window, _, place in visits(axes):
        out[(..., *place)] += x[(..., *window)]
    return out


@operation(
    MOVE,
    cases=_spread_cases,
    reference=_spread_reference,
    dx=lambda g, axes: window_sum(g, axes),
)
def window_spread(x: Any, axes: Axes) -> Any:
    """The transpose of `window_sum`: each number of `x` (..., *count) added to all of its window.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.windows import Windows
        >>> from tinygrad_cs.ops.sliding.window_sums import window_spread
        >>> window_spread(tg.tensor([1.0, 10.0]), (Windows(size=3, kernel=2),))
        tensor([ 1., 11., 10.])
    """
    out = np.asarray(x)
    for k, axis in zip(range(-1, -len(axes) - 1, -1), reversed(axes), strict=True):
        if axis.identity:
            continue
        x = out
        out = np.zeros((*x.shape[:k], axis.size, *x.shape[k:][1:]), x.dtype)
        for u, y in axis.overlaps:
            if axis.apart:
                out[along(y, k)] = x[along(u, k)]
            else:
                _add(out, along(y, k), y, x[along(u, k)])
    return out
