"""Errors of linear algebra: which matrix of a stack, what it lacks, what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.arrays import to_array
from ...engine.errors import DTypeError, LinearAlgebraError
from ...engine.types import Array, Shape, np


def matrices(name: str, x: Any, square: bool = False) -> Array:
    """The values of `x`, which must have matrices in its last two axes.

    Raises `LinearAlgebraError` for fewer axes, or where they should be square and are not.
    """
    values = to_array(x)
    if values.ndim < 2:
        raise LinearAlgebraError(
            f"{name}: expected a matrix, or a stack of them in the last two axes; "
            f"got shape {values.shape}"
        )
    if square and values.shape[-1] != values.shape[-2]:
        raise LinearAlgebraError(
            f"{name}: expected square matrices in the last two axes; got shape {values.shape}"
        )
    return values


def attempt(name: str, function: Callable[[Any], Any], x: Any, lacks: str, remedy: str) -> Any:
    """`function(x)`, a function of NumPy, with its failure explained.

    Args:
        name: the operation that the user called.
        function: of one array, a stack of matrices.
        x: the array.
        lacks: what a matrix for which it fails is not.
        remedy: what to do instead.
    """
    try:
        return function(x)
    except np.linalg.LinAlgError as error:
        which, matrix = _first_failure(function, x)
        if not np.isfinite(matrix).all():
            lacks = "has entries that are NaN or infinite"
            remedy = "inside tg.debug() the operation that made them is named"
        raise LinearAlgebraError(f"{name}: {which} {lacks}; {remedy}") from error
    except TypeError as error:  # half precision
        raise DTypeError(f"{name}: {error}; write x.astype('float32')") from error


def _first_failure(function: Callable[[Any], Any], x: Any) -> tuple[str, Any]:
    for index in np.ndindex(x.shape[:-2]):
        try:
            function(x[index])
        except np.linalg.LinAlgError:
            return _which(index, x.shape), x[index]
    return f"a matrix of the array of shape {x.shape}", x


def _which(index: tuple[int, ...], shape: Shape) -> str:
    if not index:
        return f"the matrix of shape {shape}"
    return f"matrix [{', '.join(map(str, index))}] of the stack of shape {shape}"


def symmetric_part(name: str, x: Any) -> Array:
    """(x + x^T) / 2, of matrices that are symmetric but for rounding.

    Raises `LinearAlgebraError` for one that is not: half of such a matrix would go unread.
    """
    values = matrices(name, x, square=True)
    difference = np.abs(values - values.mT).max(initial=0, axis=(-2, -1))
    too_much = difference > 1e-3 * np.abs(values).max(initial=0, axis=(-2, -1))
    if too_much.any():
        index = tuple(int(i) for i in np.argwhere(too_much)[0])
        raise LinearAlgebraError(
            f"{name}: {_which(index, values.shape)} is not symmetric: an entry and its mirror "
            f"image differ by {float(difference[index]):g}; write (x + x.mT) / 2"
        )
    part: Array = (values + values.mT) / 2
    return part
