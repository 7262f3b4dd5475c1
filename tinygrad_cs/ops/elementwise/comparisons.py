"""Questions about values, entry by entry: the answers are plain NumPy booleans, no derivatives.

Operands are tensors, scalars, arrays or numbers, broadcast against each other; the result is an
array of booleans, or one NumPy boolean if no operand has an axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.errors import ShapeError
from ...engine.types import np
from ..axes import raw

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "signbit",
]


def _compared(ufunc: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    try:
        return ufunc(getattr(a, "_data", a), getattr(b, "_data", b))
    except ValueError as error:
        raise ShapeError(
            f"{ufunc.__name__}: cannot compare shapes {raw(a).shape} and {raw(b).shape}"
        ) from error


def equal(a: Any, b: Any) -> Any:
    """Is a = b, entry by entry? NaN equals nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.equal(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 3.0]))
        array([ True, False])
    """
    return _compared(np.equal, a, b)


def not_equal(a: Any, b: Any) -> Any:
    """Is a different from b, entry by entry? NaN differs from everything.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.not_equal(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 3.0]))
        array([False,  True])
    """
    return _compared(np.not_equal, a, b)


def less(a: Any, b: Any) -> Any:
    """Is a < b, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.less(tg.tensor([1.0, 2.0]), 2.0)
        array([ True, False])
    """
    return _compared(np.less, a, b)


def less_equal(a: Any, b: Any) -> Any:
    """Is a <= b, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.less_equal(tg.tensor([1.0, 2.0]), 2.0)
        array([ True,  True])
    """
    return _compared(np.less_equal, a, b)


def greater(a: Any, b: Any) -> Any:
    """Is a > b, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.greater(tg.tensor([1.0, 2.0]), 1.0)
        array([False,  True])
    """
    return _compared(np.greater, a, b)


def greater_equal(a: Any, b: Any) -> Any:
    """Is a >= b, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.greater_equal(tg.tensor([1.0, 2.0]), 1.0)
        array([ True,  True])
    """
    return _compared(np.greater_equal, a, b)


def logical_and(a: Any, b: Any) -> Any:
    """Are both a and b different from 0, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logical_and(tg.tensor([1.0, 0.0]), 1.0)
        array([ True, False])
    """
    return _compared(np.logical_and, a, b)


def logical_or(a: Any, b: Any) -> Any:
    """Is a or b different from 0, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logical_or(tg.tensor([1.0, 0.0]), 0.0)
        array([ True, False])
    """
    return _compared(np.logical_or, a, b)


def logical_xor(a: Any, b: Any) -> Any:
    """Is exactly one of a and b different from 0, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logical_xor(tg.tensor([1.0, 0.0]), 1.0)
        array([False,  True])
    """
    return _compared(np.logical_xor, a, b)


def logical_not(x: Any) -> Any:
    """Is x 0, entry by entry?

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.logical_not(tg.tensor([1.0, 0.0]))
        array([False,  True])
    """
    return np.logical_not(getattr(x, "_data", x))


def isnan(x: Any) -> Any:
    """Is x not a number, entry by entry?

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.isnan(tg.tensor([1.0, np.nan]))
        array([False,  True])
    """
    return np.isnan(getattr(x, "_data", x))


def isinf(x: Any) -> Any:
    """Is x infinite, entry by entry?

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.isinf(tg.tensor([1.0, -np.inf]))
        array([False,  True])
    """
    return np.isinf(getattr(x, "_data", x))


def isfinite(x: Any) -> Any:
    """Is x neither infinite nor NaN, entry by entry?

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.isfinite(tg.tensor([1.0, np.inf]))
        array([ True, False])
    """
    return np.isfinite(getattr(x, "_data", x))


def signbit(x: Any) -> Any:
    """Is the sign of x negative, entry by entry? That of -0.0 is.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.signbit(tg.tensor([1.0, -0.0]))
        array([False,  True])
    """
    return np.signbit(getattr(x, "_data", x))
