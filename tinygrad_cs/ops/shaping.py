"""Operations that only move data: the cotangent moves back the same way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..engine.define import operation
from ..engine.errors import ArgumentError
from ..engine.modes import default_dtype
from ..engine.node import ArrayNode
from ..engine.record import FUNCTIONS, MOVE, same
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import Shape, T, np
from .families import Case, Draw, one_array

__all__ = [
    "astype",
    "broadcast_to",
    "concat",
    "expand_dims",
    "permute_dims",
    "reshape",
    "squeeze",
    "stack",
]


def _reshape_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    target = draw.choice([(x.size,), (-1,), (1, x.size, 1), x.shape[::-1]])
    return [x], {"shape": target}


@operation(MOVE, numpy=np.reshape, cases=_reshape_cases, dx=lambda g, x_shape: reshape(g, x_shape))
def reshape(x: T, shape: int | Sequence[int]) -> T:
    """The same entries in row-major order under another shape; one length may be -1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1)).shape
        (2, 2)
    """
    return np.reshape(x, shape)


def _permute_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    order = tuple(int(i) for i in draw.rng.permutation(x.ndim))
    return [x], {"axes": draw.choice([None, order, tuple(i - x.ndim for i in order)])}


def _inverse(axes: Sequence[int] | None) -> tuple[int, ...] | None:
    if axes is None:
        return None
    return tuple(sorted(range(len(axes)), key=lambda i: axes[i] % len(axes)))


@operation(
    MOVE,
    numpy=(np.transpose, np.permute_dims) if np.permute_dims is not np.transpose else np.transpose,
    cases=_permute_cases,
    dx=lambda g, axes: permute_dims(g, _inverse(axes)),
)
def permute_dims(x: T, axes: Sequence[int] | None = None) -> T:
    """Axes in another order; reversed when `axes` is None.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.permute_dims(tg.tensor([[1.0, 2.0, 3.0]]), (1, 0)).shape
        (3, 1)
    """
    return np.transpose(x, axes)


_SMALL = 4096


def _broadcast_cases(draw: Draw) -> Case:
    shape = draw.shape()
    return [draw.array(draw.broadcastable(shape))], {"shape": shape}


@operation(MOVE, numpy=np.broadcast_to, cases=_broadcast_cases, dx=same)
def broadcast_to(x: T, shape: int | Sequence[int]) -> T:
    """Copies along new axes and axes of length one; the gradient sums over the copies.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.broadcast_to(tg.tensor([1.0, 2.0]), (3, 2)).shape
        (3, 2)
    """
    if not isinstance(shape, tuple) or math.prod(shape) > _SMALL:
        return np.broadcast_to(x, shape)
    # For a few entries a copy takes a fifth of the time of a view.
    values = np.asarray(x)
    out = np.empty(shape, values.dtype)
    out[...] = values
    return out


def _squeeze_cases(draw: Draw) -> Case:
    x = draw.array((1, *draw.shape(max_dims=2), 1))
    return [x], {"axis": draw.choice([None, 0, -1, (0, -1)])}


@operation(MOVE, numpy=np.squeeze, cases=_squeeze_cases, dx=lambda g, x_shape: reshape(g, x_shape))
def squeeze(x: T, axis: int | tuple[int, ...] | None = None) -> T:
    """Without axes of length one: all of them, or those named by `axis`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.squeeze(tg.tensor([[1.0, 2.0]]), 0).shape
        (2,)
    """
    return np.squeeze(x, axis)


def _expand_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(max_dims=2))
    return [x], {"axis": draw.choice([0, -1, x.ndim, (0, -1)])}


@operation(
    MOVE, numpy=np.expand_dims, cases=_expand_cases, dx=lambda g, x_shape: reshape(g, x_shape)
)
def expand_dims(x: T, axis: int | tuple[int, ...] = 0) -> T:
    """With a new axis of length one at position `axis` (default first).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.expand_dims(tg.tensor([1.0, 2.0]), -1).shape
        (2, 1)
    """
    return np.expand_dims(x, axis)


def numbers_to_arrays(arrays: Sequence[Any]) -> list[Any]:
    """Python numbers (the values of `Scalar`s) take the dtype of the arrays beside them."""
    kinds = [a.dtype for a in arrays if hasattr(a, "dtype")]
    dtype = np.result_type(*kinds) if kinds else default_dtype()
    if dtype.kind != "f" and any(isinstance(a, float) for a in arrays):
        dtype = np.result_type(dtype, default_dtype())
    return [a if hasattr(a, "dtype") else np.asarray(a, dtype) for a in arrays]


def _concat_cases(draw: Draw) -> Case:
    shape = draw.shape(min_dims=1)
    axis = draw.integer(-len(shape), len(shape) - 1)
    arrays = []
    for _ in range(draw.integer(1, 3)):
        sides = list(shape)
        sides[axis] = draw.integer(0, 3)
        arrays.append(draw.array(tuple(sides)))
    return [arrays], {"axis": draw.choice([axis, axis, None])}


def _concat_part(g: Any, i: int, shapes: Sequence[Shape], axis: int | None) -> Any:
    """The slice of the cotangent that belongs to array i."""
    if axis is None:
        start = sum(math.prod(s) for s in shapes[:i])
        return reshape(g[start : start + math.prod(shapes[i])], shapes[i])
    start = sum(s[axis] for s in shapes[:i])
    along = (slice(None),) * (axis % len(shapes[i]))
    return g[(*along, slice(start, start + shapes[i][axis]))]


@operation(
    MOVE,
    numpy=(np.concatenate, np.concat) if np.concat is not np.concatenate else np.concatenate,
    variadic=True,
    cases=_concat_cases,
    darrays=lambda g, i, arrays_shape, axis: _concat_part(g, i, arrays_shape, axis),
)
def concat(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Arrays joined along an existing axis; `axis=None` flattens them first.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.concat([tg.tensor([1.0]), tg.tensor([2.0, 3.0])])
        tensor([1., 2., 3.])
    """
    return np.concatenate(numbers_to_arrays(arrays), axis)


