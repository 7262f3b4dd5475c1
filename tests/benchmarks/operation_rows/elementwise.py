"""Arithmetic, elementary functions and operations that select, one entry at a time.

A gradient may not share memory with the cotangent it came from, in any of the three forms: so
addition by hand copies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Arrays, normal, row, sides, vectors


def _matrix_and_row(rng: np.random.Generator, size: int) -> Arrays:
    return [normal(rng, sides(size)), normal(rng, sides(size)[1:])]


def _mask_and_two(rng: np.random.Generator, size: int) -> Arrays:
    return [rng.random(size) > 0.5, *vectors(2)(rng, size)]


@row(lambda lib, a, b: a + b, draw=_matrix_and_row)
def add_broadcast(a: Any, b: Any) -> Any:
    return a + b, lambda g: (g.copy(), g.sum(axis=0))


@row(lambda lib, a, b: a - b, draw=vectors(2))
def subtract(a: Any, b: Any) -> Any:
    return a - b, lambda g: (g.copy(), -g)


@row(lambda lib, a, b: a * b, draw=vectors(2))
def multiply(a: Any, b: Any) -> Any:
    return a * b, lambda g: (g * b, g * a)


@row(lambda lib, x: x * 1.5)
def multiply_by_number(x: Any) -> Any:
    return x * 1.5, lambda g: g * 1.5


@row(lambda lib, a, b: a / b, draw=vectors(2, low=0.5))
def divide(a: Any, b: Any) -> Any:
    y = a / b
    return y, lambda g: (g / b, -g * y / b)


@row(lambda lib, x, y: x**y, draw=vectors(2, low=0.5))
def power(x: Any, y: Any) -> Any:
    z = x**y
    return z, lambda g: (g * y * x ** (y - 1), g * z * np.log(x))


@row(lambda lib, x: x**3)
def cube(x: Any) -> Any:
    return x**3, lambda g: g * 3 * x**2


@row(lambda lib, x: lib.exp(x))
def exp(x: Any) -> Any:
    y = np.exp(x)
    return y, lambda g: g * y


@row(lambda lib, x: lib.log(x), draw=vectors(1, low=0.5))
def log(x: Any) -> Any:
    return np.log(x), lambda g: g / x


@row(lambda lib, x: lib.sqrt(x), draw=vectors(1, low=0.5))
def sqrt(x: Any) -> Any:
    y = np.sqrt(x)
    return y, lambda g: g / (2 * y)


@row(lambda lib, x: lib.sin(x))
def sin(x: Any) -> Any:
    return np.sin(x), lambda g: g * np.cos(x)


@row(lambda lib, x: lib.tanh(x))
def tanh(x: Any) -> Any:
    y = np.tanh(x)
    return y, lambda g: g * (1 - y * y)


@row(lambda lib, x: lib.sigmoid(x))
def sigmoid(x: Any) -> Any:
    y = 1 / (1 + np.exp(-x))
    return y, lambda g: g * y * (1 - y)


@row(lambda lib, x: lib.relu(x))
def relu(x: Any) -> Any:
    return np.maximum(x, 0), lambda g: g * (x > 0)


@row(lambda lib, x: lib.abs(x))
def absolute(x: Any) -> Any:
    return np.abs(x), lambda g: g * np.sign(x)


@row(lambda lib, x: lib.clip(x, -0.5, 0.5))
def clip(x: Any) -> Any:
    return np.clip(x, -0.5, 0.5), lambda g: g * ((x >= -0.5) & (x <= 0.5))


@row(lambda lib, a, b: lib.maximum(a, b), draw=vectors(2))
def maximum(a: Any, b: Any) -> Any:
    def pull(g: Any) -> Any:
        shared = a == b
        return g * (a > b) + g / 2 * shared, g * (b > a) + g / 2 * shared

    return np.maximum(a, b), pull


@row(lambda lib, mask, a, b: lib.where(mask, a, b), draw=_mask_and_two)
def where(mask: Any, a: Any, b: Any) -> Any:
    return np.where(mask, a, b), lambda g: (np.where(mask, g, 0), np.where(mask, 0, g))
