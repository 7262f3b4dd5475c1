"""A gradient in memory of its own, without a copy where that is true already.

A rule like `g * b` makes a new array that nobody else will ever see, and copying it into `.grad`
would take as long as the product did. Whether anybody else holds an array is asked of CPython's
reference counts, and an array whose memory is not its own (a view) never qualifies. Where counts
cannot be had, or are higher for whatever reason (a hook kept it, a debugger looks on), the answer
is a copy: that is never wrong.
"""

from __future__ import annotations

import sys
from typing import Any

from .types import Array, np

_count: Any = getattr(sys, "getrefcount", None)

_WORTH_IT = 2048
"""Entries, below which copying is faster than asking."""


def in_own_memory(array: Any) -> Array:
    """`array`, if its last two callers are all that holds it, else a copy.

    The chain of calls matters to the count: a variable, passed on by one function, arrives here.
    """
    if (
        array.size >= _WORTH_IT
        and _count is not None
        and _count(array) == _UNSHARED
        and type(array) is np.ndarray
        and array.flags.owndata
        and array.flags.writeable
    ):
        taken: Array = array
        return taken
    copied: Array = np.array(array)
    return copied


def _measured_like_it(array: Any) -> int:
    return 0 if _count is None else _count(array)


def _passed_on(array: Any) -> int:
    return _measured_like_it(array)


def _of_a_new_array() -> int:
    array = np.empty(1)
    return _passed_on(array)


_UNSHARED = _of_a_new_array()
"""How many references an array has when nobody else holds it; versions of Python differ."""
