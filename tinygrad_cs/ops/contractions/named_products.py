"""Products with names of their own: each is one einsum, or a sum of elementwise products."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, AxisError, ShapeError
from ...engine.types import np
from ..axes import axis_number, axis_numbers, broadcast_shape, shape_of
from ..elementwise.arithmetic import multiply
from ..families import Case, Draw
from ..indices.indexing import getitem
from ..reductions.reductions import sum
from ..shapes.diagonals import diagonal
from ..shapes.joining import stack
from ..shapes.shaping import permute_dims, reshape
from .contraction import einsum
from .products import matmul
from .subscripts import LETTERS

__all__ = ["outer", "tensordot", "trace", "vecdot"]


def _axis_last(name: str, x: Any, axis: int) -> Any:
    shape = shape_of(x)
    last = axis_number(name, axis, shape)
    if last == len(shape) - 1:
        return x
    return permute_dims(x, [*(i for i in range(len(shape)) if i != last), last])


def _vecdot_cases(draw: Draw) -> Case:
    shape = draw.shape(min_dims=1)
    axis = draw.choice([-1, -1, -len(shape), 0])
    other = list(shape) if axis == 0 else list(draw.broadcastable(shape))
    if len(other) < -axis:
        other = list(shape)
    other[axis] = shape[axis]
    return [draw.array(shape), draw.array(tuple(other))], {"axis": axis}


@composition("a", "b", numpy=(np.vecdot, np.linalg.vecdot), cases=_vecdot_cases)
def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """Dot products of vectors along `axis` (default last), the other axes broadcast.

    Raises `ShapeError` where the vectors differ in length.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.vecdot(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 10.0]))
        tensor([21., 43.])
    """
    m, n = shape_of(a), shape_of(b)
    if not m or not n:
        raise ShapeError(f"vecdot: a number is no vector; got shapes {m} and {n}; use *")
    a, b = _axis_last("vecdot", a, axis), _axis_last("vecdot", b, axis)
    if shape_of(a)[-1] != shape_of(b)[-1]:
        raise ShapeError(f"vecdot: axis {axis} must have the same length; got shapes {m} and {n}")
    m, n = shape_of(a)[:-1], shape_of(b)[:-1]
    if m != n:
        broadcast_shape("vecdot, the axes of vectors left out", m, n)
    return einsum("...i,...i->...", a, b)


def _tensordot_cases(draw: Draw) -> Case:
    shared = draw.shape(max_dims=2)
    n = len(shared)
    rows, columns = draw.shape(max_dims=1), draw.shape(max_dims=2)
    a, b = (*rows, *shared), (*shared, *columns)
    axes = draw.choice([n, (tuple(range(len(rows), len(a))), tuple(range(n)))])
    if n == 2 and draw.flag():
        a, axes = (shared[1], *rows, shared[0]), ((-1, 0), (0, 1))
    return [draw.array(a), draw.array(b)], {"axes": axes}


def _pair(axes: Any, dims: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The summed axes of both operands, as NumPy writes them: a number, or two lists."""
    if isinstance(axes, (int, np.integer)):
        return tuple(range(dims - axes, dims)), tuple(range(axes))
    try:
        left, right = (
            (operator.index(x),) if np.ndim(x) == 0 else tuple(operator.index(i) for i in x)
            for x in axes
        )
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"tensordot: axes is a number of axes, or a list of axes for each operand; got {axes!r}"
        ) from error
    return left, right


@composition("a", "b", numpy=(np.tensordot, np.linalg.tensordot), cases=_tensordot_cases)
def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Any:
    """Sum of products over several axes of `a` and `b`, whose other axes follow each other.

    Args:
        a, b: arrays.
        axes: a number n (default 2) for the last n axes of `a` with the first n of `b`, or the
            axes of `a` and those of `b`, in the same order.

    Raises `AxisError` for axes that do not exist or are named twice, `ShapeError` for those that
    differ in length.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, b = tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]])
        >>> tg.tensordot(a, b, axes=1)
        tensor([[11.]])
    """
    m, n = shape_of(a), shape_of(b)
    if isinstance(axes, (int, np.integer)) and not 0 <= axes <= min(len(m), len(n)):
        raise AxisError(f"tensordot: the shapes {m} and {n} do not have {axes} axes to sum over")
    left, right = _pair(axes, len(m))
    left, right = axis_numbers("tensordot", left, m), axis_numbers("tensordot", right, n)
    if [m[i] for i in left] != [n[j] for j in right]:
        raise ShapeError(f"tensordot: axes {axes!r} do not pair axes of the shapes {m} and {n}")
    rows, columns = list(LETTERS[: len(m)]), list(LETTERS[len(m) : len(m) + len(n)])
    for i, j in zip(left, right, strict=True):
        columns[j] = rows[i]
    kept = [c for c in rows if c not in columns] + [c for c in columns if c not in rows]
    return einsum(f"{''.join(rows)},{''.join(columns)}->{''.join(kept)}", a, b)


