"""Derivatives of operations that select: `where` and its relatives.

Each sends the cotangent to the branch that was taken. What it cuts off is not connected, which is
more than having a zero cotangent: see `engine/marks.py`. Rules therefore say `where(mask, g, 0)`;
`g * mask` would turn an infinite tangent into NaN. A NaN is never cut off by comparing it: its
cotangent passes, for a NaN must not end in a gradient of 0 that looks like any other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...engine.define import operation
from ...engine.record import BY_NUMPY, ELEMENTWISE, FUNCTIONS
from ...engine.types import Shape, T, np
from ..families import Case, Draw

__all__ = ["clip", "nan_to_num", "relu"]


def _relu_reference(x: Any) -> Any:
    return np.where(x > 0, x, 0)


@operation(
    ELEMENTWISE,
    scalar=lambda x: x if x > 0 or x != x else 0.0,
    reference=_relu_reference,
    kinks=(0.0,),
    cuts=True,
    dx=lambda g, out: where(out != 0, g, 0),  # 0 is what it made of everything it cut
)
def relu(x: T) -> T:
    """Rectifier max(x, 0); its derivative at 0 is 0, at NaN 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.relu(-1.0), tg.relu(2.0)
        (0.0, 2.0)
    """
    array: Any = x
    if type(array) is np.ndarray and array.size >= _MANY and array.flags.c_contiguous:
        # NumPy compares with a row of zeros two to three times as fast as with the number 0
        rows = array.reshape(-1, _row_length(array.shape))
        array = np.maximum(rows, _zeros(rows.shape[1], array.dtype)).reshape(array.shape)
        return array
    return np.maximum(x, 0)


@lru_cache(maxsize=256)
def _row_length(shape: Shape) -> int:
    """The product of as many of the last lengths as make a long row."""
    length = 1
    for n in reversed(shape):
        length *= n
        if length >= _MANY:
            break
    return length if length <= 1 << 16 else shape[-1]


@lru_cache(maxsize=64)
def _zeros(n: int, dtype: Any) -> Any:
    zeros = np.zeros(n, dtype)
    zeros.flags.writeable = False
    return zeros


def _where_cases(draw: Draw) -> Case:
    shape = draw.shape()
    condition = draw.array(draw.broadcastable(shape)) > 0
    operands = [draw.array(draw.broadcastable(shape)) for _ in range(2)]
    return operands, {"condition": condition}


@operation(
    ELEMENTWISE,
    numpy=np.where,
    scalar=lambda a, b, condition: a if condition else b,
    cases=_where_cases,
    cuts=True,
    da=lambda g, condition: where(condition, g, 0),
    db=lambda g, condition: where(condition, 0, g),
)
def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where `condition` holds, else `b`: the operation behind `tg.where`, and of the rules."""
    condition = getattr(condition, "_data", condition)
    if type(condition) is np.ndarray and condition.size >= _MANY and condition.dtype == bool:
        return _where_many(condition, a, b)
    return np.where(condition, a, b)


_MANY = 1024
_WORDS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}


def _where_many(condition: Any, a: Any, b: Any) -> Any:
    """The same by masks of bits: np.where is several times slower where a condition is irregular.

    A product with the condition would be as fast, but infinity times 0 is NaN.
    """
    if type(b) is int and b == 0 and _has_words(a):
        return _masked(_ones(condition), a)
    if type(a) is int and a == 0 and _has_words(b):
        return _masked(_ones_unless(condition), b)
    if _has_words(a) and _has_words(b) and a.dtype == b.dtype and a.shape == b.shape:
        out = _masked(_ones(condition), a)
        words = out.view(_WORDS[a.dtype])
        words |= _masked(_ones_unless(condition), b).view(words.dtype)
        return out
    return np.where(condition, a, b)


def _has_words(values: Any) -> bool:
    return type(values) is np.ndarray and values.dtype in _WORDS


def _ones(condition: Any) -> Any:
    """Bytes of which all bits are set where the condition holds, else none."""
    return np.negative(condition.view(np.int8))


