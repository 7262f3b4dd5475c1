"""Broadcasting is undone here and nowhere else: a cotangent takes its operand's shape and dtype.

The transpose of copying a value along an axis is summing over that axis. Written with methods
that arrays and tensors share, so a recorded backward pass records the sum.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .errors import RuleError
from .record import FUNCTIONS
from .types import Shape, np


def fit(cotangent: Any, parent: Any, operation: str, operand: str) -> Any:
    """The cotangent with the shape and dtype of `parent`, summed over the axes broadcast there.

    Raises `RuleError`, naming operation and operand, where no broadcast explains the shape.
    """
    shape = parent.shape
    # (a traced array only says that it is one)
    if cotangent.__class__ is np.ndarray and cotangent.shape[1:] == shape:
        # the commonest case, a bias: copied along one new axis in front
        cotangent = _total(cotangent, 0)
    if not hasattr(cotangent, "shape"):
        cotangent = _as_array(cotangent, parent, operation, operand)
    if cotangent.shape != shape:
        axes = broadcast_axes(shape, cotangent.shape)
        if axes is None:
            raise RuleError(
                f"the rule d{operand} of {operation} returned shape {cotangent.shape} for an "
                f"operand of shape {shape}: a rule returns the operand's shape, or the output's "
                f"shape where the operand was broadcast"
            )
        cotangent = (
            _total(cotangent, axes)
            if cotangent.__class__ is np.ndarray
            else cotangent.sum(axis=axes)
        )
        if cotangent.shape != shape:
            cotangent = cotangent.reshape(shape)
    dtype = parent.dtype
    if dtype is float:
        if isinstance(cotangent, (np.ndarray, np.generic)):
            return float(cotangent)
        return FUNCTIONS["to_scalar"](cotangent)
    if cotangent.dtype != dtype:
        cotangent = cotangent.astype(dtype)
    return cotangent


def _total(cotangent: Any, axes: Any) -> Any:
    if axes == 0 and cotangent.ndim == 2 and 0 < len(cotangent) <= _MANY:
        kind = cotangent.dtype
        if kind == np.float32 or kind == np.float64:
            # a bias: as a product with ones it is added up several times as fast
            return np.dot(_ones(len(cotangent), kind), cotangent)
    if cotangent.dtype.itemsize > 2:
        return np.add.reduce(cotangent, axes)
    # float16 cannot count beyond 2048
    return np.add.reduce(cotangent, axes, np.float32).astype(cotangent.dtype)


_MANY = 1 << 16


@cache
def _ones(n: int, dtype: Any) -> Any:
    ones = np.ones(n, dtype)
    ones.flags.writeable = False
    return ones


def broadcast_axes(small: Shape, large: Shape) -> tuple[int, ...] | None:
    """The axes of `large` along which an array of shape `small` is copied; None if it is not."""
    extra = len(large) - len(small)
    if extra < 0:
        return None
    axes = list(range(extra))
    for axis, (s, n) in enumerate(zip(small, large[extra:], strict=True), extra):
        if s != n:
            if s != 1:
                return None
            axes.append(axis)
    return tuple(axes)


def _as_array(cotangent: Any, parent: Any, operation: str, operand: str) -> Any:
    """Accept Python numbers from a rule, and the cotangent nodes of scalars; refuse the rest."""
    if isinstance(cotangent, (int, float)):
        return np.asarray(cotangent, dtype=None if parent.dtype is float else parent.dtype)
    raise RuleError(
        f"the rule d{operand} of {operation} returned {type(cotangent).__name__}; "
        f"a rule returns a number, an array or a node"
    )
