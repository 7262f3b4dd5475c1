"""Matrix products; every operand has as many entries as the row's size says."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Arrays, normal, row, sides


def _two_matrices(rng: np.random.Generator, size: int) -> Arrays:
    return [normal(rng, sides(size)), normal(rng, sides(size)[::-1])]


def _matrix_and_vector(rng: np.random.Generator, size: int) -> Arrays:
    return [normal(rng, sides(size)), normal(rng, sides(size)[1:])]


def _two_stacks(rng: np.random.Generator, size: int) -> Arrays:
    """Small matrices: what is measured is the cost of each."""
    rows, columns = sides(10)
    count = size // 10
    return [normal(rng, (count, rows, columns)), normal(rng, (count, columns, rows))]


def _layer(rng: np.random.Generator, size: int) -> Arrays:
    batch, inputs = sides(size)
    return [normal(rng, s) for s in ((batch, inputs), (batch, inputs), (batch,))]


@row(lambda lib, a, b: a @ b, draw=_two_matrices)
def matmul(a: Any, b: Any) -> Any:
    return a @ b, lambda g: (g @ b.T, a.T @ g)


@row(lambda lib, a, b: a @ b, draw=_matrix_and_vector)
def matrix_vector(a: Any, b: Any) -> Any:
    return a @ b, lambda g: (np.outer(g, b), a.T @ g)


@row(lambda lib, a, b: a @ b, draw=_two_stacks)
def matmul_stacks(a: Any, b: Any) -> Any:
    return a @ b, lambda g: (g @ b.transpose(0, 2, 1), a.transpose(0, 2, 1) @ g)


@row(lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), draw=_layer)
def linear(x: Any, w: Any, b: Any) -> Any:
    return x @ w.T + b, lambda g: (g @ w, g.T @ x, g.sum(axis=0))
