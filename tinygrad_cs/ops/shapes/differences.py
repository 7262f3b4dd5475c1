"""Differences of neighbours."""

from __future__ import annotations

import operator
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
from ..axes import as_beside, at_axis, axis_number, shape_of
from ..families import Case, Draw, along_axis
from ..indices.indexing import getitem
from .joining import concat
from .shaping import broadcast_to

__all__ = ["diff"]


def _diff_cases(draw: Draw) -> Case:
    (x,), params = along_axis(draw)
    more = x.astype(np.float32)  # which leaves the dtype of the result to x
    ends: dict[str, Any] = draw.choice([{}, {"prepend": 0.5}, {"append": more}, {"prepend": more}])
    return [x], {"n": draw.integer(0, 3)} | params | ends


@composition("x", numpy=np.diff, cases=_diff_cases)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each entry along `axis` minus the one before it, `n` times over.

    Args:
        x: values.
        n: how often differences are taken (default once); 0 gives x itself.
        axis: along which (default last).
        prepend, append: values to set before the first entry and after the last, numbers or
            arrays; they may carry gradients.

    Raises `ArgumentError` for negative n, `ShapeError` for a number instead of an array.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.diff(tg.tensor([1.0, 2.0, 4.0]))
        tensor([1., 2.])
    """
    if operator.index(n) < 0:
        raise ArgumentError(f"diff: n is the number of differences, at least 0; got {n}")
    shape = shape_of(x)
    if not shape:
        raise ShapeError("diff: expected an array with at least one axis, got shape ()")
    axis = axis_number("diff", axis, shape)
    if n == 0:
        return x
    side = (*shape[:axis], 1, *shape[axis + 1 :])
    ends = [
        end if end is None or shape_of(end) else broadcast_to(as_beside(end, x), side)
        for end in (prepend, append)
    ]
    if prepend is not None or append is not None:
        x = concat([part for part in (ends[0], x, ends[1]) if part is not None], axis)
    for _ in range(n):
        later, earlier = at_axis(axis, slice(1, None)), at_axis(axis, slice(-1))
        x = getitem(x, later) - getitem(x, earlier)
    return x
