"""NumPy's second names for functions that are in the table under a first one."""

from __future__ import annotations

from typing import Any

from ...engine.record import BY_NUMPY
from ...engine.types import np
from ..contractions.products import matmul
from ..elementwise.rounding import floor_divide, remainder
from ..elementwise.rounding import round as round_to
from ..shapes.conversion import alias
from ..shapes.shaping import expand_dims


def _same(x: Any) -> Any:
    """Numbers here are real, and values in a graph do not change: a copy is the same again."""
    return alias(x)


def _divmod(a: Any, b: Any) -> tuple[Any, Any]:
    return floor_divide(a, b), remainder(a, b)


def _matvec(a: Any, b: Any) -> Any:
    return matmul(a, expand_dims(b, -1))[..., 0]


def _vecmat(a: Any, b: Any) -> Any:
    return matmul(expand_dims(a, -2), b)[..., 0, :]


BY_NUMPY[np.around] = round_to
BY_NUMPY[np.linalg.matmul] = matmul
BY_NUMPY[np.divmod] = _divmod
for _function in (np.copy, np.real, np.conjugate, np.real_if_close):
    BY_NUMPY[_function] = _same
if hasattr(np, "matvec"):  # since NumPy 2.2
    BY_NUMPY[np.matvec] = _matvec
    BY_NUMPY[np.vecmat] = _vecmat
