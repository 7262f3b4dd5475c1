"""What one entry of a result is, as text: the functions of NumPy that may stand in a loop.

NumPy decides on dtypes for whole arrays, and a Python number beside a float32 array is a float32;
in a loop every number has its own type. So operands are converted to what NumPy would convert them
to, before the operation.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import np

QUICK = {
    np.add: "{0} + {1}",
    np.subtract: "{0} - {1}",
    np.multiply: "{0} * {1}",
    np.divide: "{0} / {1}",
    np.negative: "-{0}",
    np.positive: "{0}",
    np.square: "{0} * {0}",
    np.reciprocal: "1 / {0}",
    np.absolute: "abs({0})",
    np.sqrt: "np.sqrt({0})",
    np.maximum: "{0} if ({0} >= {1}) | ({0} != {0}) else {1}",  # NaN wins, as in NumPy
    np.minimum: "{0} if ({0} <= {1}) | ({0} != {0}) else {1}",
    np.greater: "{0} > {1}",
    np.greater_equal: "{0} >= {1}",
    np.less: "{0} < {1}",
    np.less_equal: "{0} <= {1}",
    np.equal: "{0} == {1}",
    np.not_equal: "{0} != {1}",
    np.bitwise_and: "{0} & {1}",
    np.bitwise_or: "{0} | {1}",
    np.bitwise_xor: "{0} ^ {1}",
    np.logical_and: "{0} & {1}",
    np.logical_or: "{0} | {1}",
    np.logical_not: "not {0}",
}
"""A few instructions each."""

SLOW = {
    np.exp: "np.exp({0})",
    np.log: "np.log({0})",
    np.tanh: "np.tanh({0})",
    np.log1p: "np.log1p({0})",
    np.expm1: "np.expm1({0})",
    np.sin: "np.sin({0})",
    np.cos: "np.cos({0})",
}
"""Those that NumPy computes for several entries at once, faster than a loop: for few entries."""

FEW = 4096

LOGICAL = {np.logical_and, np.logical_or, np.logical_not}
ARITHMETIC = {
    np.add, np.multiply, np.subtract, np.negative, np.maximum, np.minimum, np.square, np.absolute,
}  # fmt: skip
"""What is another operation where the operands are true or false."""


def is_entry_by_entry(function: Any, size: int) -> bool:
    """Does this belong into a loop over so many entries?"""
    if not isinstance(function, np.ufunc):
        return False
    return function in QUICK or (function in SLOW and size <= FEW)


def dtypes_of(function: Any, kinds: list[Any]) -> tuple[Any, ...] | None:
    """What the operands are converted to, and the result; `kinds` are dtypes, or int and float."""
    try:
        found: tuple[Any, ...] = function.resolve_dtypes((*kinds, None))
    except TypeError:
        return None
    if function in LOGICAL and any(d.kind != "b" for d in found):
        return None
    if function in ARITHMETIC and found[-1].kind == "b":
        return None
    return found if all(d.kind in "fiub" and d != np.float16 for d in found) else None


def formula(function: Any, operands: list[str], result: Any) -> str:
    """The operation on operands that have their dtypes already."""
    template = QUICK.get(function) or SLOW[function]
    shown = template.format(*operands)
    return shown if result in NATURAL else f"np.{result.name}({shown})"


NATURAL = {np.dtype(bool), np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)}
"""Dtypes that arithmetic on them stays in; others would become int64."""
