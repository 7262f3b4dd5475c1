"""One row: an operation in this library, in PyTorch, and as one writes it in NumPy by hand.

    @row(lambda lib, x: lib.tanh(x))
    def tanh(x):
        y = np.tanh(x)
        return y, lambda g: g * (1 - y * y)

The decorated function is the NumPy form: the value, and what turns
the cotangent of the value into the gradients of the operands. Where the libraries spell it
differently, `torch=` gives PyTorch's call. Floating operands are leaves; an array of integers or
booleans is an index, a mask, a target.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = list[np.ndarray]
Draw = Callable[[np.random.Generator, int], Arrays]

ROWS: dict[str, Row] = {}


@dataclass(frozen=True)
class Row:
    """The three forms of one operation, and how its operands are drawn for a number of entries."""

    by_hand: Callable[..., tuple[Any, Callable[[Any], Any]]]
    ours: Callable[..., Any]
    torch: Callable[..., Any]
    draw: Draw

    def operands(self, size: int) -> Arrays:
        return self.draw(np.random.default_rng(size), size)

    def cotangent(self, operands: Arrays) -> np.ndarray:
        """Random numbers in the shape of the value, which every peer pulls back."""
        value, _ = self.by_hand(*operands)
        return normal(np.random.default_rng(0), np.shape(value))


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.standard_normal(shape), np.float32)


def sides(size: int) -> tuple[int, int]:
    """The matrix nearest to a square with `size` entries, the shorter side first."""
    rows = next(n for n in range(math.isqrt(size), 0, -1) if size % n == 0)
    return rows, size // rows


def vectors(count: int, low: float | None = None, high: float = 2.0) -> Draw:
    """So many vectors: normal, or uniform between `low` and `high` where a domain asks for it."""

    def draw(rng: np.random.Generator, size: int) -> Arrays:
        if low is None:
            return [normal(rng, (size,)) for _ in range(count)]
        return [rng.uniform(low, high, size).astype(np.float32) for _ in range(count)]

    return draw


def matrix(rng: np.random.Generator, size: int) -> Arrays:
    return [normal(rng, sides(size))]


def vector(rng: np.random.Generator, size: int) -> Arrays:
    return [normal(rng, (size,))]


def row(ours: Callable[..., Any], torch: Any = None, draw: Draw = vector) -> Any:
    """Make a row of a NumPy form; `ours` is PyTorch's call as well, unless `torch` is given."""

    def register(by_hand: Callable[..., Any]) -> Callable[..., Any]:
        ROWS[by_hand.__name__] = Row(by_hand, ours, torch or ours, draw)
        return by_hand

    return register