def _stack_cases(draw: Draw) -> Case:
    shape = draw.shape(max_dims=2)
    arrays = [draw.array(shape) for _ in range(draw.integer(1, 3))]
    return [arrays], {"axis": draw.integer(-len(shape) - 1, len(shape))}


def _stack_part(g: Any, i: int, axis: int) -> Any:
    if axis < 0:
        return g[(..., i) + (slice(None),) * (-axis - 1)]
    return g[(slice(None),) * axis + (i,)]


@operation(
    MOVE,
    numpy=np.stack,
    variadic=True,
    cases=_stack_cases,
    darrays=lambda g, i, axis: _stack_part(g, i, axis),
)
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape, or `Scalar`s, joined along a new axis.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, y = tg.Scalar(1.0), tg.Scalar(2.0)
        >>> tg.stack([x, y, x]).sum().backward()
        >>> x.grad, y.grad
        (2.0, 1.0)
    """
    return np.stack(numbers_to_arrays(arrays), axis)


def _astype_cases(draw: Draw) -> Case:
    return [draw.array(draw.shape())], {"dtype": np.float64}


@operation(MOVE, numpy=np.astype, cases=_astype_cases, dx=same)
def astype(x: T, dtype: Any) -> T:
    """Values converted to `dtype`; the gradient is converted back.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.astype(tg.tensor([1.5]), "float64").dtype
        dtype('float64')
    """
    return np.asarray(x).astype(dtype)


@operation(MOVE, scalar=lambda x: x, cases=one_array, reference=np.asarray, dx=same)
def alias(x: T) -> T:
    """The same values as a node of its own: where an inner derivative starts.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.alias(tg.tensor([1.0]))
        tensor([1.])
    """
    return x


@operation(MOVE, cases=lambda draw: ([draw.array(())], {}), reference=np.asarray, dx=same)
def to_tensor(x: Any) -> Any:
    """A `Scalar` as a tensor with no axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.to_tensor(tg.Scalar(2.0, requires_grad=False)).shape
        ()
    """
    return np.asarray(x)


@operation(
    MOVE,
    name="to_scalar",
    cases=lambda draw: ([draw.array(draw.choice([(), (1,), (1, 1)]))], {}),
    reference=lambda x: x.reshape(()),
    dx=lambda g, x_shape: reshape(to_tensor(g), x_shape),
)
def _one_entry(x: Any) -> Any:
    if np.size(x) != 1:
        raise ArgumentError(f"to_scalar: expected one entry, got shape {np.shape(x)}")
    return np.reshape(x, ())


def to_scalar(x: Any) -> Any:
    """A tensor with one entry as a `Scalar`, its history kept.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.to_scalar(tg.tensor([2.0]))
        Scalar(2)
    """
    if isinstance(x, Scalar):
        return x
    out = _one_entry(x)
    if not isinstance(out, Tensor):
        return float(out)
    scalar = Scalar._of(float(out._data))
    node = out._node
    if isinstance(node, ArrayNode):
        scalar.requires_grad = True
        scalar.plan, scalar.inputs = node.plan, node.inputs
        scalar.saved, scalar.order = node.saved, node.order
    return scalar


FUNCTIONS["to_scalar"] = to_scalar
