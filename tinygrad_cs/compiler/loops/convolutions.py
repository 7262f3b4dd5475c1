"""Which convolutions are computed in loops: those that are faster so than as NumPy's products.

Products of matrices win where images are small and channels many, and where a kernel row is one
entry or very long; loops, where an image and the results in the making stay in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...ops.sliding.windows import Windows
from ..program import Program, Statement, Var
from .convolution_sizes import Convolution
from .convolution_text import input_text, output_text, weight_text

_LONGEST_ROW = 7
"""Entries of a kernel row: they and the sums they go into are to stay in registers."""

_FEW, _MANY = 64, 1 << 12
"""Windows of an image, and products for one of them."""

_CACHE = 1 << 16
"""Bytes of one channel: four of them, and what they are made of, stay in a core's own cache."""

_SHARED = 1 << 20
"""Products, from which on two threads share them; those take about 50 µs, as waking one does."""


@dataclass(frozen=True)
class Loops:
    """What a convolution is as loops.

    Attributes:
        names, given: what the arrays are called in the text, and which they are.
        lines: the text; START and STOP are the rounds of the loop that threads may share.
        rounds: of that loop.
        shared: do they?
        products: multiplications of all rounds.
    """

    names: tuple[str, ...]
    given: tuple[Var, ...]
    lines: list[str]
    rounds: int
    shared: bool
    products: int


def loops_of(s: Statement, program: Program) -> Loops | None:
    """The loops for a call of one of the convolutions, or None where NumPy keeps it."""
    name, target = s.function.__name__, s.target
    assert target is not None
    *given, axes, groups = s.args if type(s.args[-1]) is int else (*s.args, 1)
    x = target.shape if name == "conv_input" else given[0].shape
    w = target.shape if name == "conv_weight" else given[1].shape
    known = [program.constants.get(a) if isinstance(a, Var) else a for a in axes]
    sizes = _sizes(target, given, (x, w), known, groups)
    if s.kwargs or sizes is None:
        return None
    rounds = sizes.images
    names: tuple[str, ...]
    if name == "conv_input":
        names, lines = ("g", "w", "out"), input_text(sizes)
    elif name == "conv_weight":
        names = ("x", "g", "out")
        lines, rounds = weight_text(sizes)
    else:
        names = ("x", "w", "bias", "out") if len(given) == 3 else ("x", "w", "out")
        lines = output_text(sizes, len(given) == 3)
    shared = rounds > 1 and sizes.products >= _SHARED
    return Loops(names, tuple(given), lines, rounds, shared, sizes.products)


def _sizes(target: Var, given: Any, shapes: Any, axes: Any, groups: int) -> Convolution | None:
    """The lengths, if loops are worth it."""
    if not all(isinstance(a, Windows) for a in axes) or any(v.dtype != target.dtype for v in given):
        return None
    if target.dtype.name not in ("float32", "float64"):
        return None
    (images, channels, *_), (outputs, sources, *_) = shapes
    rows, cols = axes if len(axes) == 2 else (Windows(size=1, kernel=1), *axes)
    if rows.stride != 1 or cols.stride != 1 or not 2 <= cols.kernel <= _LONGEST_ROW:
        return None
    if min(images, channels, outputs, rows.size, cols.size, rows.count, cols.count) < 1:
        return None
    dtype = target.dtype
    sizes = Convolution(images, groups, sources, outputs // groups, rows, cols, dtype.name)
    few = sizes.places < _FEW and sources * sizes.results * sizes.kernel > _MANY
    return None if few or sizes.places * dtype.itemsize > _CACHE else sizes
