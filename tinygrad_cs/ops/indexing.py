"""Indexing, and its transpose: scattering a cotangent back, repeated indices adding up."""

from __future__ import annotations

from typing import Any

from ..engine.define import operation
from ..engine.errors import ArgumentError
from ..engine.record import MOVE
from ..engine.types import Shape, T, np
from .families import Case, Draw
from .shaping import broadcast_to, reshape


def raw_index(index: Any) -> Any:
    """An index with tensors replaced by their arrays."""
    if isinstance(index, tuple):
        return tuple(raw_index(part) for part in index)
    return getattr(index, "_data", index)


def _may_repeat(index: Any) -> bool:
    """Can two entries of the result come from one of the source? Only with integer arrays."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        not isinstance(part, (slice, int, type(None), type(...)))
        and np.ndim(part) > 0
        and np.asarray(part).dtype.kind != "b"
        for part in parts
    )


def _index_cases(draw: Draw) -> Case:
    x = draw.array((3, *draw.shape(min_dims=1, max_dims=2)))
    mask = draw.rng.random(x.shape) > 0.5
    index = draw.choice(
        [
            1,
            -1,
            slice(None, None, -1),
            slice(1, None),
            (slice(None), 0),
            (..., 0),
            (None, 1, ...),
            [0, 2, 0],
            (np.array([[0, 1], [1, 1]]),),
            (slice(None), np.array([0, -1, 0])),
            ([0, 1, 0], [0, 0, 0]),
            mask,
            np.array([True, False, True]),
            (),
        ]
    )
    return [x], {"index": index}


@operation(
    MOVE,
    cases=_index_cases,
    reference=lambda x, index: x[index],
    cuts=True,
    dx=lambda g, index, x_shape: scatter(g, index, x_shape),
)
def getitem(x: T, index: Any) -> T:
    """`x[index]` with everything NumPy accepts; positions taken twice get both gradients.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> x[[0, 0, 2]].sum().backward()
        >>> x.grad
        array([2., 0., 1.], dtype=float32)
    """
    return np.asarray(x)[raw_index(index)]


def _scatter_cases(draw: Draw) -> Case:
    (x,), params = _index_cases(draw)
    return [draw.array(np.shape(x[params["index"]]))], params | {"shape": x.shape}


def _scatter_reference(x: Any, index: Any, shape: Shape) -> Any:
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


@operation(
    MOVE,
    cases=_scatter_cases,
    reference=_scatter_reference,
    dx=lambda g, index: getitem(g, index),
)
def scatter(x: T, index: Any, shape: Shape) -> T:
    """Zeros of `shape` with `x` added at `index`: the transpose of indexing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.scatter(tg.tensor([1.0, 2.0]), [0, 0], (3,))
        tensor([3., 0., 0.])
    """
    values = np.asarray(x)
    index = raw_index(index)
    out = np.zeros(shape, values.dtype)
    if _may_repeat(index):
        np.add.at(out, index, values)
    else:
        out[index] = values
    return out


def _put_cases(draw: Draw) -> Case:
    x = draw.array((3, *draw.shape(min_dims=1, max_dims=2)))
    index = draw.choice([1, slice(None, None, 2), (..., 0), [2, 0], np.array([True, False, True])])
    return [x, draw.array(np.shape(x[index]))], {"index": index}


def _led_by_ones(g: Any, shape: Shape) -> Any:
    """NumPy lets values of shape (1, n) be set where (n,) is taken."""
    extra = len(shape) - g.ndim
    return reshape(g, (1,) * extra + g.shape) if extra > 0 else g


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
    if _may_repeat(index):
        count = np.zeros(x.shape, np.int64)
        np.add.at(count, index, 1)
        if count.size and count.max() > 1:
            raise ArgumentError(
                "put: the index takes a position twice, so which value stays is undefined; "
                "use .add(), which sums them"
            )
    out = x.astype(np.result_type(x, values))
    out[index] = values
    return out


class At:
    """`t.at[index]`: changes to a tensor that make a new one."""

    def __init__(self, tensor: Any, index: Any = ...) -> None:
        self._tensor = tensor
        self._index = index

    def __getitem__(self, index: Any) -> At:
        return At(self._tensor, index)

    def set(self, values: Any) -> Any:
        """The tensor with `values` (broadcast) at the index.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[0].set(5.0)
            tensor([5., 2.])
        """
        return put(self._tensor, values, self._index)

    def add(self, values: Any) -> Any:
        """The tensor with `values` (broadcast) added at the index; repeated positions add up.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[[0, 0]].add(5.0)
            tensor([11.,  2.])
        """
        shape = np.shape(self._tensor._data[raw_index(self._index)])
        if isinstance(values, (int, float)):
            values = np.asarray(values, self._tensor.dtype)
        return self._tensor + scatter(broadcast_to(values, shape), self._index, self._tensor.shape)
