"""Types and the one NumPy alias that every floor shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy

np: Any = numpy
"""NumPy, untyped: operations and rules are written once for floats, arrays and nodes."""

T = TypeVar("T")
Array: TypeAlias = numpy.ndarray[Any, Any]
Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | Sequence[int] | None
Rule: TypeAlias = Callable[..., Any]
