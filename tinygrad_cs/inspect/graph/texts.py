"""Numbers, arrays and shapes in a few characters."""

from __future__ import annotations

from typing import Any

from ...engine.types import np

MOST_ENTRIES = 3
"""A vector of so many entries is shown entry by entry."""


def number(value: Any, digits: int = 4) -> str:
    """A number with a few significant digits.

    Example:
        >>> number(2.0), number(-1 / 3), number(1e-9)
        ('2', '-0.3333', '1e-09')
    """
    return f"{float(value):.{digits}g}"


def shape(value: tuple[int, ...]) -> str:
    """A shape as it is said.

    Example:
        >>> shape((64, 10)), shape((3,)), shape(())
        ('64 × 10', '3', 'number')
    """
    return " × ".join(str(n) for n in value) if value else "number"


def values(value: Any) -> str:
    """The entries where they are few, otherwise the range they lie in.

    Example:
        >>> import numpy as np
        >>> values(0.5), values(np.array([1.0, 2.0])), values(np.arange(100.0))
        ('0.5', '[1, 2]', '0 … 99')
    """
    array = np.asarray(value)
    if array.size == 0:
        return "empty"
    if array.dtype.kind not in "fiub":
        return str(array.dtype)
    if array.size == 1:
        return number(array.reshape(()))
    if array.ndim == 1 and array.size <= MOST_ENTRIES:
        return "[" + ", ".join(number(v, 3) for v in array) + "]"
    finite = array[np.isfinite(array)]
    others = array.size - finite.size
    low_high = ""
    if finite.size:
        low, high = finite.min(), finite.max()
        low_high = (
            f"all {number(low, 3)}" if low == high else f"{number(low, 3)} … {number(high, 3)}"
        )
    return ", ".join(part for part in (low_high, f"{others} not finite" if others else "") if part)


def line(value: str) -> str:
    r"""A name on one line, without what a terminal would obey.

    Example:
        >>> line("a\x1b[2J\nb")
        'a [2J b'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def described(value: Any, of_shape: tuple[int, ...]) -> str:
    """Shape and values; what is not known is left out."""
    known = "" if value is None else values(value)
    if not of_shape or (len(of_shape) == 1 and known.startswith("[")):
        return known or shape(of_shape)
    return f"{shape(of_shape)}: {known}" if known else shape(of_shape)
