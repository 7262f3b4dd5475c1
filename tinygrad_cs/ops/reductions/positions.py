"""Questions about whole arrays: positions, counts, any and all. Plain NumPy values, no derivatives.

Operands are tensors, scalars, arrays or numbers. `axis` and `keepdims` mean what they do in `sum`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.errors import AxisError, ShapeError
from ...engine.record import BY_NUMPY
from ...engine.types import Array, Axis, np
from ..axes import raw
from ..elementwise import selection

__all__ = ["all", "any", "argmax", "argmin", "count_nonzero", "nonzero", "where"]


def _asked(function: Callable[..., Any], x: Any, axis: Axis, keepdims: bool) -> Any:
    try:
        return function(raw(x), axis=axis, keepdims=keepdims)
    except np.exceptions.AxisError as error:
        raise AxisError(f"{function.__name__}: {error}") from error
    except ValueError as error:
        given = "" if axis is None else f", axis={axis}"
        raise ShapeError(f"{function.__name__}: {error}; shape {raw(x).shape}{given}") from error


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Are all entries over `axis` (default all) different from 0? Of nothing: yes.

    Example:
        >>> import tinygrad_cs as tg
        >>> print(tg.all(tg.tensor([1.0, 0.0])))
        False
    """
    return _asked(np.all, x, axis, keepdims)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Is any entry over `axis` (default all) different from 0? Of nothing: no.

    Example:
        >>> import tinygrad_cs as tg
        >>> print(tg.any(tg.tensor([1.0, 0.0])))
        True
    """
    return _asked(np.any, x, axis, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the first largest entry along `axis` (default: of the flattened array).

    Raises `ShapeError` for the largest of nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.argmax(tg.tensor([[1.0, 3.0], [4.0, 2.0]]), axis=1)
        array([1, 0])
    """
    return _asked(np.argmax, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the first smallest entry along `axis` (default: of the flattened array).

    Raises `ShapeError` for the smallest of nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.argmin(tg.tensor([[1.0, 3.0], [4.0, 2.0]]), axis=1)
        array([0, 1])
    """
    return _asked(np.argmin, x, axis, keepdims)


def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many entries over `axis` (default all) are different from 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> int(tg.count_nonzero(tg.tensor([1.0, 0.0, 2.0])))
        2
    """
    return _asked(np.count_nonzero, x, axis, keepdims)


def nonzero(x: Any) -> tuple[Array, ...]:
    """The positions of the entries different from 0: one array of indices for each axis.

    Raises `ShapeError` for an array without axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nonzero(tg.tensor([1.0, 0.0, 2.0]))
        (array([0, 2]),)
    """
    values = raw(x)
    if not values.ndim:
        raise ShapeError("nonzero: an array without axes has no positions; compare it with 0")
    return np.nonzero(values)


def where(condition: Any, a: Any = None, b: Any = None) -> Any:
    """`a` where `condition` holds, else `b`; the branch not taken is not connected.

    Its gradient is 0 there even if its own derivative is infinite.

    Args:
        condition: booleans, broadcast with a and b; not differentiated. A `condition` alone
            gives the positions where it holds, as `nonzero`.
        a, b: values, broadcast with each other.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([0.0, 4.0], requires_grad=True)
        >>> tg.where(x > 0, tg.sqrt(x), 0).sum().backward()
        >>> x.grad
        array([0.  , 0.25], dtype=float32)
        >>> tg.where(x > 0)
        (array([1]),)
    """
    if a is None and b is None:
        return nonzero(condition)
    return selection.where(condition, a, b)


BY_NUMPY[np.where] = where
