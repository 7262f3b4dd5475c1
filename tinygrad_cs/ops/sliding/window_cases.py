"""What checks of windowed operations need: small windows of every kind, visited one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from ...engine.types import Array, Shape, np
from ..families import Case, Draw
from .windows import Axis, Bins, Windows


def draw_windows(draw: Draw, most: int = 3) -> Windows:
    """Windows along one axis, the padding of each side its own; some may see only padding."""
    kernel, dilation = draw.integer(1, most), draw.integer(1, 2)
    low, high = draw.integer(0, 2), draw.integer(0, 2)
    reach = (kernel - 1) * dilation + 1
    size = max(1, reach - low - high) + draw.integer(0, 2)
    return Windows(size, kernel, draw.integer(1, 2), low, high, dilation)


def draw_seeing(draw: Draw, most: int = 3) -> Axis:
    """Windows or bins along one axis, each of which sees at least one input."""
    if draw.choice([False, False, True]):
        starts = sorted(draw.integer(0, 3) for _ in range(draw.integer(1, 3)))
        return Bins(5, tuple(starts), tuple(s + draw.integer(1, 2) for s in starts))
    kernel, dilation = draw.integer(1, most), draw.integer(1, 2)
    size = (kernel - 1) * dilation + 1 + draw.integer(0, 2)
    low, high = draw.integer(0, kernel // 2), draw.integer(0, kernel // 2)
    return Windows(size, kernel, draw.integer(1, 3), low, high, dilation)


def draw_axes(draw: Draw, along: Callable[..., Any]) -> tuple[Any, ...]:
    """Windows along one axis or, smaller ones, along two."""
    return draw.choice([(along(draw),), (along(draw, 2), along(draw, 2))])


def pooling_cases(draw: Draw) -> Case:
    """Data, and windows along its last axes."""
    axes = draw_axes(draw, draw_seeing)
    return [draw.array((*draw.shape(1, 2), *[axis.size for axis in axes]))], {"axes": axes}


def _entries(axis: Axis, u: int) -> Iterator[tuple[int, int]]:
    """The entries of window u, and the inputs they see."""
    if isinstance(axis, Bins):
        yield from enumerate(range(axis.starts[u], axis.stops[u]))
        return
    for i in range(axis.kernel):
        y = u * axis.stride + i * axis.dilation - axis.low
        if 0 <= y < axis.size:
            yield i, y


def visits(axes: tuple[Axis, ...]) -> Iterator[tuple[Shape, Shape, Shape]]:
    """Every window, every entry of it that sees an input, and which input that is."""
    for window in np.ndindex(*[axis.count for axis in axes]):
        for seen in itertools.product(*map(_entries, axes, window)):
            yield window, tuple(i for i, _ in seen), tuple(y for _, y in seen)


def reduce_windows(x: Any, axes: tuple[Axis, ...], reduce: Callable[[Any], Any]) -> Array:
    """`reduce` of the list of inputs that each window sees."""
    lists: dict[Shape, list[Any]] = {w: [] for w in np.ndindex(*[axis.count for axis in axes])}
    for window, _, place in visits(axes):
        lists[window].append(x[(..., *place)])
    out: Any = np.zeros((*x.shape[: -len(axes)], *[axis.count for axis in axes]))
    for window, seen in lists.items():
        out[(..., *window)] = reduce(np.array(seen))
    return out
