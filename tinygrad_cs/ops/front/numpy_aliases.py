"""NumPy's second names for functions that are in the table under a first one."""

from __future__ import annotations

from typing import Any

from ...engine.record import BY_NUMPY
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from ..axes import raw
from ..contractions.products import matmul
from ..elementwise.rounding import floor_divide, remainder
from ..elementwise.rounding import round as round_to
from ..shapes.conversion import alias, astype
from ..shapes.shaping import broadcast_to, expand_dims


def _same(x: Any) -> Any:
    """Numbers here are real, and values in a graph do not change: a copy is the same again."""
    return alias(x)


def _divmod(a: Any, b: Any) -> tuple[Any, Any]:
    return floor_divide(a, b), remainder(a, b)


def _full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """A plain array as `np.zeros_like` gives; of a node as the value, its copies."""
    like = np.empty_like(raw(x), dtype, shape=shape)
    if isinstance(fill_value, (Tensor, Scalar)):
        return astype(broadcast_to(fill_value, like.shape), like.dtype)
    like[...] = fill_value
    return like


def _matvec(a: Any, b: Any) -> Any:
    return matmul(a, expand_dims(b, -1))[..., 0]


def _vecmat(a: Any, b: Any) -> Any:
    return matmul(expand_dims(a, -2), b)[..., 0, :]


BY_NUMPY[np.around] = round_to
BY_NUMPY[np.linalg.matmul] = matmul
BY_NUMPY[np.divmod] = _divmod
BY_NUMPY[np.full_like] = _full_like
for _function in (np.copy, np.real, np.conjugate, np.real_if_close):
    BY_NUMPY[_function] = _same
if hasattr(np, "matvec"):  # since NumPy 2.2
    BY_NUMPY[np.matvec] = _matvec
    BY_NUMPY[np.vecmat] = _vecmat
