"""Data of users as NumPy arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .errors import DTypeError
from .modes import default_dtype
from .types import Array, Shape, np


@lru_cache(maxsize=64)
def one(shape: Shape, dtype: Any) -> Array:
    """The seed of almost every backward pass, made once and read-only."""
    ones: Array = np.ones(shape, dtype)
    ones.flags.writeable = False
    return ones


def to_array(data: Any, dtype: Any = None, weak: Any = None) -> Array:
    """`data` as an array of numbers; arrays keep their dtype if none is given.

    Lists of Python floats take the dtype `weak`, by default the default dtype.

    Raises `DTypeError` for objects, strings and ragged lists.
    """
    data = getattr(data, "_data", data)
    try:
        array: Array = np.asarray(data)
    except (ValueError, TypeError) as error:
        raise DTypeError(f"tensor: not a rectangular array of numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise DTypeError(
            f"tensor: expected real numbers, got dtype {array.dtype}; strings, objects, dates and "
            f"complex numbers have no derivatives here"
        )
    if dtype is not None:
        return array if array.dtype == dtype else array.astype(dtype)
    if array.dtype.kind == "f" and not isinstance(data, (np.ndarray, np.generic)):
        return array.astype(_dtype_of_list(data, array, weak))
    return array


def _dtype_of_list(data: Any, array: Array, weak: Any) -> Any:
    """Lists of NumPy floats keep their dtype."""
    first = data
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, (np.ndarray, np.generic)):
        return array.dtype
    return default_dtype() if weak is None else weak
