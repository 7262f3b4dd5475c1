"""Resizing along axes: every output is a copy of one input, or a mean of two neighbours.

Outputs that copy the same input are neighbours, so copying is `window_spread` with one bin of
outputs for every input, and its derivative sums each bin. Linear interpolation is two such copies,
weighted. Nothing is multiplied by zero that is not a neighbour: one infinite input stays local.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...engine.define import composition
from ...engine.types import Array, np
from ..axes import raw
from ..families import Case, Draw
from ..shapes.conversion import astype
from .window_sums import window_spread
from .windows import Axis, Bins, windows


@dataclass(frozen=True)
class Resize:
    """How one axis is resized.

    Attributes:
        size, count: lengths before and after.
        scale: distance of neighbouring outputs, measured in inputs.
        align_corners: do the centres of the first and last entries stay (or their outer edges)?
    """

    size: int
    count: int
    scale: float
    align_corners: bool = False


@lru_cache(maxsize=256)
def _copies(size: int, sources: tuple[int, ...]) -> Bins:
    """For each input, the bin of outputs that copy it; sources never decrease."""
    edges = np.searchsorted(sources, np.arange(size + 1))
    return Bins(len(sources), tuple(edges[:-1].tolist()), tuple(edges[1:].tolist()))


def nearest_sources(axis: Resize) -> tuple[int, ...]:
    """The input that each output copies: floor(u * scale); as they are, or twice, if that fits."""
    if axis.count in (axis.size, 2 * axis.size) or axis.scale == axis.size / axis.count:
        return tuple(u * axis.size // axis.count for u in range(axis.count))
    return tuple(min(int(u * axis.scale), axis.size - 1) for u in range(axis.count))


def linear_sources(axis: Resize) -> tuple[tuple[int, ...], tuple[int, ...], Array]:
    """The two inputs each output lies between, and the weight of the second."""
    u = np.arange(axis.count)
    if axis.count == axis.size:
        at = u * 1.0
    elif axis.align_corners:
        at = u * ((axis.size - 1) / max(1, axis.count - 1))
    else:
        at = np.maximum((u + 0.5) * axis.scale - 0.5, 0)
    below = np.minimum(np.floor(at).astype(int), axis.size - 1)
    above = np.minimum(below + 1, axis.size - 1)
    return tuple(below.tolist()), tuple(above.tolist()), np.minimum(at - below, 1)


def _along(k: int, axes: tuple[Resize, ...], sources: tuple[int, ...]) -> tuple[Axis, ...]:
    """Copies along axis k (counted from the end); those after it stay as they are."""
    kept = [windows(axis.size, 1) for axis in axes[k:][1:]]
    return (_copies(axes[k].size, sources), *kept)


def _cases(draw: Draw) -> Case:
    sizes = [(draw.integer(1, 4), draw.integer(1, 5)) for _ in range(draw.integer(1, 2))]
    corners = draw.flag()
    axes = tuple(Resize(n, m, n / m, corners) for n, m in sizes)
    return [draw.array((*draw.shape(1, 1), *[axis.size for axis in axes]))], {"axes": axes}


def _nearest_reference(x: Any, axes: tuple[Resize, ...]) -> Array:
    for k, axis in enumerate(axes, -len(axes)):
        x = np.take(
            x, [int(np.floor(u * axis.size / axis.count + 1e-9)) for u in range(axis.count)], k
        )
    return x


@composition("x", cases=_cases, reference=_nearest_reference)
def resize_nearest(x: Any, axes: tuple[Resize, ...]) -> Any:
    """The last axes of `x` resized by copying: output u is input floor(u * scale).

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.interpolation import Resize, resize_nearest
        >>> resize_nearest(tg.tensor([1.0, 2.0]), (Resize(size=2, count=4, scale=0.5),))
        tensor([1., 1., 2., 2.])
    """
    return window_spread(x, tuple(_copies(axis.size, nearest_sources(axis)) for axis in axes))


def _linear_reference(x: Any, axes: tuple[Resize, ...]) -> Array:
    for k, axis in enumerate(axes, -len(axes)):
        if axis.align_corners and axis.count > 1:
            at = np.linspace(0, axis.size - 1, axis.count)
        elif axis.align_corners:
            at = np.zeros(1)
        else:
            edges = np.linspace(0, axis.size, axis.count + 1)
            at = (edges[1:] + edges[:-1]) / 2 - 0.5
        weights = [np.interp(at, range(axis.size), one) for one in np.eye(axis.size)]
        x = np.moveaxis(np.tensordot(x, weights, (k, 0)), -1, k)
    return x


@composition("x", cases=_cases, reference=_linear_reference)
def resize_linear(x: Any, axes: tuple[Resize, ...]) -> Any:
    """The last axes of `x` resized by linear interpolation between neighbouring inputs.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.interpolation import Resize, resize_linear
        >>> resize_linear(tg.tensor([0.0, 2.0]), (Resize(2, 3, 2 / 3, align_corners=True),))
        tensor([0., 1., 2.])
    """
    if raw(x).dtype.kind != "f":
        x = astype(x, float)
    for k, axis in enumerate(axes, -len(axes)):
        below, above, weight = linear_sources(axis)
        weight = weight.astype(raw(x).dtype).reshape(-1, *[1] * (-k - 1))
        first = window_spread(x, _along(k, axes, below))
        x = first * (1 - weight) + window_spread(x, _along(k, axes, above)) * weight
    return x
