"""Which entries a normalisation takes together, and their sums.

Batch, layer, group and instance normalisation differ in the entries that share a mean, and in
those that share a weight. A `Layout` says which.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from ...engine.arrays import one
from ...engine.types import Array, Shape, np
from ..families import Draw


class Fold(NamedTuple):
    """Axes that are summed over: the first, the last few, or both.

    Attributes:
        axes: those of the array.
        lead: length of the first axis, None if it stays.
        tail: the lengths of the last axes multiplied, None if they stay.
        kept: the shape of the sums, with ones for the axes.
    """

    axes: tuple[int, ...]
    lead: int | None
    tail: int | None
    kept: Shape


class Layout(NamedTuple):
    """Which entries of an array are normalised together.

    Attributes:
        view: the shape in which this is a matter of whole axes.
        means: entries that share a mean and a variance.
        affine: the shape in which weight and bias broadcast against `view`.
        copies: entries that share a weight.
        size: how many entries share a mean.
        uniform: do entries that share a mean share their weight too?
    """

    view: Shape
    means: Fold
    affine: Shape
    copies: Fold
    size: int
    uniform: bool


def _fold(view: Shape, lead: bool, tail: int) -> Fold:
    """Of the first axis, or not, and of the last `tail` ones."""
    cut = len(view) - tail
    axes = (*range(lead), *range(cut, len(view)))
    kept = tuple(1 if a in axes else n for a, n in enumerate(view))
    return Fold(axes, view[0] if lead else None, math.prod(view[cut:]) if tail else None, kept)


def _layout(view: Shape, means: Fold, affine: Shape, copies: Fold) -> Layout:
    size = math.prod(view[a] for a in means.axes)
    return Layout(view, means, affine, copies, size, set(means.axes) <= set(copies.axes))


@lru_cache(maxsize=256)
def per_channel(shape: Shape) -> Layout:
    """Channels, the second axis of (N, C, ...), each over the batch and all positions."""
    view, affine = shape, shape[1:]
    if len(shape) > 2:
        view, affine = (*shape[:2], math.prod(shape[2:])), (shape[1], 1)
    fold = _fold(view, True, len(view) - 2)
    return _layout(view, fold, affine, fold)


@lru_cache(maxsize=256)
def per_sample(shape: Shape, trailing: int) -> Layout:
    """The last `trailing` axes together, for each place in the others."""
    cut = len(shape) - trailing
    view = (math.prod(shape[:cut]), math.prod(shape[cut:]))
    return _layout(view, _fold(view, False, 1), view[1:], _fold(view, True, 0))


@lru_cache(maxsize=256)
def per_group(shape: Shape, groups: int) -> Layout:
    """Channels of (N, C, ...) in `groups` groups, each over its positions, for each sample."""
    if groups == shape[1]:
        view, affine = (*shape[:2], math.prod(shape[2:])), (shape[1], 1)
        return _layout(view, _fold(view, False, 1), affine, _fold(view, True, 1))
    parts = groups, shape[1] // groups
    view = (shape[0], *parts, math.prod(shape[2:]))
    return _layout(view, _fold(view, False, 2), (*parts, 1), _fold(view, True, 1))


def draw_layout(draw: Draw) -> tuple[Shape, Layout]:
    """A shape and one of its layouts."""
    shape = draw.shape(min_dims=2)
    choice = draw.choice([per_channel, per_sample, per_group])
    if choice is per_sample:
        return shape, per_sample(shape, draw.integer(1, len(shape)))
    if choice is per_group:
        return shape, per_group(shape, draw.choice([1, shape[1] or 1]))
    return shape, per_channel(shape)


def sums(values: Array, fold: Fold) -> Array:
    """Sums as products with ones: BLAS adds several times faster than np.add.reduce."""
    if not values.size:
        empty: Array = np.add.reduce(values, fold.axes, keepdims=True)
        return empty
    out = values
    if fold.tail is not None:
        rows = out if out.ndim == 2 else out.reshape(-1, fold.tail)
        out = rows.dot(one((fold.tail,), values.dtype))
    if fold.lead is not None:
        rows = out if out.ndim == 2 else out.reshape(fold.lead, -1)
        out = np.dot(one((fold.lead,), values.dtype), rows)
    return out.reshape(fold.kept)


def single(values: Array) -> Array:
    """Whole numbers and float16 in a dtype in which their sums are right."""
    dtype = values.dtype
    if dtype.kind == "f" and dtype.itemsize > 2:
        return values
    return values.astype(np.float32 if dtype.kind == "f" else np.float64)
