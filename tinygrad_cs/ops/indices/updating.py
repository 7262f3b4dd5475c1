"""Some entries changed, as a new tensor: what stands behind `t.at[index].set(values)`."""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import ArgumentError
from ...engine.record import MOVE
from ...engine.types import Array, Shape, np
from ..axes import as_beside, raw, shape_of
from ..elementwise.selection import where
from ..families import Case, Draw
from ..shapes.shaping import broadcast_to, reshape
from .accumulate import add_repeated, may_repeat, raw_index, repeats, rounds, sum_at
from .indexing import getitem


def _led_by_ones(g: Any, shape: Shape) -> Any:
    """NumPy lets values of shape (1, n) be set where (n,) is taken."""
    extra = len(shape) - len(shape_of(g))
    return reshape(g, (1,) * extra + shape_of(g)) if extra > 0 else g


def _put_cases(draw: Draw) -> Case:
    x = draw.array((3, *draw.shape(min_dims=1, max_dims=2)))
    index = draw.choice([1, slice(None, None, 2), (..., 0), [2, 0], np.array([True, False, True])])
    return [x, draw.array(np.shape(x[index]))], {"index": index}


def _put_reference(x: Any, values: Any, index: Any) -> Any:
    out = x.copy()
    out[index] = values
    return out


@operation(
    cases=_put_cases,
    reference=_put_reference,
    cuts=True,
    dx=lambda g, index: put(g, 0, index),
    dvalues=lambda g, index, values_shape: _led_by_ones(getitem(g, index), values_shape),
)
def put(x: Any, values: Any, index: Any) -> Any:
    """`x` with `values` in place of the entries at `index`, as a new tensor.

    The entries replaced are no longer connected. Raises `ArgumentError` where an integer index
    takes a position twice: which value stays would be undefined.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.put(tg.tensor([1.0, 2.0]), 5.0, 0)
        tensor([5., 2.])
    """
    index = raw_index(index)
    x = np.asarray(x)
    if repeats(x.shape, index):
        raise ArgumentError(
            "put: the index takes a position twice, so which value stays is undefined; "
            "use .add(), which sums them"
        )
    out = x.astype(np.result_type(x, values))
    out[index] = values
    return out


def _repeated_cases(draw: Draw) -> Case:
    x = draw.array((3, *draw.shape(min_dims=1, max_dims=2)))
    index = draw.choice([1, (..., 0), slice(None, 2), [2, 0], [1, 1, 0], ([1, 1, 1], [0, 0, -1]),
                         np.array([True, False, True])])  # fmt: skip
    shape = draw.choice([np.shape(x[index]), np.shape(x[index]), ()])
    return [x, draw.array(shape)], {"index": index}


def _add_cases(draw: Draw) -> Case:
    operands, params = _repeated_cases(draw)
    return [operands], params


def _add_reference(arrays: Any, index: Any) -> Any:
    out = arrays[0].copy()
    np.add.at(out, index, arrays[1])
    return out


@operation(
    MOVE,
    variadic=True,
    cases=_add_cases,
    reference=_add_reference,
    darrays=lambda g, i, index, arrays_shape: (
        _led_by_ones(getitem(g, index), arrays_shape[1]) if i else g
    ),
)
def add_at(arrays: Any, index: Any) -> Any:
    """The first of two arrays with the second (broadcast) added at `index`; repeats add up.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.add_at([tg.tensor([1.0, 2.0]), 5.0], [0, 0])
        tensor([11.,  2.])
    """
    x, values = arrays
    x, index = np.asarray(x), raw_index(index)
    dtype = np.result_type(x, values)
    if not may_repeat(index):
        out = x.astype(dtype, order="C")
        out[index] += values
        return out
    spread = np.empty(np.broadcast_to(0.0, x.shape)[index].shape, dtype)
    spread[...] = values
    if dtype.itemsize < 4:
        return x + sum_at(x.shape, index, spread)
    out = x.astype(dtype, order="C")
    add_repeated(out, index, spread)
    return out


def _shares(x: Any, values: Any, out: Any, index: Any) -> tuple[Array, Array]:
    """How much each entry of x, and of the values, has in the extreme: ties share equally."""
    x, out, index = raw(x), raw(out), raw_index(index)
    ours, theirs = x == out, np.broadcast_to(raw(values), out[index].shape) == out[index]
    count = ours + sum_at(x.shape, index, theirs.astype(np.float64))
    share = (1 / np.where(count == 0, 1, count)).astype(out.dtype)
    return np.where(ours, share, 0), np.where(theirs, share[index], 0)


def _to_kept(g: Any, x: Any, values: Any, out: Any, index: Any) -> Any:
    share, _ = _shares(x, values, out, index)
    return where(share > 0, g * share, 0)


def _to_new(g: Any, x: Any, values: Any, out: Any, index: Any) -> Any:
    _, share = _shares(x, values, out, index)
    return _led_by_ones(where(share > 0, getitem(g, index) * share, 0), shape_of(values))


def _combine(function: Any, x: Any, values: Any, index: Any) -> Any:
    out = np.asarray(x).astype(np.result_type(x, values))
    index = raw_index(index)
    if may_repeat(index):
        function.at(out, index, values)
    else:
        out[index] = function(out[index], values)
    return out


def _reference(function: Any) -> Any:
    def reference(x: Any, values: Any, index: Any) -> Any:
        out = x.copy()
        function.at(out, index, values)
        return out

    return reference


@operation(cases=_repeated_cases, reference=_reference(np.maximum), cuts=True,
           dx=_to_kept, dvalues=_to_new)  # fmt: skip
def maximum_at(x: Any, values: Any, index: Any) -> Any:
    """`x` with the largest of its entry and the `values` (broadcast) that meet there.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.maximum_at(tg.tensor([1.0, 2.0]), [3.0, 4.0], [0, 0])
        tensor([4., 2.])
    """
    return _combine(np.maximum, x, values, index)


@operation(cases=_repeated_cases, reference=_reference(np.minimum), cuts=True,
           dx=_to_kept, dvalues=_to_new)  # fmt: skip
def minimum_at(x: Any, values: Any, index: Any) -> Any:
    """`x` with the smallest of its entry and the `values` (broadcast) that meet there.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.minimum_at(tg.tensor([3.0, 2.0]), [2.0, 1.0], [0, 0])
        tensor([1., 2.])
    """
    return _combine(np.minimum, x, values, index)


@composition("x", "values", cases=_repeated_cases, reference=_reference(np.multiply))
def multiply_at(x: Any, values: Any, index: Any) -> Any:
    """`x` with its entries at `index` multiplied by `values` (broadcast), by all that meet there.

    A position taken twice is multiplied in rounds, so derivatives are exact for factors of 0 too.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.multiply_at(tg.tensor([3.0, 2.0]), [2.0, 5.0], [0, 0])
        tensor([30.,  2.])
    """
    index, shape = raw_index(index), shape_of(x)
    if not repeats(shape, index):
        return put(x, getitem(x, index) * values, index)
    places = np.arange(math.prod(shape)).reshape(shape)[index]
    factors = reshape(broadcast_to(as_beside(values, x), places.shape), (-1,))
    met, places, counts = np.unique(places, return_inverse=True, return_counts=True)
    places = places.ravel()
    flat = reshape(x, (-1,))
    products = getitem(flat, met)
    for taken in rounds(places, counts):
        product = getitem(products, places[taken]) * getitem(factors, taken)
        products = put(products, product, places[taken])
    return reshape(put(flat, products, met), shape)
