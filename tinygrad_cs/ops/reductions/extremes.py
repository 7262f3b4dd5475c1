"""Derivatives of the largest and the smallest entry: the cotangent goes there, shared by ties."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import MOVE
from ...engine.types import Array, Axis, Shape, T, np
from ..axes import raw
from ..elementwise.selection import where
from ..families import Case, Draw, reduction
from ..shapes.shaping import reshape
from .sums import expand, sum

__all__ = ["max", "min"]


def _equal_to(extreme: Array, x: Array) -> Array:
    """Where x is extreme. Of several entries with NaN among them, NaN is the largest."""
    ties: Array = x == extreme
    if extreme.size and not (extreme == extreme).all():
        ties |= np.isnan(x) & np.isnan(extreme)
    return ties


def _extremes_rule(g: Any, x: Any, out: Any, axis: Axis) -> Any:
    x = raw(x)
    return shared(g, np.asarray(_equal_to(expand(raw(out), x.shape, axis), x)), axis)


def _shared_cases(draw: Draw) -> Case:
    ties = draw.array(draw.shape()) > 0
    axis = draw.axis(ties.ndim)
    ties |= ~np.logical_or.reduce(ties, axis=axis, keepdims=True)  # at least one everywhere
    reduced = np.add.reduce(ties, axis=axis, keepdims=draw.flag())
    return [draw.array(np.shape(reduced))], {"ties": np.asarray(ties), "axis": axis}


def _shared_reference(x: Any, ties: Array, axis: Axis) -> Any:
    count = np.sum(ties, axis=axis, keepdims=True)
    return ties * (np.reshape(x, count.shape) / count)


def _shared_rule(g: Any, x_shape: Shape, ties: Array, axis: Axis) -> Any:
    return reshape(sum(where(ties, g, 0), axis), x_shape) / _number(ties, axis, x_shape, g.dtype)


def _number(ties: Array, axis: Axis, shape: Shape, dtype: Any) -> Any:
    """How many ties there are, in float32 at least: in float16 2048 + 1 = 2048."""
    dtype = np.result_type(dtype, np.float32)
    if axis is None:
        return dtype.type(np.count_nonzero(ties))
    return np.add.reduce(ties, axis, dtype).reshape(shape)


@operation(MOVE, cases=_shared_cases, reference=_shared_reference, dx=_shared_rule)
def shared(x: Any, ties: Array, axis: Axis = None) -> Any:
    """Each entry of the reduced x in equal shares where `ties` holds along `axis`; elsewhere 0.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.ops.reductions.extremes.shared(tg.tensor(1.0), np.array([True, False, True]))
        tensor([0.5, 0. , 0.5])
    """
    share = x / _number(ties, axis, x.shape, x.dtype)
    out = np.zeros(ties.shape, share.dtype)
    if axis is None:
        out[ties] = share.item()
    else:
        np.copyto(out, expand(share, ties.shape, axis), where=ties)
    return out


@operation(numpy=(np.max, np.amax) if np.amax is not np.max else np.max, cases=reduction(),
           cuts=True, dx=lambda g, x, out, axis: _extremes_rule(g, x, out, axis))  # fmt: skip
def max(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Largest entry over `axis` (default all); ties share the gradient equally.

    Raises `ShapeError` for the maximum of nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([1.0, 3.0, 3.0], requires_grad=True)
        >>> tg.max(x).backward()
        >>> x.grad
        array([0. , 0.5, 0.5], dtype=float32)
    """
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)


@operation(numpy=(np.min, np.amin) if np.amin is not np.min else np.min, cases=reduction(),
           cuts=True, dx=lambda g, x, out, axis: _extremes_rule(g, x, out, axis))  # fmt: skip
def min(x: T, axis: Axis = None, keepdims: bool = False) -> T:
    """Smallest entry over `axis` (default all); ties share the gradient equally.

    Raises `ShapeError` for the minimum of nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.min(tg.tensor([3.0, 1.0, 2.0]))
        tensor(1.)
    """
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)
