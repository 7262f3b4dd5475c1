"""NumPy's further names for shaping, joining and choosing: reachable as `np.hstack([t, a])`.

The array API standard does without them, and so does the top level of this library.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, IndexOutOfRange, ShapeError
from ...engine.types import np
from ..axes import axis_number, shape_of
from ..families import Case, Draw, one_array
from ..indices.accumulate import raw_index
from ..indices.taking import take
from ..shapes.joining import concat, pieces, split
from ..shapes.rearranging import flip
from ..shapes.shaping import moveaxis, reshape


@composition("x", numpy=np.ravel, cases=one_array)
def ravel(x: Any) -> Any:
    """The entries in one axis, in row-major order."""
    return reshape(x, (-1,))


def _several(draw: Draw) -> Case:
    return [[draw.array(draw.shape()) for _ in range(draw.integer(1, 2))]], {}


def _one_or_all(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tuple(parts)


def _atleast(x: Any, axes: int) -> Any:
    """With axes of length one as NumPy adds them: in front, for the third axis behind."""
    shape = shape_of(x)
    if len(shape) >= axes:
        return x
    if axes == 3:
        return reshape(x, {0: (1, 1, 1), 1: (1, *shape, 1), 2: (*shape, 1)}[len(shape)])
    return reshape(x, (1,) * (axes - len(shape)) + shape)


@composition("arrays", numpy=np.atleast_1d, variadic=True, cases=_several,
             reference=lambda arrays: np.atleast_1d(*arrays))  # fmt: skip
def atleast_1d(*arrays: Any) -> Any:
    """Each array with at least one axis."""
    return _one_or_all([_atleast(x, 1) for x in arrays])


@composition("arrays", numpy=np.atleast_2d, variadic=True, cases=_several,
             reference=lambda arrays: np.atleast_2d(*arrays))  # fmt: skip
def atleast_2d(*arrays: Any) -> Any:
    """Each array with at least two axes, new ones in front."""
    return _one_or_all([_atleast(x, 2) for x in arrays])


@composition("arrays", numpy=np.atleast_3d, variadic=True, cases=_several,
             reference=lambda arrays: np.atleast_3d(*arrays))  # fmt: skip
def atleast_3d(*arrays: Any) -> Any:
    """Each array with at least three axes; of a matrix the new one is the last."""
    return _one_or_all([_atleast(x, 3) for x in arrays])


def _equal_shapes(draw: Draw) -> Case:
    shape = draw.shape()
    return [[draw.array(shape) for _ in range(draw.integer(1, 3))]], {}


@composition("arrays", numpy=np.hstack, variadic=True, cases=_equal_shapes)
def hstack(arrays: Sequence[Any]) -> Any:
    """Arrays side by side: joined along the second axis, vectors along the first."""
    parts = [_atleast(x, 1) for x in arrays]
    return concat(parts, 0 if parts and len(shape_of(parts[0])) == 1 else 1)


@composition("arrays", numpy=np.vstack, variadic=True, cases=_equal_shapes)
def vstack(arrays: Sequence[Any]) -> Any:
    """Arrays one below the other: joined along the first axis, vectors as rows."""
    return concat([_atleast(x, 2) for x in arrays], 0)


@composition("arrays", numpy=np.dstack, variadic=True, cases=_equal_shapes)
def dstack(arrays: Sequence[Any]) -> Any:
    """Arrays one behind the other: joined along the third axis."""
    return concat([_atleast(x, 3) for x in arrays], 2)


@composition("arrays", numpy=np.column_stack, variadic=True, cases=_equal_shapes)
def column_stack(arrays: Sequence[Any]) -> Any:
    """Vectors as the columns of a matrix; matrices side by side."""
    columns = [x if len(shape_of(x)) > 1 else reshape(x, (-1, 1)) for x in arrays]
    return concat(columns, 1)


def _append_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    return [x, draw.array(x.shape)], {"axis": draw.choice([None, 0, -1])}


@composition("x", "values", numpy=np.append, cases=_append_cases)
def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """`values` behind `x` along `axis`; both flattened by default."""
    return concat([x, values], axis)


@composition("x", numpy=np.fliplr, cases=lambda draw: ([draw.array(draw.shape(min_dims=2))], {}))
def fliplr(x: Any) -> Any:
    """The second axis in the opposite order."""
    return flip(x, 1)


@composition("x", numpy=np.flipud, cases=lambda draw: ([draw.array(draw.shape(min_dims=1))], {}))
def flipud(x: Any) -> Any:
    """The first axis in the opposite order."""
    return flip(x, 0)


def _rollaxis_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    return [x], {"axis": draw.integer(-x.ndim, x.ndim - 1), "start": draw.integer(0, x.ndim)}


@composition("x", numpy=np.rollaxis, cases=_rollaxis_cases)
def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """One axis moved to before the axis `start`."""
    shape = shape_of(x)
    axis = axis_number("rollaxis", axis, shape)
    place = start if start == len(shape) else axis_number("rollaxis", start, shape)
    return moveaxis(x, axis, place - 1 if axis < place else place)


def _array_split_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    cuts = draw.choice([1, 2, 4, [1], (0, 2)])
    return [x], {"indices_or_sections": cuts, "axis": draw.integer(-x.ndim, x.ndim - 1)}


@composition("x", numpy=np.array_split, cases=_array_split_cases)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`split` where sections may differ: the first ones are one entry longer."""
    if np.ndim(indices_or_sections):
        return split(x, indices_or_sections, axis)
    shape = shape_of(x)
    axis = axis_number("array_split", axis, shape)
    sections = operator.index(indices_or_sections)
    if sections < 1:
        raise ArgumentError(f"array_split: at least one section is needed, got {sections}")
    size, longer = divmod(shape[axis], sections)
    return pieces(x, [i * size + min(i, longer) for i in range(sections + 1)], axis)


