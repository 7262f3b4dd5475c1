"""Where the largest entry of each window stands, in three ways of which each is somewhere fastest.

Small images: the windows are copied side by side. Windows that lie close to each other: for every
place at once, the largest of itself and those ahead of it, first along rows and then along
columns, in a few passes over the image as it lies in memory; of these, the places where a window
begins are picked. All others: an entry of all windows after the other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from ...engine.types import Array, np
from .windows import Axis, Windows, inputs, reads

Axes: TypeAlias = tuple[Axis, ...]
"""The windows along each of the last axes: one or two of them."""


def positions_of_max(x: Any, axes: Axes) -> Array:
    """Where the largest entry of each window stands, counted row by row through all of `x`.

    Among equal entries the first of the window counts, row by row; NaN is larger than any number.
    Padding is never found.
    """
    rows, cols = axes if len(axes) == 2 else (Windows(size=1, kernel=1), *axes)
    images = x.reshape(-1, rows.size, cols.size)
    if x.size <= _FEW:
        chosen = _of_few(images, rows, cols)
    elif _is_close(rows) and _is_close(cols):
        chosen = _of_close(images, rows, cols)
    else:
        chosen = _of_any(images, rows, cols)
    chosen = chosen.reshape(*x.shape[: -len(axes)], *[axis.count for axis in axes])
    if x.size > _FEW and np.isnan(np.maximum.reduce(x, None)):
        first = positions_of_max(np.isnan(x).view(np.uint8), axes)
        chosen = np.where(np.isnan(x.reshape(-1).take(first)), first, chosen)
    return chosen


_FEW = 4096
"""Entries of the input."""

_PART = 1 << 17
"""Entries of the images that are searched at a time, which with the results stay in the cache."""


@lru_cache(maxsize=16)
def _entries(rows: Axis, cols: Axis) -> Array:
    """A table (entry of the window, window) of where in an image the inputs stand."""
    table = inputs(rows)[:, None, :, None] * cols.size + inputs(cols)[:, None, :]
    return np.asarray(table.reshape(-1, rows.count * cols.count))


def _of_few(images: Array, rows: Axis, cols: Axis) -> Array:
    table = _entries(rows, cols)
    flat = images.reshape(len(images), rows.size * cols.size)
    entry = flat.take(table, axis=1).argmax(axis=1)
    chosen = table[entry, np.arange(table.shape[1])]
    chosen += rows.size * cols.size * np.arange(len(images))[:, None]
    return np.asarray(chosen)


def _is_close(axis: Axis) -> bool:
    """Does a window see inputs only, and not less than half of those up to the next one?"""
    inside = isinstance(axis, Windows) and axis.low == axis.high == 0
    return inside and axis.stride <= 2 * axis.kernel  # type: ignore[union-attr]


def _of_close(images: Array, rows: Any, cols: Any) -> Array:
    size, row_step = rows.size * cols.size, rows.dilation * cols.size
    several = max(1, _PART // size)
    chosen: Array = np.empty((len(images), rows.count, cols.count), np.intp)
    for first in range(0, len(images), several):
        part = images[first : first + several]
        along_row, across = _largest_ahead(part.reshape(-1), cols.kernel, cols.dilation)
        _, down = _largest_ahead(along_row, rows.kernel, row_step)
        starts = _starts(len(part), rows, cols)
        place = chosen[first : first + several]
        np.multiply(down.take(starts), row_step, place, dtype=np.intp)
        place += starts
        beside = across.take(place)
        place += beside if cols.dilation == 1 else beside.astype(np.intp) * cols.dilation
        if first:
            place += first * size
    return chosen


def _largest_ahead(x: Array, count: int, step: int) -> tuple[Array, Array]:
    """At each place, the largest of x there and at the next ones, `count` in all; and which.

    Of equal ones the first. The last places, which have too few ahead of them, are left out.
    """
    places = len(x) - step * (count - 1)
    largest = x[:places]
    dtype = np.min_scalar_type(count - 1)
    which: Any = None
    room = np.empty_like(largest)
    for k in range(1, count):
        ahead = x[k * step : k * step + places]
        better = (ahead > largest).view(np.uint8).astype(dtype, copy=False)
        if k > 1:
            better *= dtype.type(k)  # the last gain is the largest
            np.maximum(which, better, out=better)
        which = better
        largest = np.maximum(largest, ahead, out=room)
    return largest, np.zeros(places, dtype) if which is None else which


@lru_cache(maxsize=16)
def _starts(images: int, rows: Windows, cols: Windows) -> Array:
    """Where the windows begin."""
    lines = np.arange(images)[:, None] * rows.size + np.arange(rows.count) * rows.stride
    return np.asarray(lines[..., None] * cols.size + np.arange(cols.count) * cols.stride)


def _of_any(images: Array, rows: Axis, cols: Axis) -> Array:
    width = len(reads(cols))
    largest: Any = None
    entry: Any = None
    for i, y in enumerate(reads(rows)):
        lines = images[:, y]
        for j, z in enumerate(reads(cols)):
            seen = lines[:, :, z]
            if largest is None:
                largest = seen.copy()
                entry = np.zeros(seen.shape, np.min_scalar_type(len(reads(rows)) * width - 1))
                continue
            better = (seen > largest).astype(entry.dtype)
            better *= i * width + j  # entries are visited in order, so the last gain is the largest
            np.maximum(entry, better, out=entry)
            np.maximum(largest, seen, out=largest)
    table = _entries(rows, cols)
    count = rows.count * cols.count
    chosen = table.reshape(-1).take(
        entry.reshape(-1, count).astype(np.intp) * count + np.arange(count)
    )
    chosen += rows.size * cols.size * np.arange(len(images))[:, None]
    return np.asarray(chosen)
