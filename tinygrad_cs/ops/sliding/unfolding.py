"""Windows as columns, and the transpose: columns added back to where they were read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, TypeAlias

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Array, Shape, np
from ..families import Case, Draw
from .window_cases import draw_axes, draw_windows, visits
from .windows import Windows

Axes: TypeAlias = tuple[Windows, ...]
"""The windows along each spatial axis."""


def _apart(axes: Axes) -> Shape:
    """The lengths of the axes that unfolding joins: entries of a window, then windows."""
    return (*[axis.kernel for axis in axes], *[axis.count for axis in axes])


def _joined(axes: Axes) -> Shape:
    return math.prod(axis.kernel for axis in axes), math.prod(axis.count for axis in axes)


def _overlaps(axes: Axes) -> Iterator[tuple[Any, Any]]:
    """For each entry of a window: where it stands among the columns, and the inputs it sees."""
    for choice in itertools.product(*[enumerate(axis.overlaps) for axis in axes]):
        entry: Any = [i for i, _ in choice]
        outputs: Any = [u for _, (u, _) in choice]
        inputs: Any = [y for _, (_, y) in choice]
        yield (..., *entry, *outputs), (..., *inputs)


def _unfold_cases(draw: Draw) -> Case:
    axes = draw_axes(draw, draw_windows)
    shape = (*draw.shape(1, 1), draw.integer(1, 2), *[axis.size for axis in axes])
    return [draw.array(shape)], {"axes": axes}


def _unfold_reference(x: Any, axes: Axes) -> Array:
    out: Any = np.zeros((*x.shape[:2], *_apart(axes)))
    for window, entry, place in visits(axes):
        out[(..., *entry, *window)] = x[(..., *place)]
    entries, count = _joined(axes)
    return out.reshape(len(x), x.shape[1] * entries, count)


@operation(
    MOVE,
    cases=_unfold_cases,
    reference=_unfold_reference,
    dx=lambda g, axes: fold(g, axes),
)
def unfold(x: Any, axes: Axes) -> Any:
    """Each window of `x` (N, C, *size) as a column: (N, C * entries, windows), padding as zeros.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.unfolding import Windows, unfold
        >>> unfold(tg.tensor([[[1.0, 2.0, 3.0]]]), (Windows(size=3, kernel=2),))
        tensor([[[1., 2.],
                 [2., 3.]]])
    """
    x = np.asarray(x)
    out = np.zeros((*x.shape[:2], *_apart(axes)), x.dtype)
    for columns, seen in _overlaps(axes):
        out[columns] = x[seen]
    entries, count = _joined(axes)
    return out.reshape(len(x), x.shape[1] * entries, count)


def _fold_cases(draw: Draw) -> Case:
    axes = draw_axes(draw, draw_windows)
    entries, count = _joined(axes)
    shape = (*draw.shape(1, 1), draw.integer(1, 2) * entries, count)
    return [draw.array(shape)], {"axes": axes}


def _fold_reference(x: Any, axes: Axes) -> Array:
    channels = x.shape[1] // _joined(axes)[0]
    columns: Any = x.reshape(len(x), channels, *_apart(axes))
    out: Any = np.zeros((len(x), channels, *[axis.size for axis in axes]))
    for window, entry, place in visits(axes):
        out[(..., *place)] += columns[(..., *entry, *window)]
    return out


@operation(
    MOVE,
    cases=_fold_cases,
    reference=_fold_reference,
    dx=lambda g, axes: unfold(g, axes),
)
def fold(x: Any, axes: Axes) -> Any:
    """The transpose of `unfold`: columns (N, C * entries, windows) added into (N, C, *size).

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.sliding.unfolding import Windows, fold
        >>> fold(tg.tensor([[[1.0, 2.0], [10.0, 20.0]]]), (Windows(size=3, kernel=2),))
        tensor([[[ 1., 12., 20.]]])
    """
    x = np.asarray(x)
    channels = x.shape[1] // _joined(axes)[0]
    columns = x.reshape(len(x), channels, *_apart(axes))
    out = np.zeros((len(x), channels, *[axis.size for axis in axes]), x.dtype)
    for place, seen in _overlaps(axes):
        out[seen] += columns[place]
    return out
