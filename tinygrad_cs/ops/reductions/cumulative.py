"""Running sums and products as the Array API and as NumPy call them."""

from __future__ import annotations

from typing import Any

from ...engine.define import composition
from ...engine.errors import AxisError
from ...engine.types import np
from ..axes import axis_number, shape_of
from ..families import Case, Draw, along_axis
from ..shapes.joining import concat
from ..shapes.shaping import reshape
from .scans import running_product, running_sum

__all__ = ["cumulative_prod", "cumulative_sum"]


def _axis_of(name: str, x: Any, axis: int | None) -> int:
    shape = shape_of(x)
    if axis is not None:
        return axis_number(name, axis, shape)
    if len(shape) != 1:
        raise AxisError(f"{name}: say which axis= of an array of shape {shape}")
    return 0


def _after(out: Any, initial: float, axis: int) -> Any:
    """The result of nothing in front of all others."""
    shape = out.shape
    first = np.full((*shape[:axis], 1, *shape[axis + 1 :]), initial, out.dtype)
    return concat([first, out], axis)


def _cases(draw: Draw) -> Case:
    (x,), params = along_axis(draw)
    return [x], params | {"include_initial": draw.flag()}


@composition(
    "x",
    numpy=getattr(np, "cumulative_sum", ()),  # since NumPy 2.1
    cases=_cases,
    reference=lambda x, axis, include_initial: (
        _after(np.cumsum(x, axis), 0, axis % x.ndim) if include_initial else np.cumsum(x, axis)
    ),
)
def cumulative_sum(x: Any, axis: int | None = None, include_initial: bool = False) -> Any:
    """The sum of each entry and all before it along `axis`.

    Args:
        x: values.
        axis: may be left out if x has one axis; raises `AxisError` if it has several.
        include_initial: begin with the sum of nothing, 0: the axis gets one entry longer.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.cumulative_sum(tg.tensor([1.0, 2.0, 4.0]), include_initial=True)
        tensor([0., 1., 3., 7.])
    """
    axis = _axis_of("cumulative_sum", x, axis)
    out = running_sum(x, axis)
    return _after(out, 0, axis) if include_initial else out


@composition(
    "x",
    numpy=getattr(np, "cumulative_prod", ()),  # since NumPy 2.1
    cases=_cases,
    reference=lambda x, axis, include_initial: (
        _after(np.cumprod(x, axis), 1, axis % x.ndim) if include_initial else np.cumprod(x, axis)
    ),
)
def cumulative_prod(x: Any, axis: int | None = None, include_initial: bool = False) -> Any:
    """The product of each entry and all before it along `axis`; exact where factors are zero.

    Args:
        x: values.
        axis: may be left out if x has one axis; raises `AxisError` if it has several.
        include_initial: begin with the product of nothing, 1: the axis gets one entry longer.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([2.0, 0.0, 4.0], requires_grad=True)
        >>> tg.cumulative_prod(x).sum().backward()
        >>> x.grad
        array([ 1., 10.,  0.], dtype=float32)
    """
    axis = _axis_of("cumulative_prod", x, axis)
    out = running_product(x, axis)
    return _after(out, 1, axis) if include_initial else out


def _flat_cases(draw: Draw) -> Case:
    (x,), params = along_axis(draw)
    return [x], {"axis": draw.choice([None, params["axis"]])}


@composition("x", numpy=np.cumsum, cases=_flat_cases)
def cumsum(x: Any, axis: int | None = None) -> Any:
    """`cumulative_sum` as NumPy has it: without an axis, of the flattened array."""
    return running_sum(reshape(x, (-1,)), 0) if axis is None else cumulative_sum(x, axis)


@composition("x", numpy=np.cumprod, cases=_flat_cases)
def cumprod(x: Any, axis: int | None = None) -> Any:
    """`cumulative_prod` as NumPy has it: without an axis, of the flattened array."""
    return running_product(reshape(x, (-1,)), 0) if axis is None else cumulative_prod(x, axis)