def _split_cases(min_dims: int) -> Any:
    def cases(draw: Draw) -> Case:
        return [draw.array(draw.shape(min_dims))], {"indices_or_sections": draw.choice([1, [1]])}

    return cases


@composition("x", numpy=np.vsplit, cases=_split_cases(2))
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Parts of the first axis of a matrix."""
    return split(_with_axes("vsplit", x, 2), indices_or_sections, 0)


@composition("x", numpy=np.hsplit, cases=_split_cases(1))
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Parts of the second axis, of a vector those of the first."""
    axis = 1 if len(shape_of(x)) > 1 else 0
    return split(_with_axes("hsplit", x, 1), indices_or_sections, axis)


@composition("x", numpy=np.dsplit, cases=_split_cases(3))
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Parts of the third axis."""
    return split(_with_axes("dsplit", x, 3), indices_or_sections, 2)


def _with_axes(name: str, x: Any, axes: int) -> Any:
    if len(shape_of(x)) < axes:
        raise ShapeError(f"{name}: at least {axes} axes are needed, got shape {shape_of(x)}")
    return x


def _delete_cases(draw: Draw) -> Case:
    x = draw.array((3, *draw.shape(max_dims=2)))
    axis = draw.choice([None, 0])
    return [x], {"obj": draw.choice([0, -1, [0, 2], slice(0, 2)]), "axis": axis}


@composition("x", numpy=np.delete, cases=_delete_cases)
def delete(x: Any, obj: Any, axis: int | None = None) -> Any:
    """Without the entries `obj` of an axis; of the flattened array by default."""
    shape = shape_of(x)
    length = math.prod(shape) if axis is None else shape[axis_number("delete", axis, shape)]
    try:
        kept = np.delete(np.arange(length), raw_index(obj))
    except IndexError as error:
        raise IndexOutOfRange(f"delete: {error}; x has shape {shape}") from error
    return take(x, kept, axis)