def _ones_unless(condition: Any) -> Any:
    return np.subtract(condition.view(np.int8), 1)


def _masked(ones: Any, values: Any) -> Any:
    word = _WORDS[values.dtype]
    if values.shape == ones.shape:
        out = np.empty_like(values)
    else:
        out = np.empty(np.broadcast_shapes(values.shape, ones.shape), values.dtype)
    np.bitwise_and(values.view(word), ones, out=out.view(word))
    return out


def occurs(mask: Any) -> bool:
    """Does the mask, a boolean or an array of them, hold anywhere? Rules skip what it rules out."""
    return mask if mask is True or mask is False else bool(np.count_nonzero(mask))


def _clip_float(x: float, min: float | None, max: float | None) -> float:
    if min is not None and x < min:
        x = min
    return max if max is not None and x > max else x


def _clip_cases(draw: Draw) -> Case:
    low, high = draw.choice([(-1.0, 1.0), (None, 1.0), (-1.0, None)])
    return [draw.array(draw.shape(), kinks=(-1.0, 1.0))], {"min": low, "max": high}


def _unclipped(x: Any, out: Any, min: Any, max: Any) -> Any:
    """Where clipping changed nothing; NaN is neither below nor above."""
    if np.size(x) < _MANY or (min is None and max is None):
        return np.logical_not((x < out) | (x > out))
    # a number as bound is read faster than a second array
    low, high = getattr(min, "_data", min), getattr(max, "_data", max)
    if low is None or high is None:
        changed = x < low if high is None else x > high
    else:
        changed = x < low
        changed = np.logical_or(changed, x > high, out=None if np.ndim(high) else changed)
    return np.logical_not(changed, out=changed)


@operation(
    ELEMENTWISE,
    name="clip",
    scalar=_clip_float,
    reference=lambda x, min, max: np.clip(x, min, max),
    cases=_clip_cases,
    cuts=True,
    dx=lambda g, x, out, min, max: where(_unclipped(x, out, min, max), g, 0),
)
def _clip(x: Any, min: Any = None, max: Any = None) -> Any:
    min, max = getattr(min, "_data", min), getattr(max, "_data", max)
    if min is None or max is None or np.size(x) >= _MANY:
        return np.clip(x, min, max)
    return np.minimum(np.maximum(x, min), max)  # np.clip takes twice as long to begin


def clip(x: T, min: Any = None, max: Any = None) -> T:
    """Values limited to [min, max]; at a bound the gradient passes (the interval is closed).

    Args:
        x: values.
        min, max: bounds; None for no bound. Bounds that require a gradient get one: then this is
            `minimum(maximum(x, min), max)`, with half of it to each where values are equal.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.clip(tg.tensor([-2.0, 0.5, 2.0]), -1, 1)
        tensor([-1. ,  0.5,  1. ])
    """
    if getattr(min, "requires_grad", False) or getattr(max, "requires_grad", False):
        raised: Any = x if min is None else FUNCTIONS["maximum"](x, min)
        return raised if max is None else FUNCTIONS["minimum"](raised, max)
    return _clip(x, min, max)


FUNCTIONS["clip"] = BY_NUMPY[np.clip] = clip


def _nan_to_num_float(x: float, nan: Any, posinf: Any, neginf: Any) -> float:
    return float(np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf))


@operation(
    ELEMENTWISE,
    numpy=np.nan_to_num,
    scalar=_nan_to_num_float,
    reference=lambda x, **replacements: np.nan_to_num(x, **replacements),
    cuts=True,
    dx=lambda g, x: where(np.isfinite(x), g, 0),
)
def nan_to_num(x: T, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> T:
    """NaN and infinities replaced by numbers; the gradient of what was replaced is 0.

    Args:
        x: values.
        nan: in place of NaN (default 0).
        posinf, neginf: in place of infinity and -infinity; None for the largest and smallest
            number of the dtype.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.nan_to_num(tg.tensor([1.0, np.nan, np.inf]), posinf=9.0)
        tensor([1., 0., 9.])
    """
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
