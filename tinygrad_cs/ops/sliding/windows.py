"""Where windows lie along an axis: what convolution and pooling share.

A window slides along an axis; its entry i, when it stands at position u, looks at the input

    y = u * stride + i * dilation - low

where `low` is the padding in front. So for one entry of the window all positions together look at
a slice of the input, and everything here loops over the few entries of a window, never over the
many positions. Inputs that would lie in the padding are left out, not read as zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from ...engine.types import Array, np

Place: TypeAlias = slice | Array
"""Positions along an axis: a slice where they are evenly spaced."""


@dataclass(frozen=True)
class Windows:
    """Windows of one length at even distances, as in convolution and pooling.

    Attributes:
        size: length of the input axis.
        kernel: entries of a window.
        stride: distance of neighbouring windows.
        low, high: padding before and after the input.
        dilation: distance of neighbouring entries of a window.
    """

    size: int
    kernel: int
    stride: int = 1
    low: int = 0
    high: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """How far a window stretches, its gaps included."""
        return (self.kernel - 1) * self.dilation + 1

    @cached_property
    def count(self) -> int:
        """How many windows there are: the length of the output axis."""
        return (self.size + self.low + self.high - self.reach) // self.stride + 1

    @cached_property
    def overlaps(self) -> list[tuple[Place, Place]]:
        """For each entry of the window: the positions where it sees an input, and which inputs."""
        offsets = [i * self.dilation - self.low for i in range(self.kernel)]
        return [overlap(self.size, self.count, self.stride, offset) for offset in offsets]

    @cached_property
    def sees(self) -> Array:
        """How many inputs each window sees (padding does not count)."""
        return _seen(self.overlaps, self.count)

    @property
    def plain(self) -> bool:
        """Does entry i see just the input from i on: no padding, no gaps, no steps?"""
        return self.stride == self.dilation == 1 and self.low == self.high == 0

    @property
    def apart(self) -> bool:
        """Is every input seen by one window at most?"""
        return self.reach <= self.stride

    @property
    def identity(self) -> bool:
        """Is each window one input, and every input one window?"""
        return self.plain and self.kernel == 1


@dataclass(frozen=True)
class Bins:
    """Windows that differ in length and distance: window u sees `starts[u]` to `stops[u]` - 1.

    Attributes:
        size: length of the input axis.
        starts, stops: where each window begins, and the first input after it.
    """

    size: int
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    identity = apart = False

    @property
    def count(self) -> int:
        """How many windows there are."""
        return len(self.starts)

    @cached_property
    def sees(self) -> Array:
        """How many inputs each window sees."""
        return _seen(self.overlaps, self.count)

    @cached_property
    def overlaps(self) -> list[tuple[Place, Place]]:
        """As of `Windows`; the inputs of one entry may repeat where windows overlap."""
        starts, stops = np.array(self.starts), np.array(self.stops)
        longest = (stops - starts).max()
        places = [np.flatnonzero(starts + i < stops) for i in range(longest)]
        return [(u, starts[u] + i) for i, u in enumerate(places)]


Axis: TypeAlias = Windows | Bins
"""The windows along one axis."""


def overlap(size: int, count: int, stride: int, offset: int) -> tuple[slice, slice]:
    """Positions u < `count` and inputs y = u * stride + offset < `size`, as far as both exist."""
    first = max(0, -(offset // stride))
    last = min(count - 1, (size - 1 - offset) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    start, stop = first * stride + offset, last * stride + offset + 1
    return slice(first, last + 1), slice(start, stop, stride)


windows = lru_cache(maxsize=256)(Windows)
"""`Windows`, made once for each layer and input size."""


def _seen(overlaps: list[tuple[Place, Place]], count: int) -> Array:
    seen: Array = np.zeros(count, np.intp)
    for u, _ in overlaps:
        seen[u] += 1
    return seen


@lru_cache(maxsize=256)
def inputs(axis: Axis) -> Array:
    """A table (entry of the window, window) of the inputs seen.

    Where an entry sees padding, or a window is short, a neighbouring entry that the window does
    see stands in: whoever looks for the largest finds it, and finds it first where it is first.
    """
    table: Array = np.full((len(axis.overlaps), axis.count), -1)
    for i, (u, y) in enumerate(axis.overlaps):
        table[i, u] = np.arange(axis.size)[y]
    for i in range(1, len(table)):
        table[i] = np.where(table[i] < 0, table[i - 1], table[i])
    for i in range(len(table) - 1, 0, -1):
        table[i - 1] = np.where(table[i - 1] < 0, table[i], table[i - 1])
    return table


@lru_cache(maxsize=256)
def reads(axis: Axis) -> list[Place]:
    """The rows of `inputs`, as slices where they are evenly spaced."""
    places: list[Place] = []
    for (u, y), row in zip(axis.overlaps, inputs(axis), strict=True):
        everywhere = isinstance(u, slice) and u == slice(0, axis.count)
        places.append(y if everywhere else row)
    return places


def along(place: Place, axis: int) -> tuple[Any, ...]:
    """An index that takes `place` on an axis counted from the end (-1 is the last)."""
    return (..., place) + (slice(None),) * (-axis - 1)
