"""Sums over the entries of several arrays at once, for penalties on parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....engine.define import operation
from ....engine.types import np
from ...elementwise.signs import sign
from ...families import Case, Draw


def _cases(draw: Draw) -> Case:
    return [[draw.array(draw.shape(), kinks=(0.0,)) for _ in range(draw.integer(1, 3))]], {}


def _total(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@operation(
    variadic=True,
    cases=_cases,
    reference=lambda arrays: np.sum([np.abs(x).sum() for x in arrays]),
    darrays=lambda g, arrays, i: g * sign(arrays[i]),
)
def absolute_total(arrays: Sequence[Any]) -> Any:
    """The sum of |x| over all entries of all arrays.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.absolute_total([tg.tensor([1.0, -2.0]), tg.tensor(3.0)])
        tensor(6.)
    """
    return _total([np.add.reduce(np.abs(x), axis=None) for x in arrays])


@operation(
    variadic=True,
    cases=_cases,
    reference=lambda arrays: np.sum([(x**2).sum() for x in arrays]),
    darrays=lambda g, arrays, i: g * 2 * arrays[i],
)
def square_total(arrays: Sequence[Any]) -> Any:
    """The sum of x^2 over all entries of all arrays.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.square_total([tg.tensor([1.0, -2.0]), tg.tensor(3.0)])
        tensor(14.)
    """
    return _total([np.add.reduce(np.multiply(x, x), axis=None) for x in arrays])
