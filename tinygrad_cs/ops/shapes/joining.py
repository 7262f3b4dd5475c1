"""Arrays put together and taken apart: each part gets its slice of the cotangent."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.record import MOVE
from ...engine.types import Shape, np
from ..axes import at_axis, axis_number, shape_of
from ..families import Case, Draw
from ..indices.indexing import getitem
from .shaping import broadcast_to, reshape

__all__ = ["concat", "meshgrid", "split", "stack", "unstack"]


def numbers_to_arrays(arrays: Sequence[Any]) -> Sequence[Any]:
    """Python numbers (the values of `Scalar`s) take the dtype of the arrays beside them."""
    for a in arrays:
        if type(a) is not np.ndarray:
            break
    else:
        return arrays
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


def _concat_part(g: Any, i: int, arrays_shape: Sequence[Shape], axis: int | None) -> Any:
    """The slice of the cotangent that belongs to array i."""
    shape = arrays_shape[i]
    if axis is None:
        start = sum([math.prod(s) for s in arrays_shape[:i]])
        return reshape(g[start : start + math.prod(shape)], shape)
    start = sum([s[axis] for s in arrays_shape[:i]])
    part = slice(start, start + shape[axis])
    return g[at_axis(axis % len(shape), part)] if axis else g[part]


@operation(
    MOVE,
    numpy=(np.concatenate, np.concat) if np.concat is not np.concatenate else np.concatenate,
    variadic=True,
    cases=_concat_cases,
    darrays=_concat_part,
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
    return g[at_axis(axis, i)]


@operation(
    MOVE,
    numpy=np.stack,
    variadic=True,
    cases=_stack_cases,
    darrays=_stack_part,
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
    parts = numbers_to_arrays(arrays)
    shape = parts[0].shape if parts else ()
    if parts and -1 <= axis <= 0 and all([p.shape == shape for p in parts]):
        # np.stack itself takes three times as long on small arrays
        if axis:
            return np.concatenate([p.reshape((*shape, 1)) for p in parts], -1)
        return np.concatenate([p.reshape((1, *shape)) for p in parts])
    return np.stack(parts, axis)


def pieces(x: Any, bounds: Sequence[int | None], axis: int) -> list[Any]:
    """The slices of an axis (counted from the front) between consecutive bounds."""
    return [getitem(x, at_axis(axis, slice(low, high))) for low, high in pairwise(bounds)]


def _split_cases(draw: Draw) -> Case:
    parts = draw.integer(1, 3)
    shape = list(draw.shape(min_dims=1))
    axis = draw.integer(-len(shape), len(shape) - 1)
    shape[axis] *= parts
    cuts: list[Any] = [parts, [1], (1, 2), [2, 1], [-1], [0, 5], np.array([1, 2])]
    return [draw.array(tuple(shape))], {"indices_or_sections": draw.choice(cuts), "axis": axis}


@composition("x", numpy=np.split, cases=_split_cases)
def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """A list of the parts of an axis: so many equal ones, or those between the given indices.

    Raises `ArgumentError` where the axis does not divide into equal parts.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.split(tg.tensor([1.0, 2.0, 3.0, 4.0]), [1, 3])
        [tensor([1.]), tensor([2., 3.]), tensor([4.])]
    """
    shape = shape_of(x)
    axis = axis_number("split", axis, shape)
    length = shape[axis]
    if np.ndim(indices_or_sections):
        return pieces(x, [0, *indices_or_sections, None], axis)  # type: ignore[misc]
    sections = operator.index(indices_or_sections)  # type: ignore[arg-type]
    if sections < 1 or length % sections:
        raise ArgumentError(
            f"split: axis {axis} of length {length} does not divide into {sections} equal parts; "
            f"give the indices to split at instead, or use np.array_split"
        )
    size = length // sections
    return pieces(x, [i * size for i in range(sections + 1)], axis)


def _unstack_cases(draw: Draw) -> Case:
    shape = (draw.integer(1, 3), *draw.shape(max_dims=2))  # no parts, no value to compare
    axis = draw.integer(-len(shape), len(shape) - 1)
    shape = (*shape[1 : axis % len(shape) + 1], shape[0], *shape[axis % len(shape) + 1 :])
    return [draw.array(shape)], {"axis": axis}


@composition(
    "x",
    numpy=getattr(np, "unstack", ()),  # since NumPy 2.1
    cases=_unstack_cases,
    reference=lambda x, axis: list(np.moveaxis(x, axis, 0)),
)
def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """A tuple of the parts of an axis, without that axis: the inverse of `stack`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.unstack(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1)
        (tensor([1., 3.]), tensor([2., 4.]))
    """
    shape = shape_of(x)
    axis = axis_number("unstack", axis, shape)
    return tuple(getitem(x, at_axis(axis, i)) for i in range(shape[axis]))


def _meshgrid_cases(draw: Draw) -> Case:
    arrays = [draw.array(draw.shape(max_dims=1)) for _ in range(draw.integer(1, 3))]
    return [arrays], {"indexing": draw.choice(["xy", "ij"])}


@composition(
    "arrays",
    numpy=np.meshgrid,
    variadic=True,
    cases=_meshgrid_cases,
    reference=lambda arrays, indexing: np.meshgrid(*arrays, indexing=indexing),
)
def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid, one array for each axis, all of the grid's shape.

    Args:
        *arrays: vectors or numbers, the places along each axis.
        indexing: "xy" (default) lets the first vector run along the second axis, as in a plot;
            "ij" lets vector i run along axis i.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, y = tg.meshgrid(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
        >>> print(x.data, y.data)
        [[1. 2.]
         [1. 2.]] [[3. 3.]
         [4. 4.]]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f'meshgrid: indexing must be "xy" or "ij", got {indexing!r}')
    lengths = [math.prod(shape_of(a)) for a in arrays]
    places = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        places[:2] = 1, 0
    shape = tuple(lengths[place] for place in places)  # swapping two axes is its own inverse
    lines = [
        reshape(a, tuple(-1 if axis == place else 1 for axis in range(len(shape))))
        for a, place in zip(arrays, places, strict=True)
    ]
    return [broadcast_to(line, shape) for line in lines]
