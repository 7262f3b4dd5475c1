"""The copies of images that convolution multiplies by its kernels.

For every kernel column the inputs it sees are copied side by side. What a kernel row sees is then
a run of consecutive rows of that copy, so there is nothing to copy per kernel row: the usual im2col
copies an input as often as the kernel has entries, this as often as it has columns.

Copies are made for a few samples at a time, so that they are still in the cache when they are read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ...engine.types import Array, Shape, np
from .windows import Windows, overlap

_CACHE = 1 << 20
"""Bytes of buffers to fill at a time: as many as the second-level cache of a core holds."""


def parts_of_batch(samples: int, entries: int, dtype: Any) -> list[slice]:
    """Slices of the batch, the first the longest, whose buffers fit into the cache.

    `entries` numbers are needed per sample.
    """
    step = max(1, _CACHE // max(1, entries * dtype.itemsize))
    return [slice(i, min(i + step, samples)) for i in range(0, samples, step)]


def buffer_for(parts: list[slice], shape: Shape, dtype: Any) -> Array:
    """Zeros for the longest of the parts."""
    zeros: Array = np.zeros((parts[0].stop if parts else 0, *shape), dtype)
    return zeros


class RowWindows:
    """The copies from which `conv` and `conv_weight` are computed.

    Rows stand ordered by their remainder modulo the stride: so those that a kernel row sees are
    consecutive, whatever the stride.

    Attributes:
        runs: what each kernel row sees, as slices of the last axis of a copy.
    """

    def __init__(self, x: Any, rows: Windows, cols: Windows, groups: int, dtype: Any) -> None:
        self._x, self._cols, self._dtype = x, cols, dtype
        self.runs, self._rows, height = _runs(rows, cols.count)
        self._as_it_is = rows.plain and cols.identity
        self._shape = (x.shape[1], cols.kernel, len(self._rows), height, cols.count)
        positions = len(self._rows) * height * cols.count
        self._stacked = (groups, x.shape[1] // groups * cols.kernel, positions)

    def copies(self) -> Iterator[tuple[slice, Array]]:
        """Parts of the batch and their copies (n, group, channel * kernel column, row * column).

        A copy is overwritten by the next one.
        """
        parts = parts_of_batch(len(self._x), math.prod(self._shape), self._dtype)
        if self._as_it_is:
            for part in parts:
                yield part, self._x[part].reshape(-1, *self._stacked)
            return
        buffer = buffer_for(parts, self._shape, self._dtype)
        for part in parts:
            copy = buffer[: part.stop - part.start]
            for j, (v, z) in enumerate(self._cols.overlaps):
                for k, (u, y) in enumerate(self._rows):
                    copy[:, :, j, k, u, v] = self._x[part, :, y, z]
            yield part, copy.reshape(-1, *self._stacked)


@lru_cache(maxsize=256)
def _runs(rows: Windows, width: int) -> tuple[list[slice], list[tuple[slice, slice]], int]:
    """What each kernel row sees, which rows each remainder holds, and how many those are."""
    offsets = [i * rows.dilation for i in range(rows.kernel)]
    remainders = sorted({offset % rows.stride for offset in offsets})
    height = offsets[-1] // rows.stride + rows.count
    firsts = [remainders.index(o % rows.stride) * height + o // rows.stride for o in offsets]
    runs = [slice(f * width, (f + rows.count) * width) for f in firsts]
    held = [overlap(rows.size, height, rows.stride, r - rows.low) for r in remainders]
    return runs, held, height


def columns_spread(
    y: Any, cols: Windows, groups: int, parts: list[slice], dtype: Any
) -> Iterator[tuple[slice, Array]]:
    """The copies from which `conv_input` is computed: each column of `y` where its window looks.

    (n, group, channel * kernel column, row * input column), for one part of the batch after the
    other, each overwritten by the next.
    """
    o, height = y.shape[1:3]
    stacked = (groups, o // groups * cols.kernel, height * cols.size)
    if cols.identity:
        for part in parts:
            yield part, y[part].reshape(-1, *stacked)
        return
    buffer = buffer_for(parts, (o, cols.kernel, height, cols.size), dtype)
    for part in parts:
        copy = buffer[: part.stop - part.start]
        for j, (v, z) in enumerate(cols.overlaps):
            copy[:, :, j, :, z] = y[part, :, :, v]
        yield part, copy.reshape(-1, *stacked)
