"""NumPy's further ways to choose entries: `np.select`, `np.choose`, `np.compress`, `np.extract`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.define import composition
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
from ..axes import raw
from ..elementwise.selection import where
from ..families import Case, Draw
from ..indices.taking import take
from ..shapes.shaping import reshape


def _select_cases(draw: Draw) -> Case:
    shape = draw.shape()
    several = range(draw.integer(1, 3))
    conditions = [draw.rng.random(draw.broadcastable(shape)) > 0.5 for _ in several]
    choices = [draw.array(shape) for _ in several]
    return [choices], {"condlist": conditions, "default": draw.choice([0, 1.5])}


@composition(
    "choicelist",
    numpy=np.select,
    variadic=True,
    cases=_select_cases,
    reference=lambda choicelist, condlist, default: np.select(condlist, choicelist, default),
)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each position the choice whose condition is the first to hold, else `default`."""
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ArgumentError(
            f"select: as many choices as conditions are needed, and at least one; got "
            f"{len(choicelist)} and {len(condlist)}"
        )
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = where(condition, choice, out)
    return out


def _choose_cases(draw: Draw) -> Case:
    shape = draw.shape()
    choices = [draw.array(draw.broadcastable(shape)) for _ in range(draw.integer(1, 3))]
    return [choices], {"a": draw.rng.integers(0, len(choices), shape)}


@composition(
    "choices",
    numpy=np.choose,
    variadic=True,
    cases=_choose_cases,
    reference=lambda choices, a: np.choose(a, choices),
)
def choose(a: Any, choices: Sequence[Any]) -> Any:
    """For each position the entry of the array whose number stands in `a`."""
    numbers = raw(a)
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < len(choices)):
        raise ArgumentError(f"choose: numbers of choices are 0 to {len(choices) - 1}")
    out: Any = where(numbers == 0, choices[0], 0)
    for number, choice in enumerate(choices[1:], 1):
        out = where(numbers == number, choice, out)
    return out


def _compress_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(min_dims=1))
    axis = draw.choice([None, draw.integer(-x.ndim, x.ndim - 1)])
    length = x.size if axis is None else x.shape[axis]
    return [x], {"condition": draw.rng.random(length) > 0.5, "axis": axis}


@composition("x", numpy=np.compress, cases=_compress_cases)
def compress(condition: Any, x: Any, axis: int | None = None) -> Any:
    """The entries of an axis, or of the flattened array, at which a vector of conditions holds."""
    chosen = raw(condition)
    if chosen.ndim != 1:
        raise ShapeError(f"compress: the condition is a vector, got shape {chosen.shape}")
    return take(x, np.flatnonzero(chosen), axis)


def _extract_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    return [x], {"condition": draw.rng.random(x.shape) > 0.5}


@composition("x", numpy=np.extract, cases=_extract_cases)
def extract(condition: Any, x: Any) -> Any:
    """The entries of x at which a condition of the same size holds, as a vector."""
    return take(reshape(x, (-1,)), np.flatnonzero(raw(condition)))