def _two_arrays(draw: Draw) -> Case:
    return [draw.array(draw.shape(max_dims=2)), draw.array(draw.shape(max_dims=2))], {}


def _flat(x: Any) -> Any:
    return x if len(shape_of(x)) == 1 else reshape(x, (-1,))


@composition("a", "b", numpy=np.outer, cases=_two_arrays)
def outer(a: Any, b: Any) -> Any:
    """All products a_i b_j, of shape (n, m); operands that are not vectors are flattened.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])
    """
    return einsum("i,j->ij", _flat(a), _flat(b))


def _trace_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=2))
    axis1, axis2 = draw.choice([(0, 1), (-1, 0), (-2, -1)])
    return [x], {"offset": draw.integer(-2, 2), "axis1": axis1, "axis2": axis2}


@composition("x", numpy=np.trace, cases=_trace_cases)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum along the diagonal that `axis1` and `axis2` (default the first two) span.

    Args:
        x: with two axes or more.
        offset: 0 for the main diagonal, 1 for the one above, and so on.
        axis1, axis2: the axes of the matrices; `tg.linalg.trace` takes the last two.

    Raises `ShapeError` for fewer axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(5.)
    """
    if len(shape_of(x)) < 2:
        raise ShapeError(f"trace: two axes at least are needed; got shape {shape_of(x)}")
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


def _dot_cases(draw: Draw) -> Case:
    (n,) = draw.shape(min_dims=1, max_dims=1)
    a, b = draw.shape(max_dims=1), draw.shape(max_dims=1)
    shapes = [((), (n,)), ((n,), (n,)), ((*a, n), (n,)), ((*a, n), (n, *b)), ((n,), (2, n, 2))]
    left, right = draw.choice(shapes)
    return [draw.array(left), draw.array(right)], {}


@composition("a", "b", numpy=np.dot, cases=_dot_cases)
def dot(a: Any, b: Any) -> Any:
    """NumPy's `dot`: the last axis of `a` with the last but one (or only one) of `b`."""
    m, n = len(shape_of(a)), len(shape_of(b))
    if not m or not n:
        return multiply(a, b)
    return tensordot(a, b, axes=((-1,), (-2 if n > 1 else -1,)))


def _inner_cases(draw: Draw) -> Case:
    last = draw.choice([(), draw.shape(min_dims=1, max_dims=1)])
    a, b = (draw.shape(max_dims=1) if last else () for _ in range(2))
    return [draw.array((*a, *last)), draw.array((*b, *last))], {}


@composition("a", "b", numpy=np.inner, cases=_inner_cases)
def inner(a: Any, b: Any) -> Any:
    """NumPy's `inner`: the last axis of `a` with the last of `b`."""
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    return tensordot(a, b, axes=((-1,), (-1,)))


def _vdot_cases(draw: Draw) -> Case:
    shape = draw.shape()
    return [draw.array(shape), draw.array(shape[::-1])], {}


@composition("a", "b", numpy=np.vdot, cases=_vdot_cases)
def vdot(a: Any, b: Any) -> Any:
    """NumPy's `vdot`: the dot product of both operands flattened."""
    return matmul(_flat(a), _flat(b))


@composition("a", "b", numpy=np.kron, cases=_two_arrays)
def kron(a: Any, b: Any) -> Any:
    """NumPy's `kron`, the Kronecker product: blocks of `b`, scaled by the entries of `a`."""
    m, n = shape_of(a), shape_of(b)
    dims = max(len(m), len(n))
    m, n = ((1,) * (dims - len(s)) + s for s in (m, n))
    rows, columns = LETTERS[:dims], LETTERS[dims : 2 * dims]
    pairs = "".join(i + j for i, j in zip(rows, columns, strict=True))
    product = einsum(f"{rows},{columns}->{pairs}", reshape(a, m), reshape(b, n))
    return reshape(product, tuple(i * j for i, j in zip(m, n, strict=True)))


def _cross_cases(draw: Draw) -> Case:
    shape = draw.shape(max_dims=2)
    a, b = (*shape, 3), (*draw.broadcastable(shape), 3)
    axes = {"axisa": -1, "axisb": -1, "axisc": draw.choice([-1, 0])}
    return [draw.array(a), draw.array(b)], draw.choice([axes, {}])


@composition("a", "b", numpy=np.cross, cases=_cross_cases)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """NumPy's `cross`: the vector product of vectors with three entries."""
    if axis is not None:
        axisa = axisb = axisc = axis
    m, n = shape_of(a), shape_of(b)
    a, b = _axis_last("cross", a, axisa), _axis_last("cross", b, axisb)
    if shape_of(a)[-1] != 3 or shape_of(b)[-1] != 3:
        raise ShapeError(f"cross: vectors have three entries here; got shapes {m} and {n}")
    broadcast_shape("cross", shape_of(a), shape_of(b))
    x, y, z = (getitem(a, (..., i)) for i in range(3))
    u, v, w = (getitem(b, (..., i)) for i in range(3))
    product = (y * w - z * v, z * u - x * w, x * v - y * u)
    return stack(product, axisc)
